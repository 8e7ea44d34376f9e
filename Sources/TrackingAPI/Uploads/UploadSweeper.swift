import Jobs
import Logging

/// Removes uploads whose time is over, and bytes of uploads that are not there any more: now and then, and at the start.
public final class UploadSweeper: Sendable {
    private let uploads: any UploadStore
    private let blobs: any BlobStore
    private let logger: Logger
    private let periodic: Periodic

    /// From the end of a sweep to the next, in seconds: a tenth of an upload's life, within these.
    private static let periods = 1.0...60.0
    private static let periodsPerLife = 10.0

    /// - Parameter uploadSeconds: `limits.upload_seconds`.
    public init(uploads: any UploadStore, blobs: any BlobStore, uploadSeconds: Double, logger: Logger) {
        self.uploads = uploads
        self.blobs = blobs
        self.logger = logger
        let period = uploadSeconds / Self.periodsPerLife
        periodic = Periodic(
            label: "upload-sweeper", qos: .utility,
            period: min(max(period, Self.periods.lowerBound), Self.periods.upperBound))
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
                removeBytes(of: id)
            }
            for name in try blobs.children(of: UploadID.blobFolder) {
                guard !periodic.isStopping else { return }
                guard let id = UploadID(name), try !uploads.isOpen(id) else { continue }
                logger.info("an upload is gone, its bytes go", metadata: ["upload": "\(id)"])
                removeBytes(of: id)
            }
        } catch {
            logger.error("uploads could not be swept", metadata: ["error": "\(error)"])
        }
    }

    /// Those that cannot be removed hold up no others, and are looked for again.
    private func removeBytes(of id: UploadID) {
        do {
            try blobs.remove(id.blobPrefix)
        } catch {
            logger.error(
                "bytes of an upload could not be removed", metadata: ["upload": "\(id)", "error": "\(error)"])
        }
    }
}
