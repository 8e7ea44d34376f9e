import Foundation
import Jobs

/// A store that does nothing but hand on to another: what stands between a store and its user is one with some methods of
/// its own.
///
/// `@unchecked Sendable`: nothing in it changes; what a subclass adds has a lock of its own.
open class PassingStore: JobStore, QueueStatistics, ChangeCount, @unchecked Sendable {
    /// What this hands on to.
    public typealias Base = JobStore & QueueStatistics & ChangeCount

    public let base: any Base

    public init(_ base: any Base) { self.base = base }

    open func heartbeat(_ lease: Lease, progress: JobProgress, leaseSeconds: Double) throws -> LeaseStatus {
        try base.heartbeat(lease, progress: progress, leaseSeconds: leaseSeconds)
    }
    open func status(of lease: Lease) throws -> LeaseStatus { try base.status(of: lease) }
    open func publish(_ outcome: JobOutcome, lease: Lease) throws -> Bool {
        try base.publish(outcome, lease: lease)
    }
    open func submit(_ job: Job) throws { try base.submit(job) }
    open func submit(_ job: Job, as attempt: IdempotentAttempt) throws -> IdempotentAttempt? {
        try base.submit(job, as: attempt)
    }
    open func attempt(key: String, tenant: TenantID) throws -> IdempotentAttempt? {
        try base.attempt(key: key, tenant: tenant)
    }
    open func forgetAttempts(limit: Int) throws -> Int { try base.forgetAttempts(limit: limit) }
    open func stored(_ id: JobID, tenant: TenantID) throws -> StoredJob? { try base.stored(id, tenant: tenant) }
    open func jobs(_ query: JobQuery) throws -> JobPage { try base.jobs(query) }
    open func claim(owner: String, leaseSeconds: Double) throws -> ClaimedJob? {
        try base.claim(owner: owner, leaseSeconds: leaseSeconds)
    }
    open func describeSource(_ source: JobSource, lease: Lease) throws -> Bool {
        try base.describeSource(source, lease: lease)
    }
    open func release(_ lease: Lease) throws -> Bool { try base.release(lease) }
    open func expireLeases() throws -> [JobID] { try base.expireLeases() }
    open func expireLeases(ofOwner owner: String) throws -> [JobID] { try base.expireLeases(ofOwner: owner) }
    open func canceledWithoutWorker(owner: String?) throws -> [ClaimedJob] {
        try base.canceledWithoutWorker(owner: owner)
    }
    open func failOverdue() throws -> [JobID] { try base.failOverdue() }
    open func owners() throws -> Set<String> { try base.owners() }
    open func requestCancel(_ id: JobID, tenant: TenantID, ifRevision: Int64?) throws -> Job? {
        try base.requestCancel(id, tenant: tenant, ifRevision: ifRevision)
    }
    open func delete(_ id: JobID, tenant: TenantID, ifRevision: Int64?) throws -> Job? {
        try base.delete(id, tenant: tenant, ifRevision: ifRevision)
    }
    open func attachVideo(_ key: String, job: JobID) throws -> Bool { try base.attachVideo(key, job: job) }
    open func exists(_ id: JobID) throws -> Bool { try base.exists(id) }
    open func counts() throws -> [JobStatus: Int] { try base.counts() }
    open func usage(of tenant: TenantID) throws -> TenantUsage { try base.usage(of: tenant) }
    open func setQuota(_ quota: TenantQuota, of tenant: TenantID) throws { try base.setQuota(quota, of: tenant) }
    open func addStoredBytes(_ bytes: Int64, to job: JobID) throws { try base.addStoredBytes(bytes, to: job) }
    open func expiredJobs(limit: Int) throws -> [JobID] { try base.expiredJobs(limit: limit) }
    open func markPurged(_ ids: [JobID]) throws { try base.markPurged(ids) }
    open func purgedJobs(until time: Date, limit: Int) throws -> [JobID] {
        try base.purgedJobs(until: time, limit: limit)
    }
    open func removePurged(_ ids: [JobID]) throws { try base.removePurged(ids) }
    open func scheduleExpiry(after id: JobID?, limit: Int) throws -> JobID? {
        try base.scheduleExpiry(after: id, limit: limit)
    }
    open func offer(_ parts: [JobPart], lease: Lease) throws -> Bool { try base.offer(parts, lease: lease) }
    open func claimPart(owner: String, leaseSeconds: Double) throws -> ClaimedPart? {
        try base.claimPart(owner: owner, leaseSeconds: leaseSeconds)
    }
    open func takeBack(atMost count: Int, lease: Lease) throws -> [JobPart] {
        try base.takeBack(atMost: count, lease: lease)
    }
    open func offeredParts(lease: Lease) throws -> [OfferedPart] { try base.offeredParts(lease: lease) }
    open func oldestQueued() throws -> Date? { try base.oldestQueued() }
    open func endings() throws -> JobEndings { try base.endings() }
    open func deliveryFigures() throws -> DeliveryFigures { try base.deliveryFigures() }
    open func changeCount() -> Int64? { base.changeCount() }
}
