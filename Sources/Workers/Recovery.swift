import Jobs
import Logging

/// What is left of processes that died, put in order before work begins.
struct Recovery {
    /// Blobs without a job whose id is younger are left to an ``OrphanSweeper``: an upload may be on its way, also one to
    /// this process, or to one that starts meanwhile.
    private static let youngSeconds = 600.0

    let store: any JobStore
    let blobs: any BlobStore
    let owners: OwnerRegistry
    let sharesBlobs: Bool
    let environment: any Environment
    let logger: Logger

    func run() throws {
        try DeadOwnerRecovery(store: store, blobs: blobs, logger: logger).requeueJobs(ofDead: owners)
        if !sharesBlobs, !owners.hasLivingOthers() { try removeOrphanedBlobs() }
    }

    /// Nobody else may be running, since an upload has its blob before its job.
    private func removeOrphanedBlobs() throws {
        let limit = environment.now().addingTimeInterval(-Self.youngSeconds).unixMilliseconds
        try OrphanedBlobs(store: store, blobs: blobs, logger: logger).remove(madeBefore: limit)
    }
}
