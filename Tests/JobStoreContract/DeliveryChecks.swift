import Foundation
import Jobs
import Synchronization
import Testing

/// What a suite needs of an implementation of ``DeliveryStore``, which is one of ``JobStore`` too.
public protocol DeliveryStoreFixture: Sendable {
    func openDeliveries(_ environment: any Environment) throws -> any JobStore & DeliveryStore
}

/// One thing that every ``DeliveryStore`` must do.
public struct DeliveryStoreCheck: Sendable, CustomTestStringConvertible {
    public let name: String
    public let run: @Sendable (any DeliveryStoreFixture) throws -> Void

    public var testDescription: String { name }

    init(_ name: String, _ run: @escaping @Sendable (any DeliveryStoreFixture) throws -> Void) {
        self.name = name
        self.run = run
    }
}

/// The contract of ``DeliveryStore``: each check gets a new fixture.
public enum DeliveryStoreContract {
    public static let checks: [DeliveryStoreCheck] = endingChecks + claimChecks + recordChecks

    // MARK: How deliveries come to be

    private static let endingChecks: [DeliveryStoreCheck] = [
        DeliveryStoreCheck("a job that ends has a delivery from that moment on, whose body is the job") { fixture in
            let bench = try DeliveryBench(fixture)
            for (status, event) in [
                (JobStatus.succeeded, "job.succeeded"), (.failed, "job.failed"), (.canceled, "job.canceled"),
            ] {
                let job = try bench.submit()
                #expect(try bench.deliveries(job).isEmpty)
                bench.clock.advance(5)
                try bench.end(job, status)
                let delivery = try #require(try DeliveryBench(fixture).deliveries(job).first)
                #expect(delivery.event.rawValue == event)
                #expect(delivery.url == job.spec.webhook?.url)
                #expect(delivery.state == .pending(due: bench.clock.now()))
                #expect(delivery.attempts.isEmpty)

                let message = try bench.claim().message
                #expect(message.id == delivery.id && message.job == job.id && message.event == delivery.event)
                #expect(message.secret == job.spec.webhook?.secret)
                #expect(message.createdAt == bench.clock.now())
                let ended = try #require(try bench.store.job(job.id, tenant: job.tenant))
                let body = try JSONValue(parsing: message.payload)
                #expect(body["type"]?.stringValue == event)
                #expect(body["timestamp"]?.stringValue == RFC3339.string(try #require(ended.finishedAt)))
                #expect(body["data"] == JobWriter.json(ended))
                #expect(!String(decoding: message.payload, as: UTF8.self).contains("whsec_"))
            }
        },
        DeliveryStoreCheck("a queued job that is canceled has one delivery, however often it is canceled") { fixture in
            let bench = try DeliveryBench(fixture)
            let job = try bench.submit()
            for _ in 0..<3 { _ = try bench.store.requestCancel(job.id, tenant: job.tenant) }
            #expect(try bench.deliveries(job).map(\.event) == [.canceled])
        },
        DeliveryStoreCheck("a job whose workers are lost has a delivery when it fails, not before") { fixture in
            let bench = try DeliveryBench(fixture)
            let job = try bench.submit()
            for attempt in 1...QueueLimits.attempts {
                #expect(try bench.deliveries(job).isEmpty)
                _ = try #require(try bench.store.claim(owner: "worker", leaseSeconds: 30))
                bench.clock.advance(31)
                _ = attempt == 1 ? try bench.store.expireLeases(ofOwner: "worker") : try bench.store.expireLeases()
            }
            #expect(try bench.deliveries(job).map(\.event) == [.failed])
            let body = try JSONValue(parsing: try bench.claim().message.payload)
            #expect(body["data"]?["error"]?["code"]?.stringValue == "worker_lost")
        },
        DeliveryStoreCheck("a canceled job whose worker gives it back, or is lost, has a delivery") { fixture in
            let bench = try DeliveryBench(fixture)
            let released = try bench.submit()
            let claim = try #require(try bench.store.claim(owner: "worker", leaseSeconds: 30))
            _ = try bench.store.requestCancel(released.id, tenant: released.tenant)
            #expect(try bench.deliveries(released).isEmpty, "it runs still")
            #expect(try bench.store.release(claim.lease))
            #expect(try bench.deliveries(released).map(\.event) == [.canceled])

            let lost = try bench.submit()
            _ = try #require(try bench.store.claim(owner: "worker", leaseSeconds: 30))
            _ = try bench.store.requestCancel(lost.id, tenant: lost.tenant)
            bench.clock.advance(31)
            _ = try bench.store.expireLeases()
            #expect(try bench.deliveries(lost).map(\.event) == [.canceled])
        },
        DeliveryStoreCheck("a job whose deadline passes in the queue has a delivery") { fixture in
            let bench = try DeliveryBench(fixture)
            let job = try bench.submit(deadline: 5)
            bench.clock.advance(5)
            #expect(try bench.store.failOverdue() == [job.id])
            #expect(try bench.deliveries(job).map(\.event) == [.failed])
            let body = try JSONValue(parsing: try bench.claim().message.payload)
            #expect(body["data"]?["error"]?["code"]?.stringValue == "deadline_exceeded")
        },
        DeliveryStoreCheck("a job that goes back to the queue has none") { fixture in
            let bench = try DeliveryBench(fixture)
            let job = try bench.submit()
            let claim = try #require(try bench.store.claim(owner: "worker", leaseSeconds: 30))
            #expect(try bench.store.release(claim.lease))
            #expect(try bench.deliveries(job).isEmpty)
        },
        DeliveryStoreCheck("a worker that lost its lease makes none") { fixture in
            let bench = try DeliveryBench(fixture)
            let job = try bench.submit()
            let claim = try #require(try bench.store.claim(owner: "worker", leaseSeconds: 30))
            bench.clock.advance(31)
            _ = try bench.store.expireLeases()
            let outcome = JobOutcome(status: .succeeded, progress: JobProgress())
            #expect(try bench.store.publish(outcome, lease: claim.lease) == false)
            #expect(try bench.deliveries(job).isEmpty)
        },
        DeliveryStoreCheck("who asked for other events, or for none, gets none") { fixture in
            let bench = try DeliveryBench(fixture)
            let failures = try bench.submit(events: [.failed])
            try bench.end(failures, .succeeded)
            #expect(try bench.deliveries(failures).isEmpty)
            let nothing = try bench.submit(events: nil)
            try bench.end(nothing, .failed)
            #expect(try bench.deliveries(nothing).isEmpty)
        },
        DeliveryStoreCheck("deliveries of another tenant are not there, those of a deleted job are gone") { fixture in
            let bench = try DeliveryBench(fixture)
            let job = try bench.submit(tenant: TenantID("a"))
            try bench.end(job, .succeeded)
            let lease = try bench.claim().lease
            #expect(try bench.store.deliveries(of: job.id, tenant: TenantID("b")).isEmpty)
            #expect(try bench.deliveries(job).count == 1)
            _ = try bench.store.delete(job.id, tenant: job.tenant)
            #expect(try bench.deliveries(job).isEmpty)
            #expect(
                try bench.store.record(bench.attempt(1), then: .delivered(bench.clock.now()), lease: lease) == false)
            #expect(try bench.store.claimDelivery(leaseSeconds: 60, exceptHosts: []) == nil)
        },
    ]

    // MARK: Who gets them

    private static let claimChecks: [DeliveryStoreCheck] = [
        DeliveryStoreCheck("what is due for the longest is claimed first, and once") { fixture in
            let bench = try DeliveryBench(fixture)
            let jobs = try (0..<3).map { _ in
                let job = try bench.submit()
                try bench.end(job, .succeeded)
                bench.clock.advance(1)
                return job.id
            }
            let claims = try (0..<3).map { _ in try bench.claim() }
            #expect(claims.map(\.message.job) == jobs)
            #expect(claims.map(\.attempt) == [1, 1, 1])
            #expect(Set(claims.map(\.lease.token)).count == 3)
            #expect(try bench.store.claimDelivery(leaseSeconds: 60, exceptHosts: []) == nil)
        },
        DeliveryStoreCheck("hosts that are busy are passed over") { fixture in
            let bench = try DeliveryBench(fixture)
            let slow = try bench.submit(url: "https://SLOW.example/a")
            try bench.end(slow, .succeeded)
            let quick = try bench.submit(url: "https://quick.example/b")
            try bench.end(quick, .succeeded)
            #expect(try bench.claim(except: ["slow.example"]).message.job == quick.id)
            #expect(try bench.store.claimDelivery(leaseSeconds: 60, exceptHosts: ["slow.example"]) == nil)
            #expect(try bench.claim(except: ["quick.example"]).message.job == slow.id)
        },
        DeliveryStoreCheck("tenants take turns, each with what has been due for the longest") { fixture in
            let bench = try DeliveryBench(fixture)
            var jobs: [String: [JobID]] = [:]
            for (tenant, host) in [("a", "x"), ("a", "y"), ("a", "x"), ("a", "y"), ("b", "x"), ("c", "z"), ("b", "x")] {
                let job = try bench.submit(url: "https://\(host).example/hook", tenant: TenantID(tenant))
                try bench.end(job, .succeeded)
                jobs[tenant, default: []].append(job.id)
                bench.clock.advance(1)
            }
            let claims = try (0..<7).map { _ in try bench.claim() }
            #expect(claims.map(\.tenant.name) == ["a", "b", "c", "a", "b", "a", "a"])
            for (tenant, jobs) in jobs {
                #expect(claims.filter { $0.tenant.name == tenant }.map(\.message.job) == jobs)
            }
        },
        DeliveryStoreCheck("tenants that are busy are passed over") { fixture in
            let bench = try DeliveryBench(fixture)
            for tenant in ["a", "a", "b"] {
                try bench.end(try bench.submit(tenant: TenantID(tenant)), .succeeded)
            }
            #expect(try bench.claimedTenant(except: "a") == "b")
            #expect(try bench.claimedTenant(except: "a") == nil)
            #expect(try bench.claimedTenant(except: "b") == "a")
        },
        DeliveryStoreCheck("a host's next delivery is claimed when the one before it is done, put off or gone") {
            fixture in
            let bench = try DeliveryBench(fixture)
            let jobs = try (0..<4).map { _ in
                let job = try bench.submit()
                try bench.end(job, .succeeded)
                bench.clock.advance(1)
                return job
            }
            let first = try bench.claim()
            let later = bench.clock.now().addingTimeInterval(100)
            #expect(try bench.store.record(bench.attempt(1), then: .pending(due: later), lease: first.lease))
            _ = try bench.store.delete(jobs[1].id, tenant: .anonymous)
            let third = try bench.claim()
            #expect(third.message.job == jobs[2].id)
            #expect(try bench.store.record(bench.attempt(1), then: .delivered(later), lease: third.lease))
            #expect(try bench.claim().message.job == jobs[3].id)
            #expect(try bench.store.claimDelivery(leaseSeconds: 60, exceptHosts: []) == nil)
            bench.clock.advance(50)
            _ = try bench.store.delete(jobs[3].id, tenant: .anonymous)
            #expect(try bench.store.claimDelivery(leaseSeconds: 60, exceptHosts: []) == nil)
            bench.clock.advance(50)
            #expect(try bench.claim().message.job == jobs[0].id)
        },
        DeliveryStoreCheck("when a lease runs out it is another's, with the same id and body") { fixture in
            let bench = try DeliveryBench(fixture)
            try bench.end(try bench.submit(), .succeeded)
            let first = try bench.claim()
            bench.clock.advance(59)
            #expect(try bench.store.claimDelivery(leaseSeconds: 60, exceptHosts: []) == nil)
            bench.clock.advance(1)
            let second = try bench.claim()
            #expect(second.message == first.message)
            #expect(second.attempt == 2)
            #expect(
                try bench.store.record(bench.attempt(1), then: .failed(bench.clock.now()), lease: first.lease) == false)
            #expect(try bench.store.release(first.lease) == false)
            #expect(try bench.store.record(bench.attempt(2), then: .delivered(bench.clock.now()), lease: second.lease))
        },
        DeliveryStoreCheck("one that is given back is due at once, and the attempt does not count") { fixture in
            let bench = try DeliveryBench(fixture)
            let job = try bench.submit()
            try bench.end(job, .succeeded)
            #expect(try bench.store.release(try bench.claim().lease))
            #expect(try bench.deliveries(job).first?.state == .pending(due: bench.clock.now()))
            #expect(try bench.claim().attempt == 1)
        },
        DeliveryStoreCheck("eight that claim at the same time get every delivery once") { fixture in
            let bench = try DeliveryBench(fixture)
            for _ in 0..<40 { try bench.end(try bench.submit(), .succeeded) }
            let stores = try (0..<8).map { _ in try fixture.openDeliveries(bench.clock) }
            let claimed = Mutex<[DeliveryID]>([])
            let failures = Mutex<[String]>([])
            onThreads(8) { index in
                do {
                    while let claim = try stores[index].claimDelivery(leaseSeconds: 60, exceptHosts: []) {
                        claimed.withLock { $0.append(claim.message.id) }
                    }
                } catch {
                    failures.withLock { $0.append("\(error)") }
                }
            }
            #expect(failures.withLock { $0 }.isEmpty)
            #expect(claimed.withLock { $0.count } == 40)
            #expect(claimed.withLock { Set($0).count } == 40)
        },
    ]

    // MARK: What came of them

    private static let recordChecks: [DeliveryStoreCheck] = [
        DeliveryStoreCheck("attempts are kept, and a delivery is due again when it was said to be") { fixture in
            let bench = try DeliveryBench(fixture)
            let job = try bench.submit()
            try bench.end(job, .succeeded)
            let due = bench.clock.now().addingTimeInterval(10)
            let first = bench.attempt(1, status: 500, error: "the receiver answered 500")
            #expect(try bench.store.record(first, then: .pending(due: due), lease: try bench.claim().lease))
            #expect(try bench.deliveries(job).map(\.state) == [.pending(due: due)])
            #expect(try bench.store.claimDelivery(leaseSeconds: 60, exceptHosts: []) == nil)
            bench.clock.advance(10)
            let again = try bench.claim()
            #expect(again.attempt == 2)
            let second = bench.attempt(2, status: 204)
            let end = bench.clock.now()
            #expect(try bench.store.record(second, then: .delivered(end), lease: again.lease))
            let delivery = try #require(try DeliveryBench(fixture).deliveries(job).first)
            #expect(delivery.attempts == [first, second])
            #expect(delivery.state == .delivered(end))
            bench.clock.advance(1_000_000)
            #expect(try bench.store.claimDelivery(leaseSeconds: 60, exceptHosts: []) == nil)
        },
        DeliveryStoreCheck("one that has failed for good is never due again") { fixture in
            let bench = try DeliveryBench(fixture)
            let job = try bench.submit()
            try bench.end(job, .failed)
            let end = bench.clock.now()
            let attempt = bench.attempt(1, error: "no answer")
            #expect(try bench.store.record(attempt, then: .failed(end), lease: try bench.claim().lease))
            bench.clock.advance(1_000_000)
            #expect(try bench.deliveries(job).map(\.state) == [.failed(end)])
            #expect(try bench.deliveries(job).first?.attempts == [attempt])
            #expect(try bench.store.claimDelivery(leaseSeconds: 60, exceptHosts: []) == nil)
        },
    ]
}

/// A store, its clock and the makings of jobs that call back.
private struct DeliveryBench {
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
