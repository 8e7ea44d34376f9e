import Foundation
import GRDB
import Jobs
import JobStoreContract
import Testing

@testable import SQLiteJobStore

@Suite("SQLiteJobStore")
struct SQLiteJobStoreTests {
    @Test("keeps the contract", arguments: JobStoreContract.checks + JobStoreContract.exactCapacityChecks)
    func contract(_ check: JobStoreCheck) throws {
        try check.run(TemporaryDatabase())
    }

    @Test("keeps the contract of uploads", arguments: UploadStoreContract.checks)
    func uploadContract(_ check: UploadStoreCheck) throws {
        try check.run(TemporaryDatabase())
    }

    @Test("keeps the contract of deliveries", arguments: DeliveryStoreContract.checks)
    func deliveryContract(_ check: DeliveryStoreCheck) throws {
        try check.run(TemporaryDatabase())
    }

    @Test("a commit is on the disk when it returns: synchronous is FULL on the connection that writes")
    func synchronousIsFull() throws {
        let store = try TemporaryDatabase().store()
        let (synchronous, journal) = try store.pool.writeWithoutTransaction { db in
            (try Int.fetchOne(db, sql: "PRAGMA synchronous"), try String.fetchOne(db, sql: "PRAGMA journal_mode"))
        }
        #expect(synchronous == 2)
        #expect(journal == "wal")
    }

    @Test("a database of a newer version stops the start with a message that says so")
    func newerSchema() throws {
        let database = TemporaryDatabase()
        try database.store().pool.write { db in
            try db.execute(sql: "INSERT INTO grdb_migrations (identifier) VALUES ('9999_future')")
        }
        let error = try #require(throws: JobsError.self) { try database.store() }
        #expect(error.code == .schemaTooNew)
        #expect(error.message.contains("newer version"))
    }

    @Test("a file that is no database stops the start")
    func noDatabase() throws {
        let database = TemporaryDatabase()
        try FileManager.default.createDirectory(at: database.folder, withIntermediateDirectories: true)
        try Data(repeating: 65, count: 8192).write(to: URL(fileURLWithPath: database.path))
        let error = try #require(throws: JobsError.self) { try database.store() }
        #expect(error.code == .corrupt)
    }

    @Test("a stored job that cannot be read holds up no other, and fails after three attempts")
    func unreadableJob() throws {
        let clock = ManualEnvironment()
        let store = try TemporaryDatabase().store(clock)
        let ids = JobIDGenerator(environment: clock)
        let (broken, other) = (Self.job(ids.next()), Self.job(ids.next()))
        try store.submit(broken)
        try store.submit(other)
        try store.pool.write { db in
            try db.execute(sql: "UPDATE jobs SET spec = '{}' WHERE id = ?", arguments: [broken.id.description])
        }
        for attempt in 1...3 {
            let error = try #require(throws: JobsError.self) { try store.claim(owner: "a", leaseSeconds: 30) }
            #expect(error.code == .corrupt)
            let claimed = try store.claim(owner: "a", leaseSeconds: 1000)
            #expect(claimed?.job.id == (attempt == 1 ? other.id : nil))
            clock.advance(31)
            #expect(try store.expireLeases() == [broken.id])
        }
        #expect(try store.claim(owner: "a", leaseSeconds: 30) == nil)
        let counts = try store.counts()
        #expect([counts[.failed], counts[.running], counts[.queued]] == [1, 1, 0], "\(counts)")
    }

    /// Running, with a lease of 30 s, and told to be canceled where asked for; then its stored spec is none any more.
    private func unreadable(_ store: SQLiteJobStore, _ job: Job, isCanceled: Bool) throws {
        try store.submit(job)
        _ = try #require(try store.claim(owner: "dead", leaseSeconds: 30))
        if isCanceled { _ = try store.requestCancel(job.id, tenant: job.tenant) }
        try store.pool.write { db in
            let sql = "UPDATE jobs SET spec = '{\"webhook\":{}}' WHERE id = ?"
            try db.execute(sql: sql, arguments: [job.id.description])
        }
    }

    @Test("a job whose spec cannot be read any more is ended and deleted like others", arguments: [false, true])
    func unreadableSpec(isCanceled: Bool) throws {
        let clock = ManualEnvironment()
        let store = try TemporaryDatabase().store(clock)
        let ids = JobIDGenerator(environment: clock)
        var job = Self.job(ids.next())
        job.spec.webhook = WebhookSpec(url: try WebhookURL("https://example.com/hook"))
        try unreadable(store, job, isCanceled: isCanceled)
        #expect(try store.canceledWithoutWorker(owner: "dead").map(\.job.id) == (isCanceled ? [job.id] : []))
        #expect(try store.expireLeases(ofOwner: "dead") == [job.id])
        #expect(try store.counts()[isCanceled ? .canceled : .queued] == 1)
        #expect(try store.delete(job.id, tenant: job.tenant)?.id == job.id)
        #expect(try store.exists(job.id) == false)
    }

    @Test("a job whose source cannot be read any more is claimed, listed, backed up and deleted like others")
    func unreadableSource() throws {
        let store = try TemporaryDatabase().store(ManualEnvironment())
        let ids = JobIDGenerator()
        let (broken, other) = (Self.job(ids.next()), Self.job(ids.next()))
        try store.submit(broken)
        try store.submit(other)
        try store.pool.write { db in
            try db.execute(sql: "UPDATE jobs SET source = '{' WHERE id = ?", arguments: [broken.id.description])
        }
        let claims = try [store.claim(owner: "a", leaseSeconds: 30), store.claim(owner: "a", leaseSeconds: 30)]
        #expect(claims.map { $0?.job.id } == [broken.id, other.id])
        #expect(claims[0]?.job.source.blobKey == broken.id.sourceKey)
        #expect(try store.jobs(JobQuery(tenant: broken.tenant)).jobs.count == 2)
        #expect(try store.backedUpJobs().count == 2)
        #expect(try store.delete(broken.id, tenant: broken.tenant)?.id == broken.id)
    }

    @Test("of queued jobs that are overdue together as many fail at a time as have so much text, and none is left")
    func overdueTogether() throws {
        let clock = ManualEnvironment()
        let store = try TemporaryDatabase().store(clock)
        let ids = JobIDGenerator(environment: clock)
        var jobs = (0..<20).map { _ in Self.job(ids.next()) }
        for index in jobs.indices {
            jobs[index].createdAt = clock.now()
            jobs[index].spec.deadlineSeconds = 10
            jobs[index].spec.targets[0].keyframes = (1...5000).map {
                TargetSpec.Keyframe(frame: $0, box: PixelBox(x: 1, y: 2, width: 30, height: 40))
            }
            try store.submit(jobs[index])
        }
        clock.advance(11)
        var failed: [[JobID]] = []
        while case let more = try store.failOverdue(), !more.isEmpty { failed.append(more) }
        #expect(failed.count > 1)
        #expect(failed.joined().count == jobs.count && Set(failed.joined()) == Set(jobs.map(\.id)))
    }

    @Test("a sweep of overdue jobs takes what fits in so many bytes, a transaction at a time, and one job always")
    func overdueBatches() {
        let ids = JobIDGenerator()
        func taken(_ sizes: [Int]) -> [Int] {
            var overdue = OverdueJobs()
            for size in sizes where !overdue.add(ids.next(), specBytes: size) { break }
            return overdue.batches.map(\.count)
        }
        #expect(taken([]) == [])
        #expect(taken([10 << 20, 1]) == [1])
        #expect(taken([1, 2 << 20, 2 << 20, 1]) == [1, 1])
        #expect(taken(Array(repeating: 600, count: 1000)) == [436, 436, 128])
        #expect(taken(Array(repeating: 128 << 10, count: 1000)) == Array(repeating: 2, count: 12))
    }

    @Test(
        "what of a spec is longer than an ordinary one is stored bytes, twice with a webhook", arguments: [false, true])
    func storedSpec(hasWebhook: Bool) throws {
        let store = try TemporaryDatabase().store()
        var job = Self.job(JobIDGenerator().next())
        job.spec.targets[0].keyframes = (1...4000).map {
            TargetSpec.Keyframe(frame: $0, box: PixelBox(x: 1, y: 2, width: 30, height: 40))
        }
        if hasWebhook { job.spec.webhook = WebhookSpec(url: try WebhookURL("https://example.com/hook")) }
        try store.submit(job)
        let text = Int64(job.spec.storedText.utf8.count) - 16 * 1024
        let stored = try store.usage(of: job.tenant).stored
        #expect(text > 100_000 && stored == job.source.bytes + (hasWebhook ? 2 : 1) * text)
        _ = try store.delete(job.id, tenant: job.tenant)
        #expect(try store.usage(of: job.tenant).stored == 0)
        try store.setQuota(TenantQuota(stored: stored - 1), of: job.tenant)
        #expect(throws: JobsError.self) { try store.submit(job) }
    }

    @Test("its files are closed to others, whether it is new, was there with its log, or is a copy")
    func modes() throws {
        let database = TemporaryDatabase()
        let store = try database.store()
        try store.submit(Self.job(JobIDGenerator().next()))
        func modes(_ path: String) throws -> [Int?] {
            try ["", "-wal", "-shm", "-lock"].map { suffix in
                try FileManager.default.attributesOfItem(atPath: path + suffix)[.posixPermissions] as? Int
            }
        }
        #expect(try modes(database.path) == [0o640, 0o640, 0o640, 0o640])
        for suffix in ["", "-wal", "-shm", "-lock"] { #expect(chmod(database.path + suffix, 0o644) == 0) }
        let another = try database.store()
        #expect(try modes(database.path) == [0o640, 0o640, 0o640, 0o640])
        let copy = database.folder.path + "/copy.sqlite"
        try SQLiteJobStore.backUp(from: database.path, to: copy)
        let mode = try FileManager.default.attributesOfItem(atPath: copy)[.posixPermissions] as? Int
        #expect(mode == 0o640)
        #expect(try another.counts()[.queued] == 1)
        let folder = try FileManager.default.attributesOfItem(atPath: database.folder.path)[.posixPermissions] as? Int
        #expect(folder == 0o750)
    }

    @Test("a stricter mode of a database that is there stays")
    func stricterMode() throws {
        let database = TemporaryDatabase()
        try database.store().close()
        #expect(chmod(database.path, 0o600) == 0)
        let store = try database.store()
        try store.submit(Self.job(JobIDGenerator().next()))
        for suffix in ["", "-wal", "-shm", "-lock"] {
            let found = try FileManager.default.attributesOfItem(atPath: database.path + suffix)
            #expect(found[.posixPermissions] as? Int == 0o600)
        }
    }

    @Test("a full disk is reported as storage_full, nothing is kept, and the store recovers")
    func diskFull() throws {
        let clock = ManualEnvironment()
        let store = try TemporaryDatabase().store(clock)
        let ids = JobIDGenerator(environment: clock)
        func submit() throws { try store.submit(Self.job(ids.next(), label: String(repeating: "x", count: 256))) }
        let pages = try store.pool.writeWithoutTransaction { db in
            let pages = try #require(try Int.fetchOne(db, sql: "PRAGMA page_count"))
            return try #require(try Int.fetchOne(db, sql: "PRAGMA max_page_count = \(pages + 4)"))
        }
        let error = try #require(throws: JobsError.self) { while true { try submit() } }
        #expect(error.code == .storageFull)
        let kept = try store.jobs(JobQuery(tenant: .anonymous, limit: 200)).jobs.count
        #expect(try store.counts()[.queued] == kept)
        try store.pool.writeWithoutTransaction { try $0.execute(sql: "PRAGMA max_page_count = \(pages * 100)") }
        try submit()
        #expect(try store.counts()[.queued] == kept + 1)
        #expect(try store.pool.read { try String.fetchOne($0, sql: "PRAGMA integrity_check") } == "ok")
    }

    @Test("closed, the database is one file, whose copy holds every job, and an empty one")
    func closed() throws {
        let database = TemporaryDatabase()
        let store = try database.store()
        let job = Self.job(JobIDGenerator().next())
        try store.submit(job)
        #expect(try store.job(job.id, tenant: .anonymous) != nil, "a reader is open")
        try store.close()
        let names = try FileManager.default.contentsOfDirectory(atPath: database.folder.path).sorted()
        #expect(names == ["jobs.sqlite", "jobs.sqlite-lock"])
        #expect(try Data(contentsOf: URL(fileURLWithPath: database.path + "-lock")).isEmpty)
        #expect(throws: JobsError.self) { try store.counts() }
        #expect(try database.store().job(job.id, tenant: .anonymous)?.id == job.id)
    }

    @Test("closed twice, nothing happens; later calls throw")
    func closedTwice() throws {
        let store = try TemporaryDatabase().store()
        try store.close()
        try store.close()
        #expect(throws: JobsError.self) { try store.counts() }
    }

    @Test("closed while another process reads, the log is kept and no job is lost")
    func closedBesideReader() throws {
        let database = TemporaryDatabase()
        let (store, other) = (try database.store(), try database.store())
        let job = Self.job(JobIDGenerator().next())
        try store.submit(job)
        try other.pool.read { db in
            _ = try Int.fetchOne(db, sql: "SELECT count(*) FROM jobs")
            try store.close()
        }
        #expect(try other.job(job.id, tenant: .anonymous)?.id == job.id)
    }

    @Test("another process's transaction delays a claim but does not fail it", .timeLimit(.minutes(10)))
    func busy() throws {
        let database = TemporaryDatabase()
        let clock = ManualEnvironment()
        let store = try database.store(clock)
        try store.submit(Self.job(JobIDGenerator(environment: clock).next()))
        let other = try database.store()
        let isLocked = DispatchSemaphore(value: 0)
        let isClaiming = DispatchSemaphore(value: 0)
        DispatchQueue.global().async {
            try? other.pool.writeWithoutTransaction { db in
                try db.inTransaction(.immediate) {
                    isLocked.signal()
                    _ = isClaiming.wait(timeout: .now() + 60)
                    return .rollback
                }
            }
        }
        try #require(isLocked.wait(timeout: .now() + 60) == .success)
        DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(100)) { isClaiming.signal() }
        #expect(try store.claim(owner: "worker", leaseSeconds: 30) != nil)
    }

    static func job(_ id: JobID, tenant: TenantID = .anonymous, label: String = "7") -> Job {
        let target = TargetSpec(id: "target-1", box: PixelBox(x: 70, y: 51, width: 107, height: 87))
        let source = JobSource(kind: .video, blobKey: id.sourceKey, bytes: 1, sha256: "00")
        return Job(
            id: id, tenant: tenant, spec: JobSpec(targets: [target], labels: ["camera": label]), source: source,
            createdAt: Date(unixMilliseconds: 0))
    }
}
