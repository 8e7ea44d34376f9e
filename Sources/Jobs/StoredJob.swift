/// A job that a store has found, its spec not read yet. To read a long one takes tens of milliseconds, which no transaction
/// is to wait for, and one that cannot be read is no reason not to end or delete the job.
public struct StoredJob: Sendable {
    public let withoutSpec: Job
    private let spec: String

    /// - Parameter spec: what `JobSpec.storedText` made.
    public init(withoutSpec: Job, spec: String) {
        self.withoutSpec = withoutSpec
        self.spec = spec
    }

    /// - Throws: ``JobsError/Code/corrupt`` where the spec cannot be read.
    public func read() throws(JobsError) -> Job {
        var job = withoutSpec
        job.spec = try JobSpec(storedText: spec, of: job.id)
        return job
    }

    /// With the spec that was read before, which no store changes.
    public func read(knowing job: Job?) throws(JobsError) -> Job {
        guard let job, job.id == withoutSpec.id else { return try read() }
        var known = withoutSpec
        known.spec = job.spec
        return known
    }

    /// Once it has been changed: without its spec where that cannot be read.
    public var changed: Job { (try? read()) ?? withoutSpec }

    /// In the transaction that it was found in, where that cannot be put off.
    ///
    /// - Returns: `nil` where the spec cannot be read: what is to be done with many jobs must not fail for one.
    public func readInTransaction() -> Job? {
        guard let spec = try? JobSpec(storedTextInTransaction: spec, of: withoutSpec.id) else { return nil }
        var job = withoutSpec
        job.spec = spec
        return job
    }
}

/// A job that is to be stored, with its spec as text: made before a transaction, as ``StoredJob`` is read after one.
public struct NewJob: Sendable {
    public let job: Job
    public let spec: String

    public init(_ job: Job) {
        self.job = job
        spec = job.spec.storedText
    }

    /// What the job keeps from its submission on, as ``TenantUsage/stored`` counts it: its source, and what of its spec is
    /// longer than an ordinary one, twice where a webhook's message will hold it as well.
    public var storedBytes: Int64 {
        let copies = job.spec.webhook == nil ? 1 : 2
        return job.source.bytes + Int64(copies * max(0, spec.utf8.count - Self.ordinarySpecBytes))
    }

    private static let ordinarySpecBytes = 16 * 1024
}
