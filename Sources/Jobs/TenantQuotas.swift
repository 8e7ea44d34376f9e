/// How many jobs a tenant may have in a state. `nil`: as many as it likes.
public struct TenantQuota: Hashable, Sendable {
    public var queued: Int?
    public var running: Int?

    public init(queued: Int? = nil, running: Int? = nil) {
        self.queued = queued
        self.running = running
    }
}

/// How much of its quota a tenant uses.
public struct TenantUsage: Hashable, Sendable {
    public var queued: Int
    public var running: Int
    public var quota: TenantQuota

    public init(queued: Int = 0, running: Int = 0, quota: TenantQuota = TenantQuota()) {
        self.queued = queued
        self.running = running
        self.quota = quota
    }

    /// Whether a submission would be refused.
    public var isQueueFull: Bool { quota.queued.map { queued >= $0 } ?? false }
}

extension JobsError {
    /// A tenant has as many queued jobs as it may have.
    public static func queueQuota(_ limit: Int) -> JobsError {
        JobsError(
            .quotaExceeded,
            "As many jobs as may wait at a time are waiting already (\(limit)). Try again when some are done.",
            limit: limit)
    }
}

/// What each tenant may have at a time. A submission over the quota of queued jobs is refused by ``JobStore/submit(_:)``;
/// one of running jobs holds the tenant's jobs back in ``JobStore/claim(owner:leaseSeconds:)``.
public protocol TenantQuotas: Sendable {
    /// Of a tenant that nobody has heard of: nothing, without a quota.
    func usage(of tenant: TenantID) throws -> TenantUsage

    /// Replaces the tenant's quota. What is queued or running already stays.
    func setQuota(_ quota: TenantQuota, of tenant: TenantID) throws
}
