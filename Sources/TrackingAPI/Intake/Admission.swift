import Jobs

/// Whether a new job may come in.
struct Admission: Sendable {
    let services: Services

    /// - Parameter bytes: how much the request announces to bring; 0 where it does not tell.
    /// - Throws: 503 where the service stops or the queue is full, 507 where the disk's reserve would be touched.
    ///   Requests that arrive together may pass the queue's limit by their number.
    func check(expecting bytes: Int64) throws {
        if services.health().isStopping { throw Self.stopping }
        try checkQueue()
        try checkSpace(for: bytes)
    }

    /// Spares a tenant an upload that the store would refuse.
    func checkQuota(of tenant: TenantID) throws {
        let usage = try services.store.usage(of: tenant)
        if let limit = usage.quota.queued, usage.isQueueFull { throw JobsError.queueQuota(limit) }
    }

    private func checkQueue() throws {
        let queued = try services.store.counts()[.queued] ?? 0
        guard queued < services.configuration.queuedJobs else {
            throw Problem(.queueFull, "\(queued) jobs are waiting already. Try again when some are done.")
                .retryAfter(10)
        }
    }

    func checkSpace(for bytes: Int64) throws {
        let free = try services.blobs.availableBytes() - services.configuration.diskReserveBytes
        guard free > 0, bytes <= free else {
            throw Problem.noSpace(cause: "\(free) bytes are free beside the reserve, \(bytes) are expected")
        }
    }

    static var stopping: Problem {
        Problem(.stopping, "The service is stopping and takes no new jobs.").retryAfter(5)
    }
}
