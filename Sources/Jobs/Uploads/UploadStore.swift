import Foundation

/// What became of a named submission of an upload.
public enum UploadSubmission: Hashable, Sendable {
    /// The job is kept, and has the upload.
    case kept
    /// The key was used before, for this: nothing is kept.
    case repeated(IdempotentAttempt)
    /// The upload is gone, not complete, or taken already: nothing is kept.
    case unavailable
}

/// Where it is written how far uploads have come. Their bytes are in a ``BlobStore``.
///
/// Who writes keeps to an order, so that no row promises bytes that are not there and no bytes stay without a row for
/// ever: the row before the first byte, bytes durable before the offset, the row gone before the bytes are removed.
///
/// Every implementation passes the contract suite in `Tests/JobStoreContract`.
public protocol UploadStore: Sendable {
    /// Keeps a new upload. When it returns, the upload survives power loss.
    ///
    /// - Parameter most: of the tenant's uploads that neither a job has taken nor have expired, this one included.
    /// - Returns: `false`, and nothing is kept, where there are so many already.
    /// - Throws: ``JobsError/Code/storedQuotaExceeded`` where its length is more than the tenant may store; nothing is kept.
    func create(_ upload: Upload, atMost most: Int) throws -> Bool

    /// `nil` where there is none, or it belongs to another tenant.
    func upload(_ id: UploadID, tenant: TenantID) throws -> Upload?

    /// When an upload that is not there any more has expired, as long as that is remembered
    /// (``UploadLimits/rememberedSeconds``). `nil` for any other.
    func expiry(of id: UploadID, tenant: TenantID) throws -> Date?

    /// Writes down that bytes have become durable. The offset may go back, where bytes that it promised were lost.
    ///
    /// - Parameters:
    ///   - upload: as it was read or returned last. Nothing changes where its offset is another by now: somebody else
    ///     wrote to it.
    ///   - length: the same as before, or the first that is known.
    /// - Returns: the upload as it is now; `nil` where nothing was changed, because it has changed otherwise, a job has
    ///   taken it, or it is gone.
    /// - Throws: ``JobsError/Code/storedQuotaExceeded`` where it would be more than the tenant may store; nothing changes.
    func advance(_ upload: Upload, to offset: Int64, length: Int64?, expiresAt: Date) throws -> Upload?

    /// Removes the row. Returns the upload as it was, `nil` where there was none of this tenant's.
    func delete(_ id: UploadID, tenant: TenantID) throws -> Upload?

    /// ``JobStore/submit(_:)`` for a job whose source was an upload of its tenant's, which belongs to the job from then
    /// on; both in one transaction.
    ///
    /// - Returns: `false` where the upload is gone, not complete, or taken already: there is no job then.
    func submit(_ job: Job, taking upload: UploadID) throws -> Bool

    /// The same as ``IdempotentSubmission/submit(_:as:)``; all in one transaction.
    func submit(_ job: Job, taking upload: UploadID, as attempt: IdempotentAttempt) throws -> UploadSubmission

    /// Removes the uploads whose time is over. Returns their ids, each once.
    func expireUploads() throws -> [UploadID]

    /// Whether there is such an upload, whoever owns it, that no job has taken; for sweeping orphaned blobs.
    func isOpen(_ id: UploadID) throws -> Bool
}

extension UploadStore {
    /// Keeps a new upload, however many there are.
    public func create(_ upload: Upload) throws { _ = try create(upload, atMost: .max) }
}

/// What holds for uploads in every store.
public enum UploadLimits {
    /// How long it is remembered that an upload has expired: as long as an expired job is listed.
    public static let rememberedSeconds = 7.0 * 86_400
}
