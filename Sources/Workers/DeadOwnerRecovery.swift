import Jobs
import Logging

/// What becomes of the jobs that processes of this machine were at when they died.
public struct DeadOwnerRecovery: Sendable {
    private let store: any JobStore
    private let blobs: any BlobStore
    private let logger: Logger

    public init(store: any JobStore, blobs: any BlobStore, logger: Logger) {
        self.store = store
        self.blobs = blobs
        self.logger = logger
    }

    /// Ends those that were canceled, with the frames they have, and queues the others again; then nothing is left of the
    /// dead. Blocks.
    ///
    /// - Throws: the stores' errors.
    public func requeueJobs(ofDead owners: OwnerRegistry) throws {
        let canceled = CanceledJobs(store: store, blobs: blobs, logger: logger)
        for owner in owners.dead() {
            _ = try canceled.endThose(ofOwner: owner)
            let jobs = try store.expireLeases(ofOwner: owner)
            if !jobs.isEmpty {
                logger.warning(
                    "jobs of a dead process requeued",
                    metadata: ["owner": .string(owner), "jobs": .array(jobs.map { .string($0.description) })])
            }
            owners.forget(owner)
        }
    }
}
