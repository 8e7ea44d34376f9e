import Foundation
import Jobs
import Synchronization
import Testing

/// What a suite needs of an implementation of ``UploadStore``, which is one of ``JobStore`` too.
public protocol UploadStoreFixture: Sendable {
    func openUploads(_ environment: any Environment) throws -> any JobStore & UploadStore
}

/// One thing that every ``UploadStore`` must do.
public struct UploadStoreCheck: Sendable, CustomTestStringConvertible {
    public let name: String
    public let run: @Sendable (any UploadStoreFixture) throws -> Void

    public var testDescription: String { name }

    init(_ name: String, _ run: @escaping @Sendable (any UploadStoreFixture) throws -> Void) {
        self.name = name
        self.run = run
    }
}

/// A store, its clock and the makings of uploads.
struct UploadBench {
    let clock = ManualEnvironment()
    let store: any JobStore & UploadStore
    let ids: JobIDGenerator

    init(_ fixture: any UploadStoreFixture) throws {
        store = try fixture.openUploads(clock)
        ids = JobIDGenerator(environment: clock)
    }

    func create(length: Int64? = 10, tenant: TenantID = .anonymous, seconds: Double = 100) throws -> Upload {
        let upload = Upload(
            id: UploadID(ids.next()), tenant: tenant, length: length, metadata: "filename bcO2Lm1wNA==,x",
            createdAt: clock.now(), expiresAt: clock.now().addingTimeInterval(seconds))
        try store.create(upload)
        return upload
    }

    func complete(tenant: TenantID = .anonymous) throws -> Upload {
        let upload = try create(tenant: tenant)
        return try #require(try advance(upload, to: 10))
    }

    func advance(_ upload: Upload, to offset: Int64, length: Int64? = 10) throws -> Upload? {
        try store.advance(upload, to: offset, length: length, expiresAt: clock.now().addingTimeInterval(100))
    }

    /// Bytes of the anonymous tenant.
    func stored() throws -> Int64 { try store.usage(of: .anonymous).stored }

    func current(_ upload: Upload) throws -> Upload? { try store.upload(upload.id, tenant: upload.tenant) }

    func job(tenant: TenantID = .anonymous) -> Job {
        let id = ids.next()
        return Job(
            id: id, tenant: tenant,
            spec: JobSpec(
                targets: [TargetSpec(id: "car", box: PixelBox(x: 1, y: 2, width: 30, height: 40))],
                labels: ["camera": "7"]),
            source: JobSource(kind: .video, blobKey: id.sourceKey, bytes: 10, sha256: "ab12"), createdAt: clock.now())
    }
}

/// The contract of ``UploadStore``: each check gets a new fixture.
public enum UploadStoreContract {
    public static let checks: [UploadStoreCheck] = rowChecks + takingChecks + storedBytesChecks

    private static let rowChecks: [UploadStoreCheck] = [
        UploadStoreCheck("an upload reads back as it was, also when the database is opened again") { fixture in
            let bench = try UploadBench(fixture)
            let upload = try bench.create()
            #expect(try bench.current(upload) == upload)
            let deferred = try bench.create(length: nil)
            #expect(try UploadBench(fixture).current(deferred) == deferred)
            #expect(try bench.store.isOpen(upload.id))
        },
        UploadStoreCheck("an upload of another tenant is not there") { fixture in
            let bench = try UploadBench(fixture)
            let upload = try bench.complete(tenant: TenantID("a"))
            #expect(try bench.store.upload(upload.id, tenant: TenantID("b")) == nil)
            #expect(try bench.store.delete(upload.id, tenant: TenantID("b")) == nil)
            #expect(try bench.store.submit(bench.job(tenant: TenantID("b")), taking: upload.id) == false)
            #expect(try bench.current(upload) == upload)
            #expect(try bench.store.counts()[.queued] == 0)
        },
        UploadStoreCheck("an offset moves from where it was read, and from nowhere else") { fixture in
            let bench = try UploadBench(fixture)
            let upload = try bench.create()
            bench.clock.advance(50)
            let moved = try #require(try bench.advance(upload, to: 4))
            #expect(moved.offset == 4)
            #expect(moved.expiresAt == bench.clock.now().addingTimeInterval(100))
            #expect(try bench.current(upload) == moved)
            #expect(try bench.advance(upload, to: 5) == nil, "another has written meanwhile")
            #expect(try bench.current(upload) == moved)
            #expect(try bench.advance(moved, to: 2)?.offset == 2, "bytes may get lost")
        },
        UploadStoreCheck("a length is told once") { fixture in
            let bench = try UploadBench(fixture)
            let upload = try bench.create(length: nil)
            let begun = try #require(try bench.advance(upload, to: 4, length: nil))
            #expect(begun.length == nil && !begun.isComplete)
            let told = try #require(try bench.advance(begun, to: 10, length: 10))
            #expect(told.length == 10 && told.isComplete)
            #expect(try bench.advance(told, to: 10, length: 11) == nil)
            #expect(try bench.advance(told, to: 10, length: nil) == nil)
            #expect(try bench.current(upload) == told)
        },
        UploadStoreCheck("more than the length is never kept") { fixture in
            let bench = try UploadBench(fixture)
            let upload = try bench.create()
            #expect(throws: JobsError.self) { try bench.advance(upload, to: 11) }
            #expect(throws: JobsError.self) { try bench.advance(upload, to: -1) }
            #expect(try bench.current(upload) == upload)
        },
        UploadStoreCheck("a deleted upload is gone, and moves no more") { fixture in
            let bench = try UploadBench(fixture)
            let upload = try bench.create()
            #expect(try bench.store.delete(upload.id, tenant: .anonymous) == upload)
            #expect(try bench.store.delete(upload.id, tenant: .anonymous) == nil)
            #expect(try bench.current(upload) == nil)
            #expect(try bench.advance(upload, to: 4) == nil)
            #expect(try bench.store.isOpen(upload.id) == false)
        },
        UploadStoreCheck("uploads whose time is over go, the others stay") { fixture in
            let bench = try UploadBench(fixture)
            let short = try bench.create(seconds: 10)
            let long = try bench.create(seconds: 11)
            #expect(try bench.store.expireUploads().isEmpty)
            bench.clock.advance(10)
            #expect(try bench.store.expireUploads() == [short.id])
            #expect(try bench.current(short) == nil)
            #expect(try bench.current(long) == long)
            #expect(try bench.store.isOpen(short.id) == false)
            #expect(try bench.store.expireUploads().isEmpty)
        },
        UploadStoreCheck("that an upload has expired is remembered for a while, for its tenant") { fixture in
            let bench = try UploadBench(fixture)
            let whole = try bench.complete()
            let other = try bench.create()
            _ = try bench.store.delete(other.id, tenant: .anonymous)
            let current = try #require(try bench.current(whole))
            #expect(try bench.store.expiry(of: whole.id, tenant: .anonymous) == nil)
            bench.clock.advance(200)
            _ = try bench.store.expireUploads()
            #expect(try bench.store.expiry(of: whole.id, tenant: .anonymous) == current.expiresAt)
            #expect(try bench.store.expiry(of: whole.id, tenant: TenantID("b")) == nil)
            #expect(try bench.store.expiry(of: other.id, tenant: .anonymous) == nil)
            // It is past and gone for everything else.
            #expect(try bench.store.submit(bench.job(), taking: whole.id) == false)
            #expect(try bench.advance(current, to: 10) == nil)
            #expect(try bench.store.delete(whole.id, tenant: .anonymous) == nil)
            bench.clock.advance(UploadLimits.rememberedSeconds)
            _ = try bench.store.expireUploads()
            #expect(try bench.store.expiry(of: whole.id, tenant: .anonymous) == nil)
        },
        UploadStoreCheck("a tenant has no more open uploads than it may; what was taken, deleted or expired makes room")
        {
            fixture in
            let bench = try UploadBench(fixture)
            func create(_ tenant: TenantID = .anonymous) throws -> Upload? {
                let upload = Upload(
                    id: UploadID(bench.ids.next()), tenant: tenant, length: 10, createdAt: bench.clock.now(),
                    expiresAt: bench.clock.now().addingTimeInterval(100))
                return try bench.store.create(upload, atMost: 2) ? upload : nil
            }
            let first = try #require(try create())
            let second = try #require(try create())
            let refused = try create()
            #expect(refused == nil)
            #expect(try create(TenantID("b")) != nil)
            _ = try bench.store.delete(first.id, tenant: .anonymous)
            #expect(try create() != nil)
            #expect(try create() == nil)
            let whole = try #require(try bench.advance(second, to: 10))
            #expect(try bench.store.submit(bench.job(), taking: whole.id))
            #expect(try create() != nil)
            #expect(try create() == nil)
            bench.clock.advance(100)
            #expect(try create() != nil, "the others have expired, swept or not")
        },
    ]

    private static let takingChecks: [UploadStoreCheck] = [
        UploadStoreCheck("a job takes a complete upload, which then belongs to it") { fixture in
            let bench = try UploadBench(fixture)
            let upload = try bench.complete()
            let job = bench.job()
            #expect(try bench.store.submit(job, taking: upload.id))
            #expect(try bench.store.job(job.id, tenant: .anonymous) == job)
            #expect(try bench.current(upload)?.job == job.id)
            #expect(try bench.store.isOpen(upload.id) == false)
            #expect(try bench.advance(upload, to: 10) == nil)
        },
        UploadStoreCheck("a second job, and a job of an upload that is not complete or gone, are not kept") { fixture in
            let bench = try UploadBench(fixture)
            let taken = try bench.complete()
            let first = bench.job()
            try #require(try bench.store.submit(first, taking: taken.id))
            let half = try bench.create()
            let open = try bench.create(length: nil)
            let gone = try bench.complete()
            _ = try bench.store.delete(gone.id, tenant: .anonymous)
            for upload in [taken, half, open, gone] {
                let job = bench.job()
                #expect(try bench.store.submit(job, taking: upload.id) == false)
                #expect(try bench.store.exists(job.id) == false)
            }
            #expect(try bench.store.counts()[.queued] == 1)
            #expect(try bench.current(taken)?.job == first.id)
        },
        UploadStoreCheck("a named submission takes its upload once, and whoever tries again gets the first answer") {
            fixture in
            let bench = try UploadBench(fixture)
            let (upload, half, other) = (try bench.complete(), try bench.create(), try bench.complete())
            let attempt = IdempotentAttempt(key: "k", fingerprint: "ab", answer: Array("first".utf8))
            #expect(try bench.store.submit(bench.job(), taking: half.id, as: attempt) == .unavailable)
            #expect(try bench.store.attempt(key: "k", tenant: .anonymous) == nil)
            let job = bench.job()
            #expect(try bench.store.submit(job, taking: upload.id, as: attempt) == .kept)
            #expect(try bench.current(upload)?.job == job.id)
            for taken in [upload, other] {
                let retry = IdempotentAttempt(key: "k", fingerprint: "cd", answer: [])
                #expect(try bench.store.submit(bench.job(), taking: taken.id, as: retry) == .repeated(attempt))
            }
            #expect(try bench.current(other)?.job == nil)
            #expect(try bench.store.counts()[.queued] == 1)
        },
        UploadStoreCheck("a tenant's quota of queued jobs leaves the upload what it is") { fixture in
            let bench = try UploadBench(fixture)
            let upload = try bench.complete()
            try bench.store.setQuota(TenantQuota(queued: 0), of: .anonymous)
            let attempt = IdempotentAttempt(key: "k", fingerprint: "ab", answer: [])
            #expect(throws: JobsError.self) { try bench.store.submit(bench.job(), taking: upload.id) }
            #expect(throws: JobsError.self) { try bench.store.submit(bench.job(), taking: upload.id, as: attempt) }
            #expect(try bench.store.isOpen(upload.id))
            #expect(try bench.store.attempt(key: "k", tenant: .anonymous) == nil)
        },
        UploadStoreCheck("a job that cannot be kept takes no upload") { fixture in
            let bench = try UploadBench(fixture)
            let upload = try bench.complete()
            let job = bench.job()
            try bench.store.submit(job)
            #expect(throws: JobsError.self) { try bench.store.submit(job, taking: upload.id) }
            #expect(try bench.current(upload)?.job == nil)
        },
        UploadStoreCheck("of eight that want an upload at the same time, one job gets it") { fixture in
            let bench = try UploadBench(fixture)
            let stores = try (0..<8).map { _ in try fixture.openUploads(bench.clock) }
            for _ in 0..<10 {
                let upload = try bench.complete()
                let jobs = (0..<8).map { _ in bench.job() }
                let winners = Mutex<[JobID]>([])
                let failures = Mutex<[String]>([])
                onThreads(8) { index in
                    do {
                        let isTaken = try stores[index].submit(jobs[index], taking: upload.id)
                        if isTaken { winners.withLock { $0.append(jobs[index].id) } }
                    } catch {
                        failures.withLock { $0.append("\(error)") }
                    }
                }
                #expect(failures.withLock { $0 }.isEmpty)
                #expect(winners.withLock { $0 } == [try bench.current(upload)?.job])
            }
            #expect(try bench.store.counts()[.queued] == 10)
        },
    ]
}
