import Foundation
import JobStoreContract
import Jobs
import Migration
import Testing

@testable import PostgresJobStore
@testable import SQLiteJobStore

@Suite("A move from SQLite to PostgreSQL")
struct MigrationTests {
    @Test("brings jobs, labels, keys, quotas, uploads, attempts, deliveries and what was counted")
    func everything() throws {
        let move = try Move()
        let store = move.store
        let acme = TenantID("acme")
        try store.setQuota(TenantQuota(queued: 7, running: 2, stored: 1 << 40), of: acme)
        let key = APIKey(
            id: "k1", tenant: acme, name: "ключ", digest: Array(repeating: 0xFE, count: 32),
            rate: RequestRate(perSecond: 0.1, burst: 3), createdAt: move.clock.now())
        try store.addKey(key)
        try store.addKey(
            APIKey(id: "k2", tenant: .anonymous, digest: Array(repeating: 1, count: 32), createdAt: move.clock.now()))
        _ = try store.revokeKey("k2")
        try store.noteUse(["k1": move.clock.now()])
        // Two texts that look alike: "é" as one character, and as two.
        var jobs = [
            try move.submit(labels: ["camera": "caf\u{E9}"], webhook: true),
            try move.submit(labels: ["camera": "cafe\u{301}"]), try move.submit(tenant: "zoo", webhook: true),
        ]
        _ = try move.end()
        _ = try move.end(.failed)
        _ = try move.end(.canceled)
        let gone = try move.submit(tenant: "zoo")
        _ = try move.end()
        _ = try store.delete(gone.id, tenant: gone.tenant)
        try move.here.remove(gone.id.blobPrefix)
        let delivery = try #require(try store.claimDelivery(leaseSeconds: 30, exceptHosts: [], exceptTenants: []))
        let attempt = DeliveryAttempt(
            number: 1, startedAt: move.clock.now(), milliseconds: 12, status: 500, error: "the receiver answered 500")
        #expect(
            try store.record(
                attempt, then: .pending(due: move.clock.now().addingTimeInterval(60)), lease: delivery.lease))
        jobs.append(try move.submit(as: "named"))
        jobs.append(try move.submit(tenant: "zoo"))
        let upload = Upload(
            id: UploadID(move.ids.next()), tenant: acme, length: 10, metadata: "filename bQ==",
            createdAt: move.clock.now(), expiresAt: move.clock.now().addingTimeInterval(3600))
        #expect(try store.create(upload, atMost: 10))

        let report = try move.run()
        #expect(report.tables.allSatisfy { $0.source == $0.destination }, "\(report.lines)")
        #expect(report.tables.count == StoredTable.all.count)
        #expect(report.tables.first { $0.name == "jobs" }?.source.count == 5)
        // Three that have ended, with source, result and crops, and two sources.
        #expect(report.blobs.copied == 11 && report.blobs.source == report.blobs.destination)

        let moved = try move.moved()
        for job in jobs {
            let before = try #require(try store.job(job.id, tenant: job.tenant))
            #expect(try moved.job(job.id, tenant: job.tenant) == before)
            #expect(
                try moved.deliveries(of: job.id, tenant: job.tenant) == store.deliveries(of: job.id, tenant: job.tenant)
            )
        }
        #expect(try moved.keys() == store.keys())
        #expect(try moved.counts() == store.counts())
        #expect(try moved.endings() == store.endings())
        #expect(try moved.endings().counts[.succeeded] == 2)
        #expect(try moved.deliveryFigures() == store.deliveryFigures())
        for tenant in [acme, TenantID("zoo")] {
            #expect(try moved.usage(of: tenant) == store.usage(of: tenant))
            #expect(try store.usage(of: tenant).stored > 0)
        }
        #expect(try moved.attempt(key: "named", tenant: acme) == store.attempt(key: "named", tenant: acme))
        #expect(try moved.attempt(key: "named", tenant: acme) != nil)
        let kept = try #require(try store.upload(upload.id, tenant: acme))
        #expect(try moved.upload(upload.id, tenant: acme) == kept)
        for label in ["caf\u{E9}", "cafe\u{301}"] {
            let query = JobQuery(tenant: acme, labels: ["camera": label], limit: 10)
            #expect(try moved.jobs(query).jobs.map(\.id) == store.jobs(query).jobs.map(\.id))
            #expect(try moved.jobs(query).jobs.count == 1)
        }
        #expect(try move.blobs(move.there) == move.blobs(move.here))
    }

    @Test("goes on where the queue was: whose turn it is, what is due, and numbers above those that were given")
    func goesOn() throws {
        let move = try Move()
        for tenant in ["a", "b", "a", "b", "a"] { try move.submit(tenant: tenant, webhook: true) }
        for _ in 0..<3 { try move.end() }
        _ = try move.store.claimDelivery(leaseSeconds: 30, exceptHosts: [], exceptTenants: [])
        try move.run()
        let moved = try move.moved()
        move.clock.advance(3600 * 12)
        for _ in 0..<2 {
            let claims = try [
                move.store.claim(owner: "w", leaseSeconds: 60), moved.claim(owner: "w", leaseSeconds: 60),
            ]
            #expect(claims[0] != nil && claims[0]?.job.id == claims[1]?.job.id)
        }
        for _ in 0..<3 {
            let claims = try [
                move.store.claimDelivery(leaseSeconds: 60, exceptHosts: [], exceptTenants: []),
                moved.claimDelivery(leaseSeconds: 60, exceptHosts: [], exceptTenants: []),
            ]
            #expect(claims[0] != nil && claims[0]?.message == claims[1]?.message)
        }
        try moved.submit(try move.submit(tenant: "c"))
        #expect(try moved.claim(owner: "w", leaseSeconds: 60)?.job.tenant.name == "c")
    }

    @Test("run again writes nothing")
    func twice() throws {
        let move = try Move()
        for _ in 0..<3 { try move.submit(labels: ["a": "b"], webhook: true) }
        try move.end()
        let first = try move.run(isLast: false)
        #expect(first.blobs.copied == 5)
        for isLast in [false, true] {
            let again = try move.run(isLast: isLast)
            #expect(again.tables.allSatisfy { $0.written == 0 && $0.removed == 0 }, "\(again.lines)")
            #expect(again.blobs.copied == 0 && again.blobs.destination.count == 5)
        }
    }

    @Test("follows what has changed and gone between two runs, blobs too")
    func follows() throws {
        let move = try Move()
        let jobs = try (0..<40).map { try move.submit(labels: ["number": "\($0)"]) }
        try move.run(isLast: false)
        for job in jobs[10..<30] {
            _ = try move.store.delete(job.id, tenant: job.tenant)
            try move.here.remove(job.id.blobPrefix)
        }
        _ = try move.store.requestCancel(jobs[2].id, tenant: jobs[2].tenant)
        try move.submit()
        try move.end()
        let purged = try move.end()
        try move.here.remove(purged.id.blobPrefix)
        try move.store.markPurged([purged.id])
        let report = try move.run()
        let figures = try #require(report.tables.first { $0.name == "jobs" })
        #expect((figures.written, figures.removed, figures.destination.count) == (4, 20, 21))
        #expect(try move.blobs(move.there) == move.blobs(move.here))
        #expect(try move.moved().counts() == move.store.counts())
    }

    @Test("more rows than are read or written at a time all come")
    func many() throws {
        let move = try Move()
        let jobs = (0..<2500).map { number in
            let id = move.ids.next()
            let source = JobSource(kind: .video, blobKey: id.sourceKey, bytes: 1, sha256: "00")
            let target = TargetSpec(id: "car", box: PixelBox(x: 1, y: 2, width: 30, height: 40))
            return Job(
                id: id, tenant: TenantID("t\(number % 700)"), spec: JobSpec(targets: [target]), source: source,
                createdAt: move.clock.now())
        }
        // In one transaction: a disk that is busy takes minutes for so many.
        try move.store.write { [store = move.store] db in
            for job in jobs { try store.insert(NewJob(job), db) }
        }
        let takeover = try move.takeover()
        try takeover.begin()
        let migration = Migration(from: move.store, to: takeover, blobs: BlobRoute(from: move.here, to: move.there))
        var report = try migration.copy(isLast: true)
        #expect(report.blobs.damagedCount == 2500)
        try migration.finish(&report, installation: nil)
        #expect(report.tables.first { $0.name == "jobs" }?.destination.count == 2500)
        #expect(report.tables.first { $0.name == "tenant_counts" }?.destination.count == 700)
        #expect(report.tables.allSatisfy { $0.source == $0.destination })
    }

    @Test("that stops in the middle goes on, and copies no blob again")
    func interrupted() throws {
        let move = try Move()
        for _ in 0..<20 { try move.submit() }
        #expect(throws: JobsError.self) { try move.run(to: FailingBlobs(move.there, after: 7)) }
        let copied = try move.blobs(move.there).count
        #expect(copied == 7)
        let error = try #require(throws: JobsError.self) { try move.moved() }
        #expect(error.code == .moved && error.message.contains("`lktrack migrate` again"))
        let report = try move.run()
        #expect(report.blobs.copied == 20 - copied)
        #expect(try move.blobs(move.there) == move.blobs(move.here))
        #expect(try move.moved().counts()[.queued] == 20)
    }

    @Test("rows with long texts come a few at a time")
    func longRows() throws {
        let move = try Move()
        for _ in 0..<12 { try move.submit() }
        let table = StoredTable.jobs
        let spec = try #require(table.columns.firstIndex { $0.name == "spec" })
        let rows = try move.store.snapshot { snapshot in
            var rows: [StoredRow] = []
            let found = try snapshot.rows(table)
            while var row = try found.next() {
                row[spec] = .text(Array(repeating: UInt8(ascii: "x"), count: 1 << 20))
                rows.append(row)
            }
            return rows
        }
        let takeover = try move.takeover()
        try takeover.begin()
        try takeover.change(table, removing: [], putting: rows)
        var taken: [StoredRow] = []
        while case let page = try takeover.page(table, after: taken.last.map(table.key(of:))), !page.isEmpty {
            #expect(page.count <= 4)
            taken += page
        }
        #expect(taken == rows)
    }

    @Test("a row that is not as it was is noticed, and the database stays closed")
    func differentRow() throws {
        let move = try Move()
        let job = try move.submit()
        let takeover = try move.takeover()
        try takeover.begin()
        let migration = Migration(from: move.store, to: takeover, blobs: BlobRoute(from: move.here, to: move.there))
        var report = try migration.copy(isLast: true)
        let other = try move.connection()
        try other.run(script: "SET lktrack.takeover = 'one'; UPDATE jobs SET trace_id = 'other' WHERE id = '\(job.id)'")
        let error = try #require(throws: JobsError.self) { try migration.finish(&report, installation: nil) }
        #expect(error.code == .corrupt && error.message.contains("jobs"))
        #expect(try takeover.state() == .copying)
    }
}
