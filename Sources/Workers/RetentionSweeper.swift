import Foundation
import Jobs
import Logging
import Synchronization

/// Removes what is over its time: blobs of expired jobs, then their rows, and names of submissions. Several processes may
/// sweep the same stores.
public final class RetentionSweeper: Sendable {
    /// Jobs between two looks whether to stop.
    private static let batchSize = 100

    /// What a sweep removed.
    public struct Result: Hashable, Sendable {
        /// Jobs whose blobs went.
        public var purged = 0
        /// Rows of jobs that went.
        public var removed = 0
    }

    private let store: any JobStore
    private let blobs: any BlobStore
    private let policy: RetentionPolicy
    private let environment: any Environment
    private let logger: Logger
    private let periodic: Periodic
    /// Whether this process has looked for jobs that are to be given their time.
    private let hasScheduled = Atomic(false)

    public init(
        store: any JobStore, blobs: any BlobStore, policy: RetentionPolicy,
        environment: any Environment = SystemEnvironment(), logger: Logger
    ) {
        self.store = store
        self.blobs = blobs
        self.policy = policy
        self.environment = environment
        self.logger = logger
        periodic = Periodic(
            label: "retention", qos: .utility, period: Periodic.period(ofLife: policy.seconds ?? .infinity))
    }

    /// Begins to sweep now and then, on a queue of its own.
    public func start() {
        periodic.start { [weak self] in self?.turn() }
    }

    /// Ends that, after the batch it is at. Blocks.
    public func stop() { periodic.stop() }

    private func turn() {
        if !hasScheduled.exchange(true, ordering: .relaxed) { run { try schedule() } }
        run { _ = try sweep() }
    }

    private func run(_ body: () throws -> Void) {
        do {
            try body()
        } catch {
            logger.error("what has expired could not be removed", metadata: ["error": "\(error)"])
        }
    }

    /// Gives jobs that ended before anything was to expire their time, the full one from now on. Blocks.
    public func schedule() throws {
        var place: JobID?
        repeat { place = try store.scheduleExpiry(after: place, limit: Self.batchSize) } while goesOn(place != nil)
    }

    /// Removes all that is over its time. Blocks.
    @discardableResult
    public func sweep() throws -> Result {
        var result = Result()
        // Blobs go first: after a crash in between, the next sweep finds the job again.
        try inBatches {
            try store.expiredJobs(limit: $0)
        } remove: { jobs in
            try store.markPurged(jobs)
            result.purged += jobs.count
        }
        let limit = environment.now().addingTimeInterval(-policy.tombstoneSeconds)
        // Again, for what was made for a job while it was purged.
        try inBatches {
            try store.purgedJobs(until: limit, limit: $0)
        } remove: { jobs in
            try store.removePurged(jobs)
            result.removed += jobs.count
        }
        while goesOn(try store.forgetAttempts(limit: Self.batchSize) == Self.batchSize) {}
        if result != Result() {
            logger.info(
                "expired jobs removed", metadata: ["purged": "\(result.purged)", "removed": "\(result.removed)"])
        }
        return result
    }

    /// Jobs whose blobs cannot be removed are left to the next sweep, and hold up no other.
    ///
    /// - Parameters:
    ///   - next: the first so many.
    ///   - remove: takes those whose blobs are gone.
    private func inBatches(_ next: (Int) throws -> [JobID], remove: ([JobID]) throws -> Void) throws {
        var stuck: Set<JobID> = []
        while case let jobs = try next(Self.batchSize + stuck.count).filter({ !stuck.contains($0) }),
            goesOn(!jobs.isEmpty)
        {
            try remove(jobs.filter { removeBlobs(of: $0, &stuck) })
        }
    }

    private func removeBlobs(of job: JobID, _ stuck: inout Set<JobID>) -> Bool {
        do {
            try blobs.remove(job.blobPrefix)
            return true
        } catch {
            logger.error(
                "blobs of an expired job could not be removed", metadata: ["job": "\(job)", "error": "\(error)"])
            stuck.insert(job)
            return false
        }
    }

    private func goesOn(_ hasMore: Bool) -> Bool { hasMore && !periodic.isStopping }
}
