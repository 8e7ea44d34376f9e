import Foundation
import Jobs
import Synchronization

/// A store to which the way breaks off: whoever asks about a lease, or publishes, gets no answer until it is back.
final class SilentStore: JobStore {
    private let base: any JobStore
    private let silence = Silence()
    private let publications = Mutex(0)

    init(_ base: any JobStore) { self.base = base }

    /// Outcomes that workers wanted to publish.
    var published: Int { publications.withLock { $0 } }

    func fallSilent() { silence.begin() }

    func speak() { silence.end() }

    func heartbeat(_ lease: Lease, progress: JobProgress, leaseSeconds: Double) throws -> LeaseStatus {
        silence.wait()
        return try base.heartbeat(lease, progress: progress, leaseSeconds: leaseSeconds)
    }

    func status(of lease: Lease) throws -> LeaseStatus {
        silence.wait()
        return try base.status(of: lease)
    }

    func publish(_ outcome: JobOutcome, lease: Lease) throws -> Bool {
        publications.withLock { $0 += 1 }
        silence.wait()
        return try base.publish(outcome, lease: lease)
    }

    // MARK: What goes on as before

    func submit(_ job: Job) throws { try base.submit(job) }
    func submit(_ job: Job, as attempt: IdempotentAttempt) throws -> IdempotentAttempt? {
        try base.submit(job, as: attempt)
    }
    func attempt(key: String, tenant: TenantID) throws -> IdempotentAttempt? {
        try base.attempt(key: key, tenant: tenant)
    }
    func forgetAttempts(limit: Int) throws -> Int { try base.forgetAttempts(limit: limit) }
    func stored(_ id: JobID, tenant: TenantID) throws -> StoredJob? { try base.stored(id, tenant: tenant) }
    func jobs(_ query: JobQuery) throws -> JobPage { try base.jobs(query) }
    func claim(owner: String, leaseSeconds: Double) throws -> ClaimedJob? {
        try base.claim(owner: owner, leaseSeconds: leaseSeconds)
    }
    func describeSource(_ source: JobSource, lease: Lease) throws -> Bool {
        try base.describeSource(source, lease: lease)
    }
    func release(_ lease: Lease) throws -> Bool { try base.release(lease) }
    func expireLeases() throws -> [JobID] { try base.expireLeases() }
    func expireLeases(ofOwner owner: String) throws -> [JobID] { try base.expireLeases(ofOwner: owner) }
    func canceledWithoutWorker(owner: String?) throws -> [ClaimedJob] { try base.canceledWithoutWorker(owner: owner) }
    func failOverdue() throws -> [JobID] { try base.failOverdue() }
    func owners() throws -> Set<String> { try base.owners() }
    func requestCancel(_ id: JobID, tenant: TenantID, ifRevision: Int64?) throws -> Job? {
        try base.requestCancel(id, tenant: tenant, ifRevision: ifRevision)
    }
    func delete(_ id: JobID, tenant: TenantID, ifRevision: Int64?) throws -> Job? {
        try base.delete(id, tenant: tenant, ifRevision: ifRevision)
    }
    func attachVideo(_ key: String, job: JobID) throws -> Bool { try base.attachVideo(key, job: job) }
    func exists(_ id: JobID) throws -> Bool { try base.exists(id) }
    func counts() throws -> [JobStatus: Int] { try base.counts() }
    func usage(of tenant: TenantID) throws -> TenantUsage { try base.usage(of: tenant) }
    func setQuota(_ quota: TenantQuota, of tenant: TenantID) throws { try base.setQuota(quota, of: tenant) }
    func addStoredBytes(_ bytes: Int64, to job: JobID) throws { try base.addStoredBytes(bytes, to: job) }
    func expiredJobs(limit: Int) throws -> [JobID] { try base.expiredJobs(limit: limit) }
    func markPurged(_ ids: [JobID]) throws { try base.markPurged(ids) }
    func purgedJobs(until time: Date, limit: Int) throws -> [JobID] { try base.purgedJobs(until: time, limit: limit) }
    func removePurged(_ ids: [JobID]) throws { try base.removePurged(ids) }
    func scheduleExpiry(after id: JobID?, limit: Int) throws -> JobID? {
        try base.scheduleExpiry(after: id, limit: limit)
    }
    func offer(_ parts: [JobPart], lease: Lease) throws -> Bool { try base.offer(parts, lease: lease) }
    func claimPart(owner: String, leaseSeconds: Double) throws -> ClaimedPart? {
        try base.claimPart(owner: owner, leaseSeconds: leaseSeconds)
    }
    func takeBack(atMost count: Int, lease: Lease) throws -> [JobPart] {
        try base.takeBack(atMost: count, lease: lease)
    }
    func offeredParts(lease: Lease) throws -> [OfferedPart] { try base.offeredParts(lease: lease) }
}

/// A gate that stands open until it is shut.
///
/// `@unchecked Sendable`: `isSilent` is guarded by `condition`.
private final class Silence: @unchecked Sendable {
    private let condition = NSCondition()
    private var isSilent = false

    func begin() { condition.withLock { isSilent = true } }

    func end() {
        condition.withLock { isSilent = false }
        condition.broadcast()
    }

    func wait() {
        condition.withLock { while isSilent { condition.wait() } }
    }
}
