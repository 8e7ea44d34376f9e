import Foundation
import Jobs
import Testing

/// A store, its clock and the makings of jobs that call back.
struct DeliveryBench {
    let clock = ManualEnvironment()
    let store: any JobStore & DeliveryStore
    let ids: JobIDGenerator

    init(_ fixture: any DeliveryStoreFixture) throws {
        store = try fixture.openDeliveries(clock)
        ids = JobIDGenerator(environment: clock)
    }

    func submit(
        url: String = "https://example.com/hook", events: [WebhookSpec.Event]? = WebhookSpec.Event.allCases,
        tenant: TenantID = .anonymous, deadline: Double? = nil
    ) throws -> Job {
        let id = ids.next()
        let target = TargetSpec(id: "car", box: PixelBox(x: 1, y: 2, width: 30, height: 40))
        var spec = JobSpec(targets: [target], deadlineSeconds: deadline)
        if let events {
            spec.webhook = WebhookSpec(
                url: try WebhookURL(url), events: events,
                secret: WebhookSecret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"))
        }
        let job = Job(
            id: id, tenant: tenant, spec: spec,
            source: JobSource(kind: .video, blobKey: id.sourceKey, bytes: 10, sha256: "ab12"), createdAt: clock.now())
        try store.submit(job)
        return job
    }

    /// Runs the only job that is queued to its end.
    func end(_ job: Job, _ status: JobStatus) throws {
        let claim = try #require(try store.claim(owner: "worker", leaseSeconds: 30))
        try #require(claim.job.id == job.id)
        let failure = status == .failed ? JobFailure(code: .undecodable, message: "cannot be read") : nil
        let outcome = JobOutcome(status: status, failure: failure, progress: JobProgress(framesDone: 7))
        try #require(try store.publish(outcome, lease: claim.lease))
    }

    func deliveries(_ job: Job) throws -> [Delivery] { try store.deliveries(of: job.id, tenant: job.tenant) }

    func claim(except hosts: Set<String> = []) throws -> ClaimedDelivery {
        try #require(try store.claimDelivery(leaseSeconds: 60, exceptHosts: hosts))
    }

    func claimedTenant(except tenant: String) throws -> String? {
        let tenants: Set = [TenantID(tenant)]
        return try store.claimDelivery(leaseSeconds: 60, exceptHosts: [], exceptTenants: tenants)?.tenant.name
    }

    func attempt(_ number: Int, status: Int? = nil, error: String? = nil) -> DeliveryAttempt {
        DeliveryAttempt(number: number, startedAt: clock.now(), milliseconds: 12, status: status, error: error)
    }
}
