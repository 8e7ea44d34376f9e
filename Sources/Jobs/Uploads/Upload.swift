import Foundation

/// The identifier of an upload: a UUIDv7 in lower case, as a job's is.
public struct UploadID: Hashable, Sendable, CustomStringConvertible {
    private let value: JobID

    /// Takes what a ``JobIDGenerator`` made.
    public init(_ id: JobID) { value = id }

    /// Takes a text that a client sent. `nil` where it is no UUIDv7 in lower case.
    public init?(_ text: some StringProtocol) {
        guard let id = JobID(text) else { return nil }
        value = id
    }

    public var description: String { value.description }
}

/// Where an upload's bytes are.
extension UploadID {
    /// The folder of all uploads' folders.
    public static let blobFolder = "uploads"

    /// `uploads/{id}`: removing it removes everything of the upload.
    public var blobPrefix: String { "\(Self.blobFolder)/\(self)" }

    /// What has come so far, resumable, and the whole once a job wants it.
    public var dataKey: String { "\(blobPrefix)/data" }
}

/// A file that comes in pieces, over as many connections as it takes, until a job takes it.
public struct Upload: Hashable, Sendable {
    public var id: UploadID
    public var tenant: TenantID
    /// Bytes in all; `nil` while the client has not told.
    public var length: Int64?
    /// Bytes that were durable when this was written: what the client was told at most.
    public var offset: Int64
    /// As the client sent it, for it to read again.
    public var metadata: String
    public var createdAt: Date
    /// When it is removed, unless bytes or a job come before.
    public var expiresAt: Date
    /// The job that took it; from then on there are no bytes here any more.
    public var job: JobID?

    public init(
        id: UploadID, tenant: TenantID, length: Int64?, offset: Int64 = 0, metadata: String = "", createdAt: Date,
        expiresAt: Date, job: JobID? = nil
    ) {
        self.id = id
        self.tenant = tenant
        self.length = length
        self.offset = offset
        self.metadata = metadata
        self.createdAt = createdAt
        self.expiresAt = expiresAt
        self.job = job
    }

    /// Whether every byte is there.
    public var isComplete: Bool { length == offset }
}
