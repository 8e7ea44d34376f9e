import Jobs
import Logging

/// Blobs of jobs that are not there: uploads that were cut off, deletions that were. And uploads that are on their way,
/// which have their blobs before their jobs: who removes any has to know that they are not.
struct OrphanedBlobs {
    let store: any JobStore
    let blobs: any BlobStore
    let logger: Logger

    /// Removes them. Blocks.
    ///
    /// - Parameters:
    ///   - limit: those whose ids are not older are left alone, and the store is not asked about them; in milliseconds
    ///     since 1970.
    ///   - isWanted: asked before each; the others stay where it is not.
    ///   - isAbandoned: whether nobody will make a job of them, asked where there is none.
    /// - Returns: the jobs whose blobs were removed.
    /// - Throws: the stores' errors.
    @discardableResult
    func remove(
        madeBefore limit: Int64 = .max, isWanted: () -> Bool = { true },
        isAbandoned: (JobID) throws -> Bool = { _ in true }
    ) throws -> [JobID] {
        var removed: [JobID] = []
        for name in try blobs.children(of: JobID.blobFolder) {
            guard isWanted() else { break }
            guard let id = JobID(name), id.unixMilliseconds < limit, try !store.exists(id), try isAbandoned(id) else {
                continue
            }
            do {
                try blobs.remove(id.blobPrefix)
                removed.append(id)
                logger.info("orphaned blobs removed", metadata: ["job": .string(name)])
            } catch {
                // They are in nobody's way but the disk's, and looked for again.
                logger.error(
                    "orphaned blobs could not be removed", metadata: ["job": .string(name), "error": "\(error)"])
            }
        }
        return removed
    }
}
