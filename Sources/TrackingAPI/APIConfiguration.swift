import Foundation
import HTTPServer
import Jobs

/// What the API accepts. Numbers that are keys of `config/lktrack.yaml` name them.
public struct APIConfiguration: Hashable, Sendable {
    /// Which routes there are.
    public enum Scope: Hashable, Sendable {
        case everything
        /// `/healthz`, `/readyz` and `/metrics`: of a process that answers no clients.
        case operations
    }

    public var scope = Scope.everything
    /// `limits.upload_bytes`: the largest body of `POST /v1/jobs`, and the longest upload.
    public var uploadBytes: Int64 = 4 << 30
    /// `limits.upload_seconds`: how long an upload is kept that no byte comes to and no job takes.
    public var uploadSeconds = 86_400.0
    /// `limits.open_uploads`: of a tenant at a time, neither taken by a job nor expired; one more is answered with 429.
    public var openUploads = 1000
    /// `limits.frames`: the most `frame` files in one upload.
    public var frames = 1_000_000
    /// `limits.queued_jobs`: with so many jobs waiting, new ones are answered with 503.
    public var queuedJobs = 10_000
    /// `limits.queued_jobs_per_tenant`: with so many jobs of a tenant with keys waiting, its new ones are answered with
    /// 429, unless it has a quota of its own; `nil`: as many as the queue takes.
    public var queuedJobsPerTenant: Int? = 2_500
    /// `limits.stored_bytes_per_tenant`: with so many bytes of jobs and uploads kept for a tenant with keys, its new ones are
    /// answered with 507, unless it has a quota of its own; `nil`: as many as the disk takes.
    public var storedBytesPerTenant: Int64?
    /// `limits.requests_per_second`: of the anonymous tenant, and of each key that was made without a rate; `nil`: as
    /// many as come.
    public var requestRate: RequestRate?
    /// `limits.disk_reserve_bytes`: an upload that would leave less is answered with 507.
    public var diskReserveBytes: Int64 = 256 << 20
    /// Single frames decoded at a time; a request for one more is answered with 503. Each holds one of the server's
    /// handler threads, half of which at most are held by decodes and ``exports``: the others are for reads, which are
    /// over in no time.
    public var frameDecodes = max(
        2, min(ProcessInfo.processInfo.activeProcessorCount, HTTPServerConfiguration().handlerThreads / 4))

    /// Requests at a time that make a result in another form, or wait for one that does; one more is answered with 503.
    /// Each holds one of the server's handler threads.
    public var exports = max(2, HTTPServerConfiguration().handlerThreads / 4)
    /// Threads that make slices and partial results while they are sent.
    public var conversionThreads = max(2, ProcessInfo.processInfo.activeProcessorCount)
    /// Slices and partial results that are sent at a time; a request for one more is answered with 503.
    public var conversions = 128
    /// Threads that read what is sent of blobs in a bucket, and as many that answer requests that look for one there: each
    /// waits for the bucket's answers.
    public var bucketThreads = 16
    /// Requests that look for blobs in a bucket at a time; one more is answered with 503.
    public var bucketRequests = 256
    /// Blobs in a bucket that are sent at a time; a request for one more is answered with 503. Each holds the part of it
    /// that was read last: 64 KiB, and of 128 MiB that all readers have together as much as makes it 2 MiB.
    public var bucketBodies = 512
    /// Connections that may be held at a time by clients that wait: event streams, results that are followed, and held
    /// answers. The others stay for requests that are answered at once. One stream more is answered with 503, and what
    /// would be held is answered.
    public var streams = Self.streams(of: HTTPServerConfiguration().connections)
    /// `server.streams_per_tenant`: of these, connections of a tenant with keys; one stream more is answered with 429.
    public var streamsPerTenant = HTTPServerConfiguration().connections / 2
    /// Videos rendered at a time, each with a decoder process and an encoder, beside the workers.
    public var renderings = max(1, ProcessInfo.processInfo.activeProcessorCount / 2)
    /// Videos that may wait to be rendered; a request for one more is answered with 503.
    public var waitingRenderings = 256

    /// `server.origins`: sites whose pages may show jobs in a frame and read answers.
    public var origins: [String] = []

    /// What a job may ask to be called back at.
    public var webhooks = WebhookPolicy()

    public init() {}

    /// What the store is to hold submissions to; it is asked for beforehand, too, to spare uploads that it would refuse.
    public var queueCapacity: QueueCapacity { QueueCapacity(total: queuedJobs, perTenant: queuedJobsPerTenant) }

    /// How many of a server's connections may be held by clients that wait: three quarters.
    public static func streams(of connections: Int) -> Int { max(1, connections - connections / 4) }

    /// - Throws: an error that names the first key with a value that cannot be.
    public func validate() throws(APIConfigurationError) {
        try Self.require(uploadBytes > 0, "limits.upload_bytes", "must be more than 0, not \(uploadBytes)")
        try Self.require(uploadSeconds >= 1, "limits.upload_seconds", "must be at least 1, not \(uploadSeconds)")
        try Self.require(openUploads > 0, "limits.open_uploads", "must be more than 0, not \(openUploads)")
        try Self.require(frames > 0, "limits.frames", "must be more than 0, not \(frames)")
        try Self.require(frameDecodes > 0, "frameDecodes", "must be more than 0, not \(frameDecodes)")
        try Self.require(exports > 0, "exports", "must be more than 0, not \(exports)")
        let handlerThreads = HTTPServerConfiguration().handlerThreads
        try Self.require(
            exports + frameDecodes < handlerThreads, "exports",
            "and frameDecodes must be less than the \(handlerThreads) handler threads, not \(exports) and \(frameDecodes)"
        )
        try Self.require(
            conversionThreads > 0, "conversionThreads", "must be more than 0, not \(conversionThreads)")
        try Self.require(conversions > 0, "conversions", "must be more than 0, not \(conversions)")
        try Self.require(bucketThreads > 0, "bucketThreads", "must be more than 0, not \(bucketThreads)")
        try Self.require(bucketBodies > 0, "bucketBodies", "must be more than 0, not \(bucketBodies)")
        try Self.require(streams > 0, "streams", "must be more than 0, not \(streams)")
        try Self.require(
            streamsPerTenant > 0, "server.streams_per_tenant", "must be more than 0, not \(streamsPerTenant)")
        try Self.require(renderings > 0, "renderings", "must be more than 0, not \(renderings)")
        try Self.require(
            waitingRenderings > 0, "waitingRenderings", "must be more than 0, not \(waitingRenderings)")
        try Self.require(queuedJobs > 0, "limits.queued_jobs", "must be more than 0, not \(queuedJobs)")
        try Self.require(
            queuedJobsPerTenant.map { $0 > 0 } ?? true, "limits.queued_jobs_per_tenant",
            "must not be negative, but is \(queuedJobsPerTenant ?? 0)")
        try Self.require(
            storedBytesPerTenant.map { $0 > 0 } ?? true, "limits.stored_bytes_per_tenant",
            "must not be negative, but is \(storedBytesPerTenant ?? 0)")
        try Self.require(
            diskReserveBytes >= 0, "limits.disk_reserve_bytes", "must not be negative, but is \(diskReserveBytes)")
    }

    private static func require(
        _ holds: Bool, _ key: String, _ message: @autoclosure () -> String
    ) throws(APIConfigurationError) {
        guard holds else { throw APIConfigurationError(key: key, message: message()) }
    }
}

/// A configuration value that cannot be.
public struct APIConfigurationError: Error, Hashable, Sendable, CustomStringConvertible {
    /// `limits.upload_bytes`
    public let key: String
    public let message: String

    public var description: String { "\(key) \(message)" }
}

/// Sizes that are part of the interface rather than of the configuration.
enum APILimits {
    /// The JSON of a spec, as a part or as a body, or of its targets as a field: the keyframes and points of a target, as
    /// many as ``SpecLimits`` has, fit several times.
    static let specBytes = 2 << 20
    /// The JSON of boxes that are judged.
    static let boxesBytes = 64 * 1024
    /// A picture that boxes are judged on, with its form.
    static let imageBytes = 64 << 20
    /// One other form field.
    static let fieldBytes = 8 * 1024
    /// Form fields in one request, and `roi`s among them.
    static let fields = 256
    /// The names and values of a request's fields together, spec and targets among them: the longest of them fits, with
    /// much beside it.
    static let textBytes = specBytes + 256 * 1024
    /// Text that any request, or its answer, may have whatever others have.
    static let ordinaryTextBytes = 16 * 1024
    /// What all requests and answers together may have of longer text.
    static let allTextBytes = 64 << 20
    /// What a source is recognised by; a tar header (512 bytes) and a few packets of a transport stream fit.
    static let recognitionBytes = 4096
    /// What is copied or sent at a time.
    static let chunkBytes = 256 * 1024
    /// Jobs on one page of a list.
    static let pageSize = 1...200
    static let defaultPageSize = 50
    /// The longest that an answer is held, in seconds (`Prefer: wait=N`).
    static let waitSeconds = 60
}
