import Foundation
import Jobs
import Logging

extension Problem.Kind {
    public static let locked = Self("locked", 423, "Another request is writing")
    /// The status is tus's own.
    public static let checksumMismatch = Self("checksum-mismatch", 460, "The checksum does not match")
}

extension RequestContext {
    /// The upload that the path names. A text that can be no id names no upload.
    func uploadID() throws(Problem) -> UploadID {
        guard let id = parameter("id").flatMap({ UploadID($0) }) else { throw Self.noSuchUpload }
        return id
    }

    /// The same whether there is none, or it belongs to another tenant.
    static var noSuchUpload: Problem { Problem(.notFound, "There is no upload with this id.") }
}

extension Services {
    /// An upload that bytes may still come to, or a job from.
    ///
    /// - Throws: 404 where there is none; 410 where its time is over, or a job has taken it.
    func openUpload(_ id: UploadID, tenant: TenantID) throws -> Upload {
        guard let upload = try uploads.upload(id, tenant: tenant) else { throw try missingUpload(id, tenant: tenant) }
        if let job = upload.job { throw Problem(.gone, "The job \(job) has taken this upload.") }
        guard upload.expiresAt > environment.now() else { throw Self.expired(upload.expiresAt) }
        return upload
    }

    /// 410 for an upload that has expired, as long as that is remembered; 404 for what never was, or is somebody else's.
    func missingUpload(_ id: UploadID, tenant: TenantID) throws -> Problem {
        try uploads.expiry(of: id, tenant: tenant).map(Self.expired) ?? RequestContext.noSuchUpload
    }

    private static func expired(_ time: Date) -> Problem {
        Problem(.gone, "The upload expired at \(RFC3339.string(time)). Begin a new one.")
    }

    /// How many bytes of an upload are there for sure: as many as were written down, unless the disk has lost some.
    func durableOffset(of upload: Upload) throws -> Int64 {
        let key = upload.id.dataKey
        // Once more at the end: it may be finished between the first look and the second.
        let stored = try blobs.open(key)?.count ?? blobs.openPartial(key)?.count ?? blobs.open(key)?.count ?? 0
        return min(stored, upload.offset)
    }

    /// When an upload expires to which nothing comes from now on.
    var uploadExpiry: Date { environment.now().addingTimeInterval(configuration.uploadSeconds) }

    /// Removes an upload's bytes, and what is known of them.
    func removeBytes(of id: UploadID) {
        uploadDigests.keep(nil, of: id)
        blobs.removeBytes(of: id, logger)
    }
}

extension BlobStore {
    /// Removes an upload's bytes. Its row is gone already, or a job's; what cannot be removed is left to the next sweep
    /// (``UploadSweeper``), and holds up nobody.
    func removeBytes(of id: UploadID, _ logger: Logger) {
        do {
            try remove(id.blobPrefix)
        } catch {
            logger.error(
                "an upload's bytes are left to the next sweep", metadata: ["upload": "\(id)", "error": "\(error)"])
        }
    }
}
