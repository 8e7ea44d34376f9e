import Foundation

/// Keys to sign with.
struct S3Credentials: Hashable, Sendable {
    var accessKey: String
    var secretKey: String
    /// Of keys that expire.
    var sessionToken: String?
    var expiresAt: Date?
    /// Where they came from, for messages.
    var source: String
}

/// No keys were found, or what should hold them cannot be read; for the person who runs the service.
struct S3CredentialsMissing: Error {
    var message: String
    /// Whether there were keys before, and may be again.
    var isPassing = false
}

/// Gives keys, new ones before the old ones expire. Blocks where they come from another machine.
protocol S3CredentialSource: Sendable {
    /// - Throws: ``S3CredentialsMissing``, ``HTTPFailure``.
    func current() throws -> S3Credentials
    /// The keys were refused: the next call looks for them anew.
    func forget()
}
