/// What a tenant may have at a time. `nil`: as much as it likes.
public struct TenantQuota: Hashable, Sendable {
    /// Jobs that wait.
    public var queued: Int?
    /// Jobs that run.
    public var running: Int?
    /// Bytes that its jobs and uploads keep, as ``TenantUsage/stored`` counts them.
    public var stored: Int64?

    public init(queued: Int? = nil, running: Int? = nil, stored: Int64? = nil) {
        self.queued = queued
        self.running = running
        self.stored = stored
    }
}

/// How much of its quota a tenant uses.
public struct TenantUsage: Hashable, Sendable {
    public var queued: Int
    public var running: Int
    /// Bytes of its jobs' sources, results, videos and other forms of results, as long as they are kept, and of uploads
    /// that no job has taken: their length where it is known, else what has come. A source that two jobs share counts for
    /// both. Of long specs, see ``NewJob/storedBytes``.
    public var stored: Int64
    public var quota: TenantQuota

    public init(queued: Int = 0, running: Int = 0, stored: Int64 = 0, quota: TenantQuota = TenantQuota()) {
        self.queued = queued
        self.running = running
        self.stored = stored
        self.quota = quota
    }

    /// Whether a submission would be refused.
    public var isQueueFull: Bool { quota.queued.map { queued >= $0 } ?? false }

    /// - Parameter bytes: what is to come to what is stored.
    /// - Throws: ``JobsError/Code/storedQuotaExceeded`` where that is more than the quota has left.
    public func requireRoom(for bytes: Int64) throws(JobsError) {
        guard let limit = quota.stored, bytes > limit - stored else { return }
        throw .storedQuota(limit, used: stored, adding: bytes)
    }
}

extension JobsError {
    /// A tenant has as many queued jobs as it may have.
    public static func queueQuota(_ limit: Int) -> JobsError {
        JobsError(
            .quotaExceeded,
            "As many jobs as may wait at a time are waiting already (\(limit)). Try again when some are done.",
            limit: limit)
    }

    /// A tenant would store more bytes than it may.
    static func storedQuota(_ limit: Int64, used: Int64, adding bytes: Int64) -> JobsError {
        JobsError(
            .storedQuotaExceeded,
            "Your jobs and uploads keep \(used) bytes of the \(limit) that they may keep, and this needs \(bytes) more. "
                + "Delete jobs or uploads that are no longer needed, or ask who runs the service for more.",
            limit: Int(limit), left: Int(max(0, limit - used)))
    }
}

/// What each tenant may have at a time. A submission over the quota of queued jobs, in place of which the store's
/// ``QueueCapacity`` counts where there is none, or over that of stored bytes, is refused by ``JobStore/submit(_:)``, and an
/// upload over the latter by ``UploadStore/create(_:atMost:)``; one of running jobs holds the tenant's jobs back in
/// ``JobStore/claim(owner:leaseSeconds:)``. A job that was accepted is finished, whatever its result adds to the stored
/// bytes.
public protocol TenantQuotas: Sendable {
    /// Of a tenant that nobody has heard of: nothing, without a quota.
    func usage(of tenant: TenantID) throws -> TenantUsage

    /// Replaces the tenant's quota. What is queued, running or stored already stays.
    func setQuota(_ quota: TenantQuota, of tenant: TenantID) throws

    /// Counts bytes that were added to what a job keeps, after it had ended. Nothing where the job is not kept any more.
    func addStoredBytes(_ bytes: Int64, to job: JobID) throws
}
