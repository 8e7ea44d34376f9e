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
        try JobsOfTheDead(store: store, blobs: blobs, logger: logger).putInOrder(owners)
        if !sharesBlobs, !owners.hasLivingOthers() { try removeOrphanedBlobs() }
    }

    /// Blobs of jobs that are not there: uploads that were cut off, deletions that were. Nobody else may be running,
    /// since an upload has its blob before its job.
    private func removeOrphanedBlobs() throws {
        let limit = environment.now().addingTimeInterval(-Self.youngSeconds).unixMilliseconds
        for name in try blobs.children(of: JobID.blobFolder) {
            guard let id = JobID(name), id.unixMilliseconds < limit, try !store.exists(id) else { continue }
            try blobs.remove(id.blobPrefix)
            logger.info("orphaned blobs removed", metadata: ["job": .string(name)])
        }
    }
}
