/// How many jobs may wait at a time, where a tenant's own quota does not say it. `nil`: as many as come.
public struct QueueCapacity: Hashable, Sendable {
    /// Of all tenants together.
    public var total: Int?
    /// Of each tenant with keys.
    public var perTenant: Int?

    public init(total: Int? = nil, perTenant: Int? = nil) {
        self.total = total
        self.perTenant = perTenant
    }

    /// Of one tenant, whose own quota counts in place of the others' limit. Without keys there are no others.
    public func limit(of tenant: TenantID, quota: TenantQuota = TenantQuota()) -> Int? {
        quota.queued ?? (tenant == .anonymous ? nil : perTenant)
    }
}

extension TenantUsage {
    /// To be asked of what a tenant has together with a new job, in the transaction that adds that.
    ///
    /// - Throws: ``JobsError/Code/quotaExceeded`` or ``JobsError/Code/storedQuotaExceeded`` where it has more than it may.
    public func requireRoom(including new: NewJob, in capacity: QueueCapacity) throws(JobsError) {
        if let limit = capacity.limit(of: new.job.tenant, quota: quota), queued > limit { throw .queueQuota(limit) }
        var before = self
        before.stored -= new.storedBytes
        try before.requireRoom(for: new.storedBytes)
    }
}

extension QueueCapacity {
    /// - Parameter queued: jobs of all tenants that wait, without a new one.
    /// - Throws: ``JobsError/Code/queueFull`` where there is no room for that.
    public func requireRoom(after queued: Int) throws(JobsError) {
        guard let total, queued >= total else { return }
        throw JobsError(.queueFull, "\(queued) jobs are waiting already. Try again when some are done.")
    }
}
