import Foundation
import Jobs
import Testing

extension JobStoreContract {
    static let statisticsChecks: [JobStoreCheck] = [
        JobStoreCheck("the trace that a job was submitted in is kept, and its worker gets it") { fixture in
            let bench = try Bench(fixture)
            var job = bench.job()
            job.traceID = "0af7651916cd43dd8448eb211c80319c"
            try bench.store.submit(job)
            #expect(try bench.current(job).traceID == job.traceID)
            #expect(try bench.claim().job.traceID == job.traceID)
        },
        JobStoreCheck("the oldest queued job is told by its submission, whatever its priority") { fixture in
            let bench = try Bench(fixture)
            let statistics = try #require(bench.store as? any QueueStatistics)
            #expect(try statistics.oldestQueued() == nil)
            let first = try bench.submit(priority: -5)
            bench.clock.advance(10)
            let second = try bench.submit(priority: 5)
            #expect(try statistics.oldestQueued() == first.createdAt)
            _ = try bench.claim()
            #expect(try statistics.oldestQueued() == first.createdAt)
            let claimed = try bench.claim()
            #expect(try statistics.oldestQueued() == nil)
            #expect(try bench.store.release(claimed.lease))
            #expect(try statistics.oldestQueued() == first.createdAt)
            _ = try bench.store.delete(first.id, tenant: .anonymous)
            #expect(try statistics.oldestQueued() == nil)
            #expect(try bench.current(second).status == .running)
        },
        JobStoreCheck("deliveries are counted by how they go, whatever becomes of their jobs") { fixture in
            let bench = try Bench(fixture)
            let statistics = try #require(bench.store as? any QueueStatistics)
            let deliveries = try #require(bench.store as? any DeliveryStore)
            #expect(try statistics.deliveryFigures() == DeliveryFigures())
            let began = bench.clock.now()
            var jobs: [Job] = []
            for _ in 0..<4 {
                var job = bench.job()
                job.spec.webhook = WebhookSpec(
                    url: try WebhookURL("https://hooks.example/a"), events: WebhookSpec.Event.allCases)
                try bench.store.submit(job)
                _ = try bench.store.requestCancel(job.id, tenant: .anonymous)
                jobs.append(job)
                bench.clock.advance(10)
            }
            #expect(try statistics.deliveryFigures() == DeliveryFigures(pending: 4, oldestPending: began))
            for state in [DeliveryState.delivered(bench.clock.now()), .failed(bench.clock.now())] {
                let claimed = try #require(try deliveries.claimDelivery(leaseSeconds: 30, exceptHosts: []))
                let attempt = DeliveryAttempt(number: 1, startedAt: bench.clock.now(), milliseconds: 3, status: 200)
                #expect(try deliveries.record(attempt, then: state, lease: claimed.lease))
            }
            let third = began.addingTimeInterval(20)
            let after = DeliveryFigures(pending: 2, oldestPending: third, delivered: 1, failed: 1)
            #expect(try statistics.deliveryFigures() == after)
            for job in jobs { _ = try bench.store.delete(job.id, tenant: .anonymous) }
            #expect(try statistics.deliveryFigures() == DeliveryFigures(delivered: 1, failed: 1))
        },
        JobStoreCheck("endings count every way a job can end, once, and outlive the job") { fixture in
            let bench = try Bench(fixture)
            let statistics = try #require(bench.store as? any QueueStatistics)
            func end(_ status: JobStatus, _ code: JobFailure.Code? = nil) throws {
                try bench.submit()
                let failure = code.map { JobFailure(code: $0, message: "so it is") }
                let outcome = JobOutcome(status: status, failure: failure, progress: JobProgress())
                #expect(try bench.store.publish(outcome, lease: try bench.claim().lease))
            }
            try end(.succeeded)
            try end(.succeeded)
            try end(.failed, .undecodable)
            try end(.failed, .undecodable)
            try end(.failed, .deadlineExceeded)
            try end(.canceled)
            // Canceled before a worker had it, and given up after too many of them.
            let queued = try bench.submit()
            _ = try bench.store.requestCancel(queued.id, tenant: .anonymous)
            let poison = try bench.submit()
            for _ in 0..<QueueLimits.attempts {
                _ = try bench.claim(leaseSeconds: 30)
                bench.clock.advance(31)
                #expect(try bench.store.expireLeases() == [poison.id])
            }
            let expected = JobEndings(
                counts: [.succeeded: 2, .failed: 4, .canceled: 2],
                failures: [.undecodable: 2, .deadlineExceeded: 1, .workerLost: 1])
            #expect(try statistics.endings() == expected)
            for job in try bench.store.jobs(JobQuery(tenant: .anonymous)).jobs {
                _ = try bench.store.delete(job.id, tenant: .anonymous)
            }
            #expect(try statistics.endings() == expected)
        },
    ]
}
