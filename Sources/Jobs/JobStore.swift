import Foundation

/// The right to work on a job, or on a part of it, for a while. Each claim makes a new token; whatever a worker writes
/// carries it, so that a worker that was stopped past its lease can publish nothing.
public struct Lease: Hashable, Sendable {
    public var job: JobID
    /// The number of the ``JobPart`` that it is for; `nil`: the job as a whole.
    public var part: Int?
    /// 128 random bits, hexadecimal.
    public var token: String
    public var expiresAt: Date

    public init(job: JobID, part: Int? = nil, token: String, expiresAt: Date) {
        self.job = job
        self.part = part
        self.token = token
        self.expiresAt = expiresAt
    }
}

/// A job that a worker has taken, and its right to work on it.
public struct ClaimedJob: Sendable {
    /// As it is from the claim on: `running`, and this attempt counted.
    public var job: Job
    /// Of the job as a whole: it has no ``Lease/part``.
    public var lease: Lease

    public init(job: Job, lease: Lease) {
        self.job = job
        self.lease = lease
    }
}

/// What a heartbeat learns.
public enum LeaseStatus: Hashable, Sendable {
    case held
    /// Held, but the client wants the job stopped.
    case cancelRequested
    /// Another worker has it, or it is gone: stop, publish nothing.
    case lost
}

/// How a running job ended.
public struct JobOutcome: Hashable, Sendable {
    /// `succeeded`, `failed` or `canceled`.
    public var status: JobStatus
    public var failure: JobFailure?
    public var progress: JobProgress
    public var resultKey: String?
    public var videoKey: String?
    /// Of the result and the videos, for the tenant's quota.
    public var storedBytes: Int64

    public init(
        status: JobStatus, failure: JobFailure? = nil, progress: JobProgress, resultKey: String? = nil,
        videoKey: String? = nil, storedBytes: Int64 = 0
    ) {
        self.status = status
        self.failure = failure
        self.progress = progress
        self.resultKey = resultKey
        self.videoKey = videoKey
        self.storedBytes = storedBytes
    }
}

/// Which jobs a list is to have: those that fit everything that is said here.
public struct JobQuery: Hashable, Sendable {
    /// Whose jobs; no others are listed.
    public var tenant: TenantID
    /// Only jobs in this state; `nil`: in any.
    public var status: JobStatus?
    /// Only jobs that have each of these labels with that value; empty: any.
    public var labels: [String: String]
    /// 1 … 200, which whoever asks has checked. A page has fewer jobs where their specs are as long as ``pageBytes``
    /// together.
    public var limit: Int
    /// Only jobs older than this one (newest come first).
    public var before: JobID?

    /// Specs on a page, as they are stored: beyond them it has one more at most. 200 ordinary ones are half as long, but
    /// each may have thousands of keyframes, and takes ten times its length where it is read and written.
    public static let pageBytes = 256 * 1024

    public init(
        tenant: TenantID, status: JobStatus? = nil, labels: [String: String] = [:], limit: Int = 50,
        before: JobID? = nil
    ) {
        self.tenant = tenant
        self.status = status
        self.labels = labels
        self.limit = limit
        self.before = before
    }
}

/// A page of a list. The next one begins behind the last job of this one (``JobQuery/before``).
public struct JobPage: Sendable {
    /// Newest first.
    public var jobs: [Job]
    /// Whether there are older ones.
    public var hasMore: Bool

    public init(jobs: [Job], hasMore: Bool) {
        self.jobs = jobs
        self.hasMore = hasMore
    }
}

/// Where jobs are kept and queued. Calls block; they are made on Dispatch threads, never on the cooperative pool.
///
/// Every implementation passes the contract suite in `Tests/JobStoreContract`.
public protocol JobStore: TenantQuotas, JobRetention, IdempotentSubmission, JobParts {
    /// Keeps a new job in state `queued`. When it returns, the job survives power loss.
    ///
    /// - Throws: ``JobsError/Code/quotaExceeded`` where the tenant has as many queued jobs as it may by its quota or by the
    ///   store's ``QueueCapacity``, however many come at the same time; ``JobsError/Code/queueFull`` where all tenants have;
    ///   ``JobsError/Code/storedQuotaExceeded`` where the source is more than it may store.
    func submit(_ job: Job) throws

    /// `nil` where there is none, or it belongs to another tenant. See ``JobStore/job(_:tenant:)``.
    func stored(_ id: JobID, tenant: TenantID) throws -> StoredJob?

    /// A page of one tenant's jobs, never of another's: the newest first, by their ids. It may have fewer jobs than
    /// ``JobQuery/limit`` where their specs are long, so only ``JobPage/hasMore`` tells whether it is the last; it has
    /// one job at least where any fits.
    ///
    /// - Throws: where the store cannot be read; ``JobsError/Code/corrupt`` where a job of the page cannot be.
    func jobs(_ query: JobQuery) throws -> JobPage

    /// Takes a queued job in one statement: `running`, attempt counted, new token. `nil` where nothing is queued that
    /// may run.
    ///
    /// Tenants take turns: the one with the fewest running jobs goes first, among equals the one that was served
    /// longest ago; one that runs as many as its quota allows waits. Of its jobs that of the highest priority is taken,
    /// among equals the oldest. A priority counts among a tenant's own jobs only.
    ///
    /// - Parameter owner: names this process, so that its jobs can be requeued when it is known to be dead.
    func claim(owner: String, leaseSeconds: Double) throws -> ClaimedJob?

    /// Renews the lease and stores the progress, where the lease is still held. Of a part only the frames count.
    func heartbeat(_ lease: Lease, progress: JobProgress, leaseSeconds: Double) throws -> LeaseStatus

    /// What a heartbeat would answer, without writing.
    func status(of lease: Lease) throws -> LeaseStatus

    /// Stores what the decoder found in the source. `false` where the lease is lost, or that of a part.
    func describeSource(_ source: JobSource, lease: Lease) throws -> Bool

    /// Ends the job: state, result and failure in one transaction. `false` where the lease is lost, or over, also where
    /// nobody else has the job yet; but a job whose cancellation was asked for may be ended late.
    ///
    /// A part that `succeeded` has a result key; with any other outcome it is left to the job's leader.
    func publish(_ outcome: JobOutcome, lease: Lease) throws -> Bool

    /// Gives a job back unharmed (graceful stop): `queued`, and the attempt does not count. One whose cancellation was asked
    /// for becomes `canceled`; who has frames of it publishes them instead. A part is given back for any other worker to
    /// take. `false` where the lease is lost.
    func release(_ lease: Lease) throws -> Bool

    /// Requeues `running` jobs whose lease has run out, or fails them with `worker_lost` after the third attempt.
    /// A job whose cancellation was asked for becomes `canceled`.
    func expireLeases() throws -> [JobID]

    /// The same at once for all jobs of an owner that is known to be dead. Parts that it had taken are open again.
    func expireLeases(ofOwner owner: String) throws -> [JobID]

    /// Running jobs whose cancellation was asked for and whose worker is gone: because the lease has run out or, where an
    /// owner is named that is known to be dead, because they are that owner's. Who ends them by ``publish(_:lease:)`` keeps
    /// what their workers left; ``expireLeases()`` ends them without. They come without their specs.
    func canceledWithoutWorker(owner: String?) throws -> [ClaimedJob]

    /// Fails queued jobs whose deadline has passed with `deadline_exceeded`: it counts from the submission, so that
    /// nothing is gained by running them. Running ones are their workers' to stop. Where they are many, some: the next
    /// call goes on (``OverdueJobs``).
    func failOverdue() throws -> [JobID]

    /// Owners of `running` jobs.
    func owners() throws -> Set<String>

    /// A queued job becomes `canceled`; a running one is told so at its next heartbeat. Nothing changes where the job
    /// has ended. Returns the job as it is afterwards, `nil` where there is none.
    ///
    /// - Throws: ``JobsError/Code/otherRevision`` where the job has another revision than this one; `nil` takes any.
    func requestCancel(_ id: JobID, tenant: TenantID, ifRevision: Int64?) throws -> Job?

    /// Removes the row, whatever its state; the worker that runs it sees its lease lost. Returns the job as it was.
    ///
    /// - Throws: ``JobsError/Code/otherRevision`` where the job has another revision than this one; `nil` takes any.
    func delete(_ id: JobID, tenant: TenantID, ifRevision: Int64?) throws -> Job?

    /// Attaches an annotated video to a job that has ended, whoever owns it, in place of one that it has. The blob is
    /// not looked at.
    ///
    /// - Returns: whether the job has the video now. `false`, and nothing is changed, where the job has not ended or is
    ///   not there (any more).
    func attachVideo(_ key: String, job: JobID) throws -> Bool

    /// Whether the job exists at all, whoever owns it; for sweeping orphaned blobs.
    func exists(_ id: JobID) throws -> Bool

    /// How many jobs are in each state, for quotas, readiness and metrics.
    func counts() throws -> [JobStatus: Int]
}

extension JobStore {
    /// `nil` where there is none, or it belongs to another tenant.
    public func job(_ id: JobID, tenant: TenantID) throws -> Job? { try stored(id, tenant: tenant)?.read() }

    /// Whatever the job's revision.
    public func requestCancel(_ id: JobID, tenant: TenantID) throws -> Job? {
        try requestCancel(id, tenant: tenant, ifRevision: nil)
    }

    /// Whatever the job's revision.
    public func delete(_ id: JobID, tenant: TenantID) throws -> Job? {
        try delete(id, tenant: tenant, ifRevision: nil)
    }
}
