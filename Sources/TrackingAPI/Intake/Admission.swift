import Jobs

/// Whether a new job may come in.
struct Admission: Sendable {
    let services: Services

    /// - Parameters:
    ///   - bytes: how much the request announces to bring; 0 where it does not tell.
    ///   - tenant: who asks. One that has as many queued jobs as it may is told so also where the queue is full.
    /// - Throws: 503 where the service stops or the queue is full, 429 where the tenant's part of it is, 507 where the
    ///   disk's reserve would be touched. Requests that arrive together may pass the limits of the configuration by
    ///   their number; a quota of the tenant's own is held by the store.
    func check(expecting bytes: Int64, from tenant: TenantID) throws {
        if services.health().isStopping { throw Self.stopping }
        try checkQuota(of: tenant)
        try checkQueue()
        try services.space.check(for: bytes)
    }

    /// Spares a tenant an upload that the store would refuse, and leaves the others their part of the queue.
    private func checkQuota(of tenant: TenantID) throws {
        var usage = try services.store.usage(of: tenant)
        // Without keys there are no others.
        if usage.quota.queued == nil, tenant != .anonymous {
            usage.quota.queued = services.configuration.queuedJobsPerTenant
        }
        if let limit = usage.quota.queued, usage.isQueueFull { throw JobsError.queueQuota(limit) }
    }

    private func checkQueue() throws {
        let queued = try services.store.counts()[.queued] ?? 0
        guard queued < services.configuration.queuedJobs else {
            throw Problem(.queueFull, "\(queued) jobs are waiting already. Try again when some are done.")
                .retryAfter(10)
        }
    }

    static var stopping: Problem {
        Problem(.stopping, "The service is stopping and takes no new jobs.").retryAfter(5)
    }
}
