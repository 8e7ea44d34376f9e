import Foundation
import Jobs
import Logging
import Synchronization

/// Removes blobs of jobs that are not there while the service runs: uploads that were cut off, deletions that were. What is
/// old, and surely no other process's, goes at a start already (`Recovery`).
///
/// An upload has its blob before its job, on whatever machine, and once it is whole a moment is all that lies between. So
/// what is seen without a job, and not being written, twice, an hour apart, belongs to nobody. Several processes may sweep
/// the same stores.
public final class OrphanSweeper: Sendable {
    /// From the end of a look to the next, in seconds.
    private static let period = 1200.0
    /// Seconds for which a blob must be seen to have no job.
    private static let graceSeconds = 3600.0

    private let orphans: OrphanedBlobs
    private let environment: any Environment
    private let logger: Logger
    private let alsoSweep: @Sendable () throws -> Void
    private let periodic = Periodic(label: "orphans", qos: .utility, period: OrphanSweeper.period)
    /// When jobs were first missed whose blobs are there.
    private let missed = Mutex<[JobID: Date]>([:])

    /// - Parameter alsoSweep: what else the store needs now and then. May block.
    public init(
        store: any JobStore, blobs: any BlobStore, environment: any Environment = SystemEnvironment(), logger: Logger,
        alsoSweep: @escaping @Sendable () throws -> Void = {}
    ) {
        orphans = OrphanedBlobs(store: store, blobs: blobs, logger: logger)
        self.environment = environment
        self.logger = logger
        self.alsoSweep = alsoSweep
    }

    /// Begins to sweep now and then, on a queue of its own.
    public func start() {
        periodic.start { [weak self] in self?.turn() }
    }

    /// Ends that. Blocks until a sweep that is under way is over.
    public func stop() { periodic.stop() }

    private func turn() {
        do {
            try sweep()
            try alsoSweep()
        } catch {
            logger.error("orphaned blobs could not be looked for", metadata: ["error": "\(error)"])
        }
    }

    /// Looks once. Blocks.
    ///
    /// - Returns: the jobs whose blobs were removed.
    @discardableResult
    public func sweep() throws -> [JobID] {
        let now = environment.now()
        let before = missed.withLock { $0 }
        var still: [JobID: Date] = [:]
        let removed = try orphans.remove(isWanted: { !periodic.isStopping }) { id in
            // Not yet whole: however long that takes, it is its writer's, or goes with the drafts of the dead.
            guard try orphans.blobs.openPartial(id.sourceKey) == nil else { return false }
            let since = before[id] ?? now
            if now.timeIntervalSince(since) >= Self.graceSeconds { return true }
            still[id] = since
            return false
        }
        missed.withLock { [still] missed in missed = still }
        return removed
    }
}
