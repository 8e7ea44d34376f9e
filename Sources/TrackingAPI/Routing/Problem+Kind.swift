extension Problem.Kind {
    public static let malformed = Self("malformed-request", 400, "The request is malformed")
    public static let unauthorized = Self("unauthorized", 401, "This needs a key")
    public static let notFound = Self("not-found", 404, "There is no such thing")
    public static let methodNotAllowed = Self("method-not-allowed", 405, "The method is not allowed here")
    public static let notAcceptable = Self("not-acceptable", 406, "None of the accepted formats can be made")
    public static let notReady = Self("not-ready", 409, "This is not ready yet")
    public static let conflict = Self("conflict", 409, "The job's state does not allow this")
    public static let keyInFlight = Self("idempotency-key-in-flight", 409, "The first request with this key goes on")
    public static let gone = Self("gone", 410, "This is not kept any more")
    public static let lengthRequired = Self("length-required", 411, "The body's length is missing")
    public static let preconditionFailed = Self("precondition-failed", 412, "This is another version")
    public static let tooLarge = Self("too-large", 413, "The request is too large")
    public static let unsupportedMediaType = Self("unsupported-media-type", 415, "This content cannot be tracked")
    public static let rangeNotSatisfiable = Self("range-not-satisfiable", 416, "The range lies outside the content")
    public static let invalid = Self("invalid", 422, "The request does not make sense")
    public static let keyReused = Self("idempotency-key-reused", 422, "The key was used for another request")
    public static let rateLimited = Self("rate-limited", 429, "Too many requests")
    public static let quotaExceeded = Self("queue-quota-exceeded", 429, "Too many jobs are waiting")
    public static let tooManyUploads = Self("too-many-uploads", 429, "Too many uploads are open")
    public static let tooManyStreams = Self("too-many-streams", 429, "Too many streams are open")
    public static let targetTooLong = Self("target-too-long", 414, "The request's target is too long")
    public static let expectationFailed = Self("expectation-failed", 417, "The expectation cannot be met")
    public static let headTooLarge = Self("head-too-large", 431, "The request's head is too large")
    public static let internalError = Self("internal", 500, "The service is at fault")
    public static let unavailable = Self("unavailable", 503, "The service cannot do this now")
    public static let decodeTimeout = Self("decode-timeout", 503, "This takes too long to decode")
    public static let queueFull = Self("queue-full", 503, "The queue is full")
    public static let stopping = Self("stopping", 503, "The service is stopping")
    public static let notAlive = Self("not-ready-to-serve", 503, "The service is not ready")
    public static let versionNotSupported = Self("version-not-supported", 505, "This HTTP version is not spoken here")
    public static let storageFull = Self("storage-full", 507, "The storage is full")
    public static let storedQuotaExceeded = Self(
        "stored-quota-exceeded", 507, "Your jobs and uploads keep as much as they may")

    /// The kind for a status that another module chose.
    static func of(status: Int) -> Self {
        let known: [Self] = [
            .malformed, .notFound, .methodNotAllowed, .lengthRequired, .tooLarge, .targetTooLong, .unsupportedMediaType,
            .expectationFailed, .headTooLarge, .internalError, .unavailable, .versionNotSupported, .storageFull,
        ]
        return known.first { $0.status == status } ?? Self("status-\(status)", status, "Status \(status)")
    }
}
