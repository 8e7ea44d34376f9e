import Jobs

/// Whether a new job may come in.
struct Admission: Sendable {
    let services: Services

    /// - Parameters:
    ///   - bytes: how much the request announces to bring; 0 where it does not tell.
    ///   - stored: how much of it the tenant is to keep.
    ///   - arriving: what was on its way from the tenant before this, by ``ArrivingBytes``.
    ///   - tenant: who asks. One that has as many queued jobs as it may, or stores as much, is told so also where the queue
    ///     is full.
    /// - Throws: 503 where the service stops or the queue is full, 429 where the tenant's part of it is, 507 where the
    ///   tenant's part of the disk is or the disk's reserve would be touched. Requests that arrive together may all pass:
    ///   the store asks again for the queue, and for a quota of the tenant's own, when it takes the job.
    func check(
        expecting bytes: Int64, storing stored: Int64, after arriving: Int64, from tenant: TenantID
    ) throws {
        if services.health().isStopping { throw Self.stopping }
        // Spares a tenant an upload that the store would refuse, and leaves the others their part of queue and disk.
        var usage = try usage(of: tenant)
        if let limit = usage.quota.queued, usage.isQueueFull { throw JobsError.queueQuota(limit) }
        usage.stored += arriving
        try usage.requireRoom(for: stored)
        try services.configuration.queueCapacity.requireRoom(after: services.store.counts()[.queued] ?? 0)
        try services.space.check(for: bytes)
    }

    /// - Parameter arriving: what was on its way from the tenant before these bytes.
    /// - Throws: 507 where the tenant may not store as much.
    func checkStored(for bytes: Int64, after arriving: Int64 = 0, of tenant: TenantID) throws {
        var usage = try usage(of: tenant)
        usage.stored += arriving
        try usage.requireRoom(for: bytes)
    }

    /// Stores something, unless it is more than the tenant may store. While that lasts it counts as on its way.
    func storing<T>(_ bytes: Int64, of tenant: TenantID, _ body: () throws -> T) throws -> T {
        let arriving = ArrivingShare(services.arriving, of: tenant)
        defer { arriving.end() }
        try checkStored(for: bytes, after: arriving.add(bytes), of: tenant)
        return try body()
    }

    /// With the configuration's quotas where the tenant has none of its own.
    private func usage(of tenant: TenantID) throws -> TenantUsage {
        var usage = try services.store.usage(of: tenant)
        usage.quota.queued = services.configuration.queueCapacity.limit(of: tenant, quota: usage.quota)
        // Without keys there are no others.
        guard tenant != .anonymous else { return usage }
        usage.quota.stored = usage.quota.stored ?? services.configuration.storedBytesPerTenant
        return usage
    }

    static var stopping: Problem {
        Problem(.stopping, "The service is stopping and takes no new jobs.").retryAfter(5)
    }
}
