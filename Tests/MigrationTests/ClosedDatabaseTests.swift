import Dispatch
import Foundation
import JobStoreContract
import Jobs
import Migration
import ServiceHarness
import Synchronization
import Testing

@testable import PostgresJobStore
@testable import SQLiteJobStore

/// What a database refuses while it is moved to, what a move refuses to move to, and what opens it again.
@Suite("A move to PostgreSQL and those who use that")
struct ClosedDatabaseTests {
    @Test("keeps the database to itself until it is done, also from a server that was there before")
    func guarded() throws {
        let move = try Move()
        let job = try move.submit()
        let early = try move.moved()
        let later = try move.submit()
        try move.run(isLast: false)
        let refused = try #require(throws: JobsError.self) { try early.claim(owner: "early", leaseSeconds: 30) }
        #expect(refused.message.contains("lktrack migrate"), "\(refused)")
        #expect(throws: JobsError.self) { try early.delete(job.id, tenant: job.tenant) }
        // What blobs would be removed by.
        let sweeps: [() throws -> Void] = [
            { _ = try early.exists(job.id) }, { _ = try early.expiredJobs(limit: 1) },
            { _ = try early.purgedJobs(until: Date(), limit: 1) },
        ]
        for sweep in sweeps {
            let error = try #require(throws: JobsError.self) { try sweep() }
            #expect(error.code == .moved)
        }
        try move.run()
        #expect(try early.claim(owner: "early", leaseSeconds: 30)?.job.id == job.id)
        #expect(try early.delete(later.id, tenant: later.tenant)?.id == later.id)
    }

    @Test("only one at a time")
    func alone() throws {
        let move = try Move()
        let first = try move.takeover()
        let error = try #require(throws: JobsError.self) { try move.takeover() }
        #expect(error.code == .busy)
        withExtendedLifetime(first) {}
    }

    @Test("refuses a database that has jobs, keys or tenants of its own, and leaves them")
    func occupied() throws {
        let makings: [(PostgresJobStore, Move) throws -> Void] = [
            { store, move in try store.submit(try move.submit()) },
            { store, move in
                try store.addKey(
                    APIKey(id: "k", tenant: .anonymous, digest: Array(repeating: 1, count: 32), createdAt: Date()))
            },
            { store, _ in try store.setQuota(TenantQuota(queued: 1), of: .anonymous) },
        ]
        for make in makings {
            let move = try Move()
            #expect(try Takeover.look(move.postgres, source: "one") == nil)
            let store = try move.moved()
            #expect(try Takeover.look(move.postgres, source: "one") == nil)
            try make(store, move)
            let error = try #require(throws: JobsError.self) { try move.run() }
            #expect(error.code == .conflict)
            #expect(throws: error) { try Takeover.look(move.postgres, source: "one") }
            #expect(try store.counts()[.queued] == move.store.counts()[.queued])
        }
    }

    @Test("refuses what others put while it begins", .timeLimit(.minutes(10)))
    func occupiedMeanwhile() throws {
        let move = try Move()
        try move.moved().close()
        let (other, witness) = (try move.connection(), try move.connection())
        try other.run(script: "BEGIN; INSERT INTO tenants (name, queued_limit) VALUES ('zoo', 1)")
        let failure = Mutex<(any Error)?>(nil)
        let group = DispatchGroup()
        DispatchQueue.global().async(group: group) { [configuration = move.postgres] in
            do {
                try Takeover(configuration, source: "one").begin()
            } catch {
                failure.withLock { $0 = error }
            }
        }
        try poll("it to wait for the other") {
            let sql = "SELECT EXISTS (SELECT 1 FROM pg_locks WHERE relation = 'tenants'::regclass AND NOT granted)"
            return try witness.run(script: sql).first?.boolean(0) == true
        }
        try other.run(script: "COMMIT")
        try #require(group.wait(timeout: .now() + 60) == .success)
        #expect((failure.withLock { $0 } as? JobsError)?.code == .conflict)
        #expect(try witness.run(script: "SELECT name FROM tenants").first?.text(0) == "zoo")
        #expect(try witness.run(script: "SELECT FROM takeover").rows.isEmpty)
    }

    @Test("leaves the schema of another installation as it is, whatever version that has", arguments: [3, 6])
    func olderInstallation(_ version: Int) throws {
        let move = try Move()
        let connection = try move.connection()
        try connection.run(
            script: "CREATE TABLE lktrack_migrations (name text PRIMARY KEY, applied_at timestamptz DEFAULT now())")
        for migration in Schema.migrations.prefix(version) {
            try connection.run(script: String(decoding: migration.sql, as: UTF8.self))
            try connection.run(script: "INSERT INTO lktrack_migrations (name) VALUES ('\(migration.name)')")
        }
        try connection.run(script: "INSERT INTO tenants (name, queued_limit) VALUES ('zoo', 1)")
        func applied() throws -> Int? {
            try connection.run(script: "SELECT count(*) FROM lktrack_migrations").first?.int(0)
        }
        let error = try #require(throws: JobsError.self) { try move.takeover() }
        #expect(error.code == .conflict && error.message.contains("table tenants"))
        #expect(try applied() == version)
        try connection.run(script: "DELETE FROM tenants")
        #expect(try move.takeover().state() == nil)
        #expect(try applied() == Schema.migrations.count)
    }

    @Test("refuses a database that takes over another installation, and names that")
    func otherSource() throws {
        let move = try Move()
        try move.submit()
        try move.run(isLast: false)
        let error = try #require(throws: JobsError.self) { try move.takeover("two") }
        #expect(error.code == .conflict && error.message.contains("another installation, one,"))
    }

    @Test("that is undone waits until nobody uses PostgreSQL, says who does, and closes it to those who come back")
    func undone() throws {
        let move = try Move()
        let job = try move.submit()
        try move.run()
        let store = try move.moved()
        let busy = try #require(throws: JobsError.self) { try move.takeover().undo(patience: 0) }
        #expect(busy.code == .busy && busy.message.contains("lktrack at "), "\(busy)")
        #expect(try store.claim(owner: "w", leaseSeconds: 30)?.job.id == job.id)
        store.close()
        #expect(try move.takeover().undo())
        let late = try #require(throws: PostgresError.self) { try move.connection().run(script: "DELETE FROM jobs") }
        #expect(late.message.contains("lktrack migrate"), "\(late)")
        let error = try #require(throws: JobsError.self) { try move.moved() }
        #expect(error.code == .moved && error.message.contains("--undo"))
        #expect(try !move.takeover().undo())
    }

    @Test("servers of other schemas do not keep it from being undone")
    func undoneBesideOthers() throws {
        let (move, other) = (try Move(), try Move())
        try move.run()
        let store = try other.moved()
        #expect(try move.takeover().undo())
        store.close()
    }
}
