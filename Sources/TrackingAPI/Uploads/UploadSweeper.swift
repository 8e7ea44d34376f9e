import Dispatch
import Foundation
import Jobs
import Logging
import Synchronization

/// Removes uploads whose time is over, and bytes of uploads that are not there any more: now and then, and at the start.
public final class UploadSweeper: Sendable {
    private let uploads: any UploadStore
    private let blobs: any BlobStore
    private let logger: Logger
    private let interval: Double
    private let queue = DispatchQueue(label: "upload-sweeper")
    private let isStopped = Atomic(false)

    /// Seconds between two looks; no more than a fraction of an upload's life.
    private static let longestInterval = 60.0
    private static let looksInALife = 10.0

    /// - Parameter uploadSeconds: `limits.upload_seconds`.
    public init(uploads: any UploadStore, blobs: any BlobStore, uploadSeconds: Double, logger: Logger) {
        self.uploads = uploads
        self.blobs = blobs
        self.logger = logger
        interval = min(max(uploadSeconds / Self.looksInALife, 1), Self.longestInterval)
    }

    /// Sweeps, and goes on doing so.
    public func start() {
        sweep()
        sweepLater()
    }

    /// Returns when no sweep is under way, and none will be; one that is ends before its next upload.
    public func stop() {
        isStopped.store(true, ordering: .releasing)
        queue.sync {}
    }

    private func sweepLater() {
        queue.asyncAfter(deadline: .now() + interval) { [weak self] in
            guard let self, !isStopped.load(ordering: .acquiring) else { return }
            sweep()
            sweepLater()
        }
    }

    /// Once. An upload has its row before its bytes, and loses it before them: so bytes without a row, or whose row is a
    /// job's, are nobody's, whoever else is at work.
    public func sweep() {
        do {
            for id in try uploads.expireUploads() where !isStopped.load(ordering: .acquiring) {
                try blobs.remove(id.blobPrefix)
                logger.info("upload expired", metadata: ["upload": "\(id)"])
            }
            for name in try blobs.children(of: UploadID.blobFolder) {
                guard !isStopped.load(ordering: .acquiring) else { return }
                guard let id = UploadID(name), try !uploads.isOpen(id) else { continue }
                try blobs.remove(id.blobPrefix)
                logger.info("orphaned bytes of an upload removed", metadata: ["upload": "\(id)"])
            }
        } catch {
            logger.error("uploads could not be swept", metadata: ["error": "\(error)"])
        }
    }
}
