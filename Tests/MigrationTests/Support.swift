import Crypto
import FileBlobStore
import Foundation
import JobStoreContract
import Jobs
import Migration
import ServiceHarness
import Synchronization
import Testing

@testable import PostgresJobStore
@testable import SQLiteJobStore

/// An installation on SQLite, and a schema in PostgreSQL that it can move to.
final class Move {
    private static let server = Result { try PostgresServer() }

    let clock = ManualEnvironment(unixSeconds: Date().timeIntervalSince1970)
    let folder: TemporaryFolder
    let store: SQLiteJobStore
    let here: FileBlobStore
    let there: FileBlobStore
    let postgres: PostgresConfiguration
    let ids = JobIDGenerator()

    init() throws {
        folder = try TemporaryFolder()
        store = try SQLiteJobStore(path: folder.path("jobs.sqlite"), environment: clock)
        here = try FileBlobStore(directory: folder.path("here"))
        there = try FileBlobStore(directory: folder.path("there"))
        let server = try Self.server.get()
        let schema = "move_" + UUID().uuidString.filter { $0 != "-" }.lowercased()
        postgres = PostgresConfiguration(url: server.url(schema: schema), connections: 2)
        let connection = try PostgresConnection(url: server.url(), seconds: 30)
        try connection.run(script: "CREATE SCHEMA \(schema)")
    }

    func takeover(_ source: String = "one") throws -> Takeover { try Takeover(postgres, source: source) }

    /// A run of its own, as by a process of its own.
    @discardableResult
    func run(
        isLast: Bool = true, from: (any BlobStore)? = nil, to: (any BlobStore)? = nil, rereads: Bool = false
    ) throws -> MigrationReport {
        let takeover = try takeover()
        if try takeover.state() == nil { try takeover.begin() }
        let migration = Migration(
            from: store, to: takeover, blobs: BlobRoute(from: from ?? here, to: to ?? there), rereads: rereads)
        var report = try migration.copy(isLast: isLast)
        if isLast, report.blobs.damaged.isEmpty { try migration.finish(&report, installation: nil) }
        return report
    }

    func moved() throws -> PostgresJobStore { try PostgresJobStore(postgres, environment: clock) }

    /// To PostgreSQL, without anything that a store sets up.
    func connection() throws -> PostgresConnection {
        let connection = try PostgresConnection(url: postgres.url, seconds: 30)
        connection.deadline = .now + .seconds(60)
        return connection
    }

    // MARK: What is there to be moved

    @discardableResult
    func submit(
        tenant: String = "acme", labels: [String: String] = [:], webhook: Bool = false, as key: String? = nil
    ) throws -> Job {
        let id = ids.next()
        let bytes = Array("source of \(id)".utf8)
        let digest = try here.put(id.sourceKey, bytes)
        var spec = JobSpec(
            targets: [TargetSpec(id: "car", box: PixelBox(x: 70.25, y: 51, width: 107, height: 87))], labels: labels)
        spec.deadlineSeconds = 3600
        if webhook { spec.webhook = WebhookSpec(url: try WebhookURL("https://receiver.example/hook")) }
        let source = JobSource(
            kind: .video, blobKey: id.sourceKey, bytes: Int64(bytes.count), sha256: digest, fileName: "müll \"1\".mp4")
        let job = Job(
            id: id, tenant: TenantID(tenant), spec: spec, source: source, createdAt: clock.now(), traceID: "ab")
        if let key {
            let attempt = IdempotentAttempt(key: key, fingerprint: "f", answer: Array("{\"id\":\"\(id)\"}".utf8))
            _ = try store.submit(job, as: attempt)
        } else {
            try store.submit(job)
        }
        return job
    }

    /// Runs the job whose turn it is to its end.
    @discardableResult
    func end(_ status: JobStatus = .succeeded) throws -> Job {
        let claimed = try #require(try store.claim(owner: "worker", leaseSeconds: 30))
        let key = claimed.job.id.resultKey(attempt: claimed.job.attempt)
        try here.put(key, Array("result of \(claimed.job.id)".utf8))
        try here.put(claimed.job.id.cropsKey(attempt: 1, target: 0), Array(repeating: 7, count: 3_000_000))
        let failure = status == .failed ? JobFailure(code: .undecodable, message: "no video", frame: 3) : nil
        let progress = JobProgress(framesDone: 9, framesTotal: 10, framesPerSecond: 123.456_789_012_345_6)
        let outcome = JobOutcome(status: status, failure: failure, progress: progress, resultKey: key)
        #expect(try store.publish(outcome, lease: claimed.lease))
        return try #require(try store.job(claimed.job.id, tenant: claimed.job.tenant))
    }

    func blobs(_ store: FileBlobStore) throws -> [String: [UInt8]] {
        let names = FileManager.default.enumerator(atPath: store.directory)?.allObjects as? [String] ?? []
        var blobs: [String: [UInt8]] = [:]
        for name in names where !name.contains("/.") {
            if let reader = try store.open(name) { blobs[name] = try reader.all() }
        }
        return blobs
    }
}

extension BlobStore {
    @discardableResult
    func put(_ key: String, _ bytes: [UInt8]) throws -> String {
        let writer = try create(key)
        try bytes.withUnsafeBytes { try writer.write($0) }
        return try writer.commit()
    }
}

extension BlobReader {
    func all() throws -> [UInt8] {
        try [UInt8](unsafeUninitializedCapacity: Int(count)) { buffer, used in
            used = try read(into: UnsafeMutableRawBufferPointer(buffer), at: 0)
        }
    }
}

/// A folder that fails when so many blobs were begun, as a process that is killed there leaves it; or whose disk cannot
/// read some places.
struct FailingBlobs: BlobStore {
    let store: FileBlobStore
    private let left: Left

    private final class Left: Sendable {
        let count: Mutex<Int>
        init(_ count: Int) { self.count = Mutex(count) }
    }

    private let unreadable: Set<String>

    init(_ store: FileBlobStore, after count: Int = .max, unreadable: Set<String> = []) {
        self.store = store
        self.unreadable = unreadable
        left = Left(count)
    }

    func create(_ key: String) throws -> any BlobWriter {
        let isLeft = left.count.withLock { count in
            count -= 1
            return count >= 0
        }
        guard isLeft else { throw JobsError(.storageFull, "no space left") }
        return try store.create(key)
    }

    func resume(_ key: String) throws -> (any BlobAppender)? { try store.resume(key) }
    func open(_ key: String) throws -> (any BlobReader)? {
        try requireReadable(key)
        return try store.open(key)
    }
    private func requireReadable(_ key: String) throws {
        guard !unreadable.contains(key) else { throw JobsError(.io, "cannot open \(key): Input/output error") }
    }
    func openPartial(_ key: String) throws -> (any BlobReader)? { try store.openPartial(key) }
    func digest(_ key: String) throws -> String? { try store.digest(key) }
    func copy(_ key: String, to other: String) throws -> Bool { try store.copy(key, to: other) }
    func remove(_ key: String) throws { try store.remove(key) }
    func children(of prefix: String) throws -> [String] {
        try requireReadable(prefix)
        return try store.children(of: prefix)
    }
    func localPath(_ key: String) throws -> String? { try store.localPath(key) }
    func scratch() throws -> any ScratchFile { try store.scratch() }
    func availableBytes() throws -> Int64 { try store.availableBytes() }
}
