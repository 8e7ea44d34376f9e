import Jobs
import Logging

/// Removes uploads whose time is over, and bytes of uploads that are not there any more: now and then, and at the start.
public final class UploadSweeper: Sendable {
    private let uploads: any UploadStore
    private let blobs: any BlobStore
    private let logger: Logger
    private let periodic: Periodic

    /// - Parameter uploadSeconds: `limits.upload_seconds`.
    public init(uploads: any UploadStore, blobs: any BlobStore, uploadSeconds: Double, logger: Logger) {
        self.uploads = uploads
        self.blobs = blobs
        self.logger = logger
        periodic = Periodic(
            label: "upload-sweeper", qos: .utility, period: Periodic.period(ofLife: uploadSeconds))
    }

    /// Begins to sweep now and then, on a queue of its own, and at once.
    public func start() {
        periodic.start { [weak self] in self?.sweep() }
    }

    /// Returns when no sweep is under way, and none will be; one that is ends before its next upload.
    public func stop() { periodic.stop() }

    /// Once. An upload has its row before its bytes, and loses it before them: so bytes without a row, or whose row is a
    /// job's, are nobody's, whoever else is at work. Blocks.
    public func sweep() {
        do {
            for id in try uploads.expireUploads() where !periodic.isStopping {
                logger.info("upload expired", metadata: ["upload": "\(id)"])
                blobs.removeBytes(of: id, logger)
            }
            for name in try blobs.children(of: UploadID.blobFolder) {
                guard !periodic.isStopping else { return }
                guard let id = UploadID(name), try !uploads.isOpen(id) else { continue }
                logger.info("an upload is gone, its bytes go", metadata: ["upload": "\(id)"])
                blobs.removeBytes(of: id, logger)
            }
        } catch {
            logger.error("uploads could not be swept", metadata: ["error": "\(error)"])
        }
    }
}
