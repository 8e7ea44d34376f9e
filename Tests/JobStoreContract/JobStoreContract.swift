import Foundation
import Jobs
import Testing

/// What a suite needs of an implementation: a database that can be opened more than once, as by several processes.
public protocol JobStoreFixture: Sendable {
    /// Opens the fixture's database once more, with connections of its own.
    ///
    /// - Parameters:
    ///   - retentionSeconds: what jobs that end get until they expire; `nil`: they do not.
    ///   - capacity: what submissions are held to.
    func open(
        _ environment: any Environment, retentionSeconds: Double?, capacity: QueueCapacity
    ) throws -> any JobStore

    /// How long it may take until a store's ``ChangeCount`` knows of what another has changed; 0: it knows at once.
    var noticeSeconds: Double { get }
}

extension JobStoreFixture {
    public var noticeSeconds: Double { 0 }

    func open(_ environment: any Environment, capacity: QueueCapacity = QueueCapacity()) throws -> any JobStore {
        try open(environment, retentionSeconds: nil, capacity: capacity)
    }
}

/// One thing that every ``JobStore`` must do.
public struct JobStoreCheck: Sendable, CustomTestStringConvertible {
    public let name: String
    public let run: @Sendable (any JobStoreFixture) throws -> Void

    public var testDescription: String { name }

    init(_ name: String, _ run: @escaping @Sendable (any JobStoreFixture) throws -> Void) {
        self.name = name
        self.run = run
    }
}

/// The contract of ``JobStore``: each check gets a new fixture.
public enum JobStoreContract {
    public static let checks: [JobStoreCheck] =
        submissionChecks + queueChecks + leaseChecks + cancelChecks + listChecks + concurrencyChecks
        + tenantChecks + keyChecks + retentionChecks + idempotencyChecks + statisticsChecks + revisionChecks
        + changeChecks + deadlineChecks + partChecks + storedBytesChecks + capacityChecks
}

/// A store, its clock and the makings of jobs.
struct Bench {
    let clock = ManualEnvironment()
    let store: any JobStore
    let ids: JobIDGenerator

    init(
        _ fixture: any JobStoreFixture, retentionSeconds: Double? = nil, capacity: QueueCapacity = QueueCapacity()
    ) throws {
        store = try fixture.open(clock, retentionSeconds: retentionSeconds, capacity: capacity)
        ids = JobIDGenerator(environment: clock)
    }

    func job(tenant: TenantID = .anonymous, priority: Int = 0, labels: [String: String] = [:]) -> Job {
        let id = ids.next()
        let target = TargetSpec(
            id: "car", box: PixelBox(x: 70.25, y: 51, width: 107, height: 87), startFrame: 2,
            keyframes: [TargetSpec.Keyframe(frame: 50, box: PixelBox(x: 64, y: 52, width: 103, height: 81))])
        let source = JobSource(
            kind: .video, blobKey: id.sourceKey, bytes: 812_345, sha256: "ab12", fileName: "müll \"1\".mp4")
        return Job(
            id: id, tenant: tenant,
            spec: JobSpec(targets: [target], startFrame: 2, stopFrame: 90, priority: priority, labels: labels),
            source: source, createdAt: clock.now())
    }

    @discardableResult
    func submit(tenant: TenantID = .anonymous, priority: Int = 0, labels: [String: String] = [:]) throws -> Job {
        let job = job(tenant: tenant, priority: priority, labels: labels)
        try store.submit(job)
        return job
    }

    func claim(_ owner: String = "worker", leaseSeconds: Double = 30) throws -> ClaimedJob {
        try #require(try store.claim(owner: owner, leaseSeconds: leaseSeconds))
    }

    /// Bytes of the anonymous tenant.
    func stored() throws -> Int64 { try store.usage(of: .anonymous).stored }

    func current(_ job: Job) throws -> Job { try #require(try store.job(job.id, tenant: job.tenant)) }
}
