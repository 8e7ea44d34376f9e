import FileBlobStore
import Foundation
import Jobs
import Logging
import S3BlobStore
import Workers

/// The blobs that `blobs.url` names: a folder of this machine, or a bucket that several machines share.
struct BlobStorage: Sendable {
    let store: any BlobStore
    /// Of this machine: all blobs, or those that are on their way to or from the bucket.
    private let local: FileBlobStore
    /// Set where other machines may write to the same blobs.
    private let bucket: S3BlobStore?

    /// Seconds after which a blob that is still on its way is taken for forgotten: three days, longer than any upload
    /// lasts, and than jobs run.
    private static let abandonedSeconds = 259_200.0

    /// - Parameters:
    ///   - jobs: the store of the jobs that the blobs belong to.
    ///   - isAlone: whether no other process of this machine works on the same data.
    init(_ configuration: ServiceConfiguration, of jobs: any ServiceStore, isAlone: Bool) throws {
        guard configuration.hasSharedBlobs else {
            local = try FileBlobStore(directory: configuration.path(of: configuration.blobsURL, or: "blobs"))
            (store, bucket) = (local, nil)
            return
        }
        do {
            local = try FileBlobStore(directory: configuration.dataDirectory + "/blob-cache")
            if isAlone { try local.removeEmptyFolders() }
            let bucket = try S3BlobStore(
                S3Location(configuration.blobsURL), local: local, version: Version.text)
            // Two databases that took one prefix for theirs would remove each other's blobs.
            try bucket.claim(for: configuration.installation(jobs))
            (store, self.bucket) = (bucket, bucket)
        } catch let error as S3Location.Invalid {
            throw CommandFailure(.configuration, "blobs.url: expected \(error)")
        } catch let error as JobsError {
            throw CommandFailure(.unavailable, "blobs.url: \(error.message)")
        }
    }

    /// Removes what dead processes of this machine were writing. To be called once at the start, when what is of use has been
    /// taken out of it.
    func removeUnfinished() throws { try local.removeAbandoned() }

    /// What removes that which no job owns, and a start has left alone: it may have been another process's, or too young.
    func sweeper(for jobs: any JobStore, log: Logger) -> OrphanSweeper {
        guard let bucket else { return OrphanSweeper(store: jobs, blobs: local, logger: log) }
        return OrphanSweeper(store: jobs, blobs: bucket, logger: log) {
            let count = try bucket.removeAbandoned(olderThan: Self.abandonedSeconds)
            if count > 0 { log.info("abandoned drafts of blobs removed", metadata: ["objects": "\(count)"]) }
        }
    }
}
