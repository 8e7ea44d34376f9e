import Foundation

/// Who may act for a tenant, as the store knows it: the digest of a key, never the key.
public struct APIKey: Hashable, Sendable {
    /// Names the key to those who list and revoke it. No secret.
    public var id: String
    public var tenant: TenantID
    /// What it is for, in its maker's words.
    public var name: String
    /// SHA-256 of the key, 32 bytes.
    public var digest: [UInt8]
    /// `nil`: what the configuration gives to those without a rate of their own.
    public var rate: RequestRate?
    public var createdAt: Date
    /// Coarse: within a minute or so. `nil`: never.
    public var lastUsedAt: Date?
    /// Since when it opens nothing any more.
    public var revokedAt: Date?

    public init(
        id: String, tenant: TenantID, name: String = "", digest: [UInt8], rate: RequestRate? = nil, createdAt: Date,
        lastUsedAt: Date? = nil, revokedAt: Date? = nil
    ) {
        self.id = id
        self.tenant = tenant
        self.name = name
        self.digest = digest
        self.rate = rate
        self.createdAt = createdAt
        self.lastUsedAt = lastUsedAt
        self.revokedAt = revokedAt
    }
}

/// A token bucket's measures.
public struct RequestRate: Hashable, Sendable {
    /// Tokens that come in a second. More than 0.
    public var perSecond: Double
    /// Tokens that the bucket holds: so many requests may come at once. At least 1.
    public var burst: Int

    public init(perSecond: Double, burst: Int) {
        self.perSecond = perSecond
        self.burst = burst
    }

    /// With a bucket of what comes in two seconds.
    public init(perSecond: Double) {
        self.init(perSecond: perSecond, burst: max(1, Int((2 * perSecond).rounded(.up))))
    }
}

/// Where keys are kept. Calls block; they are made on Dispatch threads, never on a connection's.
///
/// Several processes may share a store: what one adds or revokes, the others see at their next look.
public protocol KeyStore: Sendable {
    /// - Throws: ``JobsError/Code/conflict`` where the id or the digest is taken.
    func addKey(_ key: APIKey) throws

    /// All keys, revoked ones too, oldest first.
    func keys() throws -> [APIKey]

    /// Grows whenever a key is added or revoked, and not when one is used: tells cheaply whether to read them again.
    func keysRevision() throws -> Int64

    /// From now on the key opens nothing. Returns it; `nil` where there is none. One that was revoked before stays as
    /// it was.
    func revokeKey(_ id: String) throws -> APIKey?

    /// Notes when keys were used; an earlier time than the known one changes nothing.
    func noteUse(_ times: [String: Date]) throws
}
