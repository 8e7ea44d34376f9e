import FileBlobStore
import Foundation
import JobStoreContract
import Jobs
import Media
import SQLiteJobStore
import Synchronization
import Testing
import Workers

/// A store, a folder of blobs and a pool over them, in a folder that goes away with it.
final class Bench: Sendable {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("workers-\(UUID().uuidString)")
    let clock = ManualEnvironment()
    let store: SQLiteJobStore
    let blobs: FileBlobStore
    let events = EventLog()
    let logs = LogRecorder()
    private let ids: JobIDGenerator
    private let owners = Mutex<[ObjectIdentifier: OwnerRegistry]>([:])

    /// - Parameter blobFolder: on another file system.
    init(blobFolder: String? = nil) throws {
        store = try SQLiteJobStore(path: folder.appendingPathComponent("jobs.sqlite").path, environment: clock)
        blobs = try FileBlobStore(directory: blobFolder ?? folder.appendingPathComponent("blobs").path)
        ids = JobIDGenerator(environment: clock)
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    var ownersDirectory: String { folder.appendingPathComponent("owners").path }

    /// - Parameter onEvent: told of each event before ``events`` is.
    func pool(
        workers: Int = 1, leaseSeconds: Double = 30, pollSeconds: Double = 1, partTargets: Int = 0,
        decoder: DecoderCommand = DecoderBinary.command(), meter: any WorkerMeter = NoWorkerMeter(),
        store: (any JobStore)? = nil, blobs: (any BlobStore)? = nil, sharesBlobs: Bool = false,
        storage: StorageLimits = StorageLimits(floorBytes: 0),
        onEvent: @escaping @Sendable (WorkerEvent) -> Void = { _ in }
    ) throws -> WorkerPool {
        var configuration = WorkerConfiguration(
            workers: workers, leaseSeconds: leaseSeconds, partTargets: partTargets,
            limits: DecodeLimits(stallSeconds: 100), decoder: decoder, pollSeconds: pollSeconds, flushSeconds: 0)
        configuration.sharesBlobs = sharesBlobs
        configuration.storage = storage
        let registry = try OwnerRegistry(directory: ownersDirectory)
        let pool = WorkerPool(
            store: store ?? self.store, blobs: blobs ?? self.blobs, owners: registry, configuration: configuration,
            environment: clock,
            logger: logs.logger, meter: meter,
            onEvent: { [events] event in
                onEvent(event)
                events.record(event)
            })
        owners.withLock { $0[ObjectIdentifier(pool)] = registry }
        return pool
    }

    /// Starts a pool, and returns once a job's worker is held at its frame 5.
    func start(_ pool: WorkerPool, holding job: Job) async throws -> Hold {
        let hold = events.hold(at: .tracked(job.id, frame: 5))
        try pool.start()
        await events.wait(for: .tracked(job.id, frame: 5))
        return hold
    }

    /// Stops a pool and its process's registration, off Swift's cooperative threads.
    func stop(_ pool: WorkerPool, within seconds: Double = 30) async {
        await withCheckedContinuation { continuation in
            DispatchQueue.global().async {
                pool.stop(by: .now() + seconds)
                self.owners.withLock { $0.removeValue(forKey: ObjectIdentifier(pool)) }?.close()
                continuation.resume()
            }
        }
    }

    /// Starts a pool, waits for a job's end and stops the pool.
    func run(
        _ job: Job, decoder: DecoderCommand = DecoderBinary.command(), partTargets: Int = 0,
        storage: StorageLimits = StorageLimits(floorBytes: 0)
    ) async throws -> Job {
        let pool = try pool(partTargets: partTargets, decoder: decoder, storage: storage)
        try pool.start()
        _ = await events.end(of: job.id)
        await stop(pool)
        return try current(job)
    }

    // MARK: Jobs

    func newID() -> JobID { ids.next() }

    /// Submits a job on a scene's frames.
    func submit(
        _ scene: Scene, tenant: TenantID = .anonymous, broken: Int? = nil,
        change: (inout JobSpec) -> Void = { _ in }
    ) throws -> Job {
        try submit(scene, tenant: tenant, kind: .frames, change: change) {
            try scene.writeTar(to: $0, broken: broken)
        }
    }

    func submit(
        _ scene: Scene, tenant: TenantID = .anonymous, kind: JobSource.Kind,
        change: (inout JobSpec) -> Void = { _ in }, write: (any BlobWriter) throws -> Void
    ) throws -> Job {
        let id = newID()
        let writer = try blobs.create(id.sourceKey)
        try write(writer)
        let digest = try writer.commit()
        var spec = JobSpec(targets: [scene.target])
        change(&spec)
        let source = JobSource(kind: kind, blobKey: id.sourceKey, bytes: writer.count, sha256: digest)
        let job = Job(id: id, tenant: tenant, spec: spec, source: source, createdAt: clock.now())
        try store.submit(job)
        return job
    }

    func current(_ job: Job) throws -> Job { try #require(try store.job(job.id, tenant: .anonymous)) }

    func renderer(storage: StorageLimits = StorageLimits()) -> JobRenderer {
        JobRenderer(blobs: blobs, limits: DecodeLimits(), storage: storage, decoder: DecoderBinary.command())
    }

    /// What a finished job is rendered from.
    func performance(_ job: Job) throws -> JobRenderer.Performance {
        JobRenderer.Performance(job, resultKey: try #require(job.resultKey), frames: job.progress.framesDone)
    }

    /// The bytes of a job's result.
    func result(_ job: Job) throws -> [UInt8] {
        let key = try #require(job.resultKey)
        let reader = try #require(try blobs.open(key))
        return try Self.bytes(reader)
    }

    func records(_ job: Job) throws -> [FrameRecord] {
        try result(job).split(separator: UInt8(ascii: "\n")).map { try FrameRecord(line: $0) }
    }

    static func bytes(_ reader: any BlobReader) throws -> [UInt8] {
        try [UInt8](unsafeUninitializedCapacity: Int(reader.count)) { buffer, count in
            count = try reader.read(into: UnsafeMutableRawBufferPointer(buffer), at: 0)
        }
    }

    /// The names of a job's blobs.
    func blobNames(_ job: Job) throws -> [String] { try blobs.children(of: job.id.blobPrefix) }
}
