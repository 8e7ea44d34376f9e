import Foundation

/// A submission that its client has named, so that a retry does not double the job (IETF
/// draft-ietf-httpapi-idempotency-key-header).
public struct IdempotentAttempt: Hashable, Sendable {
    /// The client's name for it. Each tenant has its own.
    public var key: String
    /// Digest of what is asked for: a retry has the same.
    public var fingerprint: String
    /// What the first answer was, as far as a retry does not bring it along. Short: it outlives the job.
    public var answer: [UInt8]

    public init(key: String, fingerprint: String, answer: [UInt8]) {
        self.key = key
        self.fingerprint = fingerprint
        self.answer = answer
    }
}

/// Submissions that happen once however often they are tried.
public protocol IdempotentSubmission: Sendable {
    /// Keeps the job and the attempt in one transaction, unless the tenant has used the key within
    /// ``IdempotencyLimits/seconds``.
    ///
    /// - Returns: `nil` where the job is kept; the earlier attempt with this key where it is not.
    func submit(_ job: Job, as attempt: IdempotentAttempt) throws -> IdempotentAttempt?

    /// The attempt that a tenant's key stands for; `nil` where it was not used, or too long ago.
    func attempt(key: String, tenant: TenantID) throws -> IdempotentAttempt?

    /// Removes attempts that are older than ``IdempotencyLimits/seconds``. Returns how many.
    func forgetAttempts(limit: Int) throws -> Int
}

public enum IdempotencyLimits {
    /// How long a key is remembered: a day.
    public static let seconds = 86_400.0
}
