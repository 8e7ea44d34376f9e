import FileBlobStore
import Foundation
import Jobs
import Migration
import S3BlobStore

/// Where the blobs of a service that moves are, and where they are to be.
struct MoveBlobs {
    let source: ServiceConfiguration
    let destination: ServiceConfiguration

    /// Blobs pass through it on their way into a bucket.
    private var passage: String { source.dataDirectory + "/migration-cache" }

    /// Whether both are the same place.
    var areStaying: Bool {
        switch (source.hasSharedBlobs, destination.hasSharedBlobs) {
        case (false, false): return Self.folder(source) == Self.folder(destination)
        case (true, true):
            guard let here = try? S3Location(source.blobsURL), let there = try? S3Location(destination.blobsURL) else {
                return false
            }
            return here.isSamePlace(as: there)
        default: return false
        }
    }

    private static func folder(_ configuration: ServiceConfiguration) -> String {
        let path = configuration.path(of: configuration.blobsURL, or: "blobs")
        return URL(fileURLWithPath: path).standardizedFileURL.resolvingSymlinksInPath().path
    }

    /// - Parameter installation: what the destination's database goes by; `nil`: nothing is changed there.
    func route(of jobs: any ServiceStore, for installation: String?) throws -> BlobRoute {
        let here = try BlobStorage(source, of: jobs, isAlone: false).store
        guard !areStaying else { return BlobRoute(from: here, to: nil) }
        guard destination.hasSharedBlobs else {
            guard installation != nil else { return BlobRoute(from: here, to: nil) }
            let there = try FileBlobStore(directory: destination.path(of: destination.blobsURL, or: "blobs"))
            return BlobRoute(from: here, to: there)
        }
        do {
            let local = try FileBlobStore(directory: passage)
            let bucket = try S3BlobStore(S3Location(destination.blobsURL), local: local, version: Version.text)
            if let installation { try bucket.claim(for: installation) }
            return BlobRoute(from: here, to: bucket) { try local.remove($0) }
        } catch let error as JobsError {
            throw JobsError(error.code, "--blobs-url: \(error.message)")
        }
    }

    /// Removes what blobs have passed through.
    func removePassage() { try? FileManager.default.removeItem(atPath: passage) }
}
