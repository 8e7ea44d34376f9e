import Foundation
import GRDB
import JobStoreContract
import Jobs
import Synchronization
import Testing

@testable import SQLiteJobStore

/// Another process is another who has opened the lock's file, see flock(2).
@Suite("The lock of processes that write to a database")
struct WriterLockTests {
    private static func job() -> Job { SQLiteJobStoreTests.job(JobIDGenerator().next()) }

    @Test("while another process writes, a write waits, fails as busy and leaves nothing; reads wait for nobody")
    func busy() throws {
        let database = TemporaryDatabase()
        let pauses = Mutex<[Duration]>([])
        let store = try database.store(WriterLock.Patience { pause in pauses.withLock { $0.append(pause) } })
        let other = try WriterLock(database: database.path)
        try other.hold {
            let error = try #require(throws: JobsError.self) { try store.submit(Self.job()) }
            #expect(error.code == .busy && error.message.contains("more than 5 s"), "\(error)")
            #expect(try store.counts()[.queued] == 0)
        }
        let waited = pauses.withLock { $0 }
        let total = waited.reduce(Duration.zero, +)
        #expect(total == .seconds(5))
        #expect(waited.first == .microseconds(250) && waited.max() == .milliseconds(10))
        try store.submit(Self.job())
        #expect(try store.counts()[.queued] == 1)
        let after = pauses.withLock { $0.count }
        #expect(after == waited.count)
    }

    @Test("a write that waits goes on once the other process lets go")
    func waiting() throws {
        let database = TemporaryDatabase()
        let other = try OtherProcess(database)
        let pauses = Atomic(0)
        let store = try database.store(
            WriterLock.Patience { _ in
                if pauses.wrappingAdd(1, ordering: .relaxed).newValue == 3 { other.letGo() }
            })
        #expect(other.take())
        try store.submit(Self.job())
        #expect(pauses.load(ordering: .relaxed) == 3)
        #expect(try store.counts()[.queued] == 1)
        #expect(other.take(), "it is let go of after the write")
    }

    @Test("who waits for a program that has SQLite's own lock does not keep the lock meanwhile")
    func foreignProgram() throws {
        let database = TemporaryDatabase()
        let other = try OtherProcess(database)
        var configuration = Configuration()
        configuration.allowsUnsafeTransactions = true
        let program = try DatabaseQueue(path: database.path, configuration: configuration)
        let pauses = Atomic(0)
        let kept = Atomic(0)
        let store = try database.store(
            WriterLock.Patience { _ in
                if other.take() { other.letGo() } else { kept.wrappingAdd(1, ordering: .relaxed) }
                guard pauses.wrappingAdd(1, ordering: .relaxed).newValue == 3 else { return }
                try? program.writeWithoutTransaction { try $0.execute(sql: "ROLLBACK") }
            })
        try program.writeWithoutTransaction { try $0.execute(sql: "BEGIN IMMEDIATE") }
        try store.submit(Self.job())
        #expect(pauses.load(ordering: .relaxed) == 3)
        #expect(kept.load(ordering: .relaxed) == 0)
        #expect(try store.counts()[.queued] == 1)
    }

    @Test("a write that fails, by itself or by a full disk, lets go")
    func failing() throws {
        let database = TemporaryDatabase()
        let store = try database.store()
        let other = try OtherProcess(database)
        #expect(throws: JobsError.self) { try store.write { try $0.execute(sql: "no SQL") } }
        #expect(other.take())
        other.letGo()
        _ = try store.pool.writeWithoutTransaction { db -> Int? in
            let pages = try Int.fetchOne(db, sql: "PRAGMA page_count") ?? 0
            return try Int.fetchOne(db, sql: "PRAGMA max_page_count = \(pages)")
        }
        let error = try #require(throws: JobsError.self) {
            try store.write { try $0.execute(sql: "CREATE TABLE texts AS SELECT zeroblob(1000000) AS t") }
        }
        #expect(error.code == .storageFull)
        #expect(other.take())
    }

    @Test("two processes that write to a database at the same time both get all of theirs in")
    func together() throws {
        let database = TemporaryDatabase()
        let stores = [try database.store(), try database.store()]
        for _ in 0..<5 {
            for store in stores { try store.submit(Self.job()) }
        }
        let failures = Atomic(0)
        onThreads(4) { thread in
            for _ in 0..<25 {
                do {
                    try stores[thread % 2].submit(Self.job())
                } catch {
                    failures.wrappingAdd(1, ordering: .relaxed)
                }
            }
        }
        #expect(failures.load(ordering: .relaxed) == 0)
        for store in stores { #expect(try store.counts()[.queued] == 110) }
        #expect(try stores[0].damage() == nil)
    }

    @Test("a stop waits for a fifth of a second, then closes without bringing the log over, and no job is lost")
    func closing() throws {
        let database = TemporaryDatabase()
        let pauses = Mutex(Duration.zero)
        let store = try database.store(WriterLock.Patience { pause in pauses.withLock { $0 += pause } })
        let last = try database.store(WriterLock.Patience { _ in })
        let job = Self.job()
        try store.submit(job)
        let other = try WriterLock(database: database.path)
        try other.hold { try store.close() }
        let waited = pauses.withLock { $0 }
        #expect(waited == .milliseconds(200))
        #expect(try last.job(job.id, tenant: .anonymous)?.id == job.id)
        // The last one to close keeps everybody out by SQLite's own locks.
        try other.hold { try last.close() }
        #expect(!FileManager.default.fileExists(atPath: database.path + "-wal"))
        #expect(try database.store().counts()[.queued] == 1)
    }

    @Test("a database is not opened while another process writes, also by a link to it; a copy needs no lock")
    func opening() throws {
        let database = TemporaryDatabase()
        try database.store().close()
        let link = database.folder.path + "/link.sqlite"
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: database.path)
        let other = try WriterLock(database: database.path)
        try other.hold {
            for path in [database.path, link] {
                let error = try #require(throws: JobsError.self) {
                    try TemporaryDatabase.store(path, WriterLock.Patience(limit: .zero))
                }
                #expect(error.code == .busy, "\(error)")
            }
        }
        let copy = database.folder.path + "/copy.sqlite"
        try SQLiteJobStore.backUp(from: database.path, to: copy)
        let store = try SQLiteJobStore(copy: copy)
        try store.submit(Self.job())
        try store.close()
        let names = try FileManager.default.contentsOfDirectory(atPath: database.folder.path).sorted()
        #expect(names == ["copy.sqlite", "jobs.sqlite", "jobs.sqlite-lock", "link.sqlite"])
    }
}

extension TemporaryDatabase {
    fileprivate func store(_ patience: WriterLock.Patience) throws -> SQLiteJobStore {
        try Self.store(path, patience)
    }

    fileprivate static func store(_ path: String, _ patience: WriterLock.Patience) throws -> SQLiteJobStore {
        try SQLiteJobStore(
            path: path, retentionSeconds: nil, environment: SystemEnvironment(), patience: patience,
            preparing: Schema.migrate)
    }
}

/// Has the lock for as long as a test wants.
private final class OtherProcess: Sendable {
    private let descriptor: Int32

    /// Makes the database where there is none.
    init(_ database: TemporaryDatabase) throws {
        try database.store().close()
        descriptor = open(database.path + WriterLock.suffix, O_RDWR | O_CLOEXEC)
        try #require(descriptor >= 0)
    }

    deinit { close(descriptor) }

    /// Whether nobody else has it.
    func take() -> Bool { flock(descriptor, LOCK_EX | LOCK_NB) == 0 }

    func letGo() { _ = flock(descriptor, LOCK_UN) }
}
