import Foundation

/// Who a job belongs to. Without keys there is one tenant, ``anonymous``.
public struct TenantID: Hashable, Sendable {
    public let name: String
    public init(_ name: String) { self.name = name }
    public static let anonymous = TenantID("anonymous")
}

/// `queued → running → succeeded | failed | canceled`, and `running → queued` when a lease runs out.
public enum JobStatus: String, CaseIterable, Sendable {
    case queued, running, succeeded, failed, canceled

    /// Whether the job has ended and will not change any more.
    public var isFinal: Bool { self == .succeeded || self == .failed || self == .canceled }
}

/// Why a job failed: a code that programs can act on and a sentence that people can. Thrown where a job is run.
public struct JobFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// An open set; the known ones are the constants below.
    public struct Code: Hashable, Sendable, RawRepresentable {
        public let rawValue: String
        public init(rawValue: String) { self.rawValue = rawValue }

        /// The worker died or lost its lease three times.
        public static let workerLost = Code(rawValue: "worker_lost")
        /// The source cannot be decoded.
        public static let undecodable = Code(rawValue: "undecodable")
        /// The decoder process died twice.
        public static let decoderCrashed = Code(rawValue: "decoder_crashed")
        /// The decoder process made no progress for too long.
        public static let decoderTimeout = Code(rawValue: "decoder_timeout")
        /// A limit on pixels, frames or bytes was passed.
        public static let limitExceeded = Code(rawValue: "limit_exceeded")
        /// The spec does not fit the video: a box outside its frame, a keyframe past its end.
        public static let invalidSpec = Code(rawValue: "invalid_spec")
        /// `deadline_seconds` passed.
        public static let deadlineExceeded = Code(rawValue: "deadline_exceeded")
        /// No space left on the device.
        public static let storageFull = Code(rawValue: "storage_full")
        /// A fault of the service.
        public static let internalError = Code(rawValue: "internal")
    }

    public var code: Code
    /// For the client: what was wrong, where, what to do. No internals.
    public var message: String
    /// The frame it happened in, where it was one.
    public var frame: Int?
    /// A JSON pointer into the spec, where the spec was at fault.
    public var pointer: String?

    public init(code: Code, message: String, frame: Int? = nil, pointer: String? = nil) {
        self.code = code
        self.message = message
        self.frame = frame
        self.pointer = pointer
    }

    public var description: String { "\(code.rawValue): \(message)" }
}

/// What was uploaded, and what the decoder found in it.
public struct JobSource: Hashable, Sendable {
    public enum Kind: String, CaseIterable, Sendable {
        /// A video container.
        case video
        /// A zip or tar of images, as it was sent.
        case archive
        /// Images that were sent one by one, packed into a tar on arrival.
        case frames
    }

    public var kind: Kind
    /// Key in the ``BlobStore``.
    public var blobKey: String
    public var bytes: Int64
    /// Lower-case hexadecimal.
    public var sha256: String
    /// The name the client gave the file, for display only.
    public var fileName: String?
    /// The rest is known once a decoder has opened the source.
    public var width: Int?
    public var height: Int?
    public var frameRate: Double?
    public var codec: String?
    /// As the container has it; `nil` also where that does not tell.
    public var frameCount: Int?

    public init(
        kind: Kind, blobKey: String, bytes: Int64, sha256: String, fileName: String? = nil, width: Int? = nil,
        height: Int? = nil, frameRate: Double? = nil, codec: String? = nil, frameCount: Int? = nil
    ) {
        self.frameCount = frameCount
        self.kind = kind
        self.blobKey = blobKey
        self.bytes = bytes
        self.sha256 = sha256
        self.fileName = fileName
        self.width = width
        self.height = height
        self.frameRate = frameRate
        self.codec = codec
    }
}

/// How far a job's attempt has come, or came before the job ended. A further attempt begins at 0.
public struct JobProgress: Hashable, Sendable {
    /// Frames that all targets were followed through.
    public var framesDone: Int
    /// `nil` while it is not known. May be an estimate until the job has succeeded.
    public var framesTotal: Int?
    /// The mean since the attempt began to track; 0 before.
    public var framesPerSecond: Double

    public init(framesDone: Int = 0, framesTotal: Int? = nil, framesPerSecond: Double = 0) {
        self.framesDone = framesDone
        self.framesTotal = framesTotal
        self.framesPerSecond = framesPerSecond
    }
}

/// A job as the store knows it.
public struct Job: Hashable, Sendable {
    public var id: JobID
    public var tenant: TenantID
    public var status: JobStatus
    public var spec: JobSpec
    public var source: JobSource
    public var createdAt: Date
    public var startedAt: Date?
    public var finishedAt: Date?
    /// How often it was claimed; 0 before the first claim.
    public var attempt: Int
    public var cancelRequested: Bool
    public var progress: JobProgress
    public var failure: JobFailure?
    /// Key of the NDJSON result: complete when `succeeded`, what there was when `failed` or `canceled`.
    public var resultKey: String?
    /// Key of the annotated video.
    public var videoKey: String?
    /// When source and results go, once the job has ended; `nil`: they are kept.
    public var expiresAt: Date?
    /// Grows with every change of the row; the entity tag of the job.
    public var revision: Int64
    /// Of a job that was just submitted.
    public static let firstRevision: Int64 = 1
    /// The trace that it was submitted in (W3C Trace Context's trace-id), for the log.
    public var traceID: String?

    public init(
        id: JobID, tenant: TenantID, status: JobStatus = .queued, spec: JobSpec, source: JobSource, createdAt: Date,
        startedAt: Date? = nil, finishedAt: Date? = nil, attempt: Int = 0, cancelRequested: Bool = false,
        progress: JobProgress = JobProgress(), failure: JobFailure? = nil, resultKey: String? = nil,
        videoKey: String? = nil, expiresAt: Date? = nil, revision: Int64 = firstRevision, traceID: String? = nil
    ) {
        self.id = id
        self.tenant = tenant
        self.status = status
        self.spec = spec
        self.source = source
        self.createdAt = createdAt
        self.startedAt = startedAt
        self.finishedAt = finishedAt
        self.attempt = attempt
        self.cancelRequested = cancelRequested
        self.progress = progress
        self.failure = failure
        self.resultKey = resultKey
        self.videoKey = videoKey
        self.expiresAt = expiresAt
        self.revision = revision
        self.traceID = traceID
    }
}
