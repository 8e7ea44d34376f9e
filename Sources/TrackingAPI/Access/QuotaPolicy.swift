/// What answers say of quotas: draft-ietf-httpapi-ratelimit-headers-10. A policy without a window (`w`) counts what there
/// is at a time; when that becomes less, nobody knows.
enum QuotaPolicy {
    /// How much there may be.
    static let field = "RateLimit-Policy"
    /// How much is left.
    static let usageField = "RateLimit"

    /// The names of policies, beside the bucket's.
    static let queuedJobs = "queued-jobs"
    static let openUploads = "open-uploads"
    static let openStreams = "open-streams"
    static let storedBytes = "stored-bytes"
}
