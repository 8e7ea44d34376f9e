import Foundation
import Jobs
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

    /// How deliveries come to be.
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
}
