import Foundation
import Jobs
import Testing

extension JobStoreContract {
    static let cancelChecks: [JobStoreCheck] = [
        JobStoreCheck("a queued job is canceled at once and never claimed") { fixture in
            let bench = try Bench(fixture)
            let submitted = try bench.submit()
            let canceled = try #require(try bench.store.requestCancel(submitted.id, tenant: .anonymous))
            #expect(canceled.status == .canceled)
            #expect(canceled.finishedAt == bench.clock.now())
            #expect(try bench.store.claim(owner: "worker", leaseSeconds: 30) == nil)
        },
        JobStoreCheck("a running job learns of its cancellation at the next heartbeat") { fixture in
            let bench = try Bench(fixture)
            let submitted = try bench.submit()
            let lease = try bench.claim().lease
            #expect(try bench.store.status(of: lease) == .held)
            let asked = try #require(try bench.store.requestCancel(submitted.id, tenant: .anonymous))
            #expect(asked.status == .running)
            #expect(asked.cancelRequested)
            #expect(try bench.store.status(of: lease) == .cancelRequested)
            #expect(try bench.store.heartbeat(lease, progress: JobProgress(), leaseSeconds: 30) == .cancelRequested)
        },
        JobStoreCheck("canceling what has ended changes nothing") { fixture in
            let bench = try Bench(fixture)
            let submitted = try bench.submit()
            let lease = try bench.claim().lease
            _ = try bench.store.publish(JobOutcome(status: .succeeded, progress: JobProgress()), lease: lease)
            let before = try bench.current(submitted)
            #expect(try bench.store.requestCancel(submitted.id, tenant: .anonymous) == before)
        },
        JobStoreCheck("canceling twice is canceling once") { fixture in
            let bench = try Bench(fixture)
            let submitted = try bench.submit()
            _ = try bench.claim()
            let first = try bench.store.requestCancel(submitted.id, tenant: .anonymous)
            #expect(try bench.store.requestCancel(submitted.id, tenant: .anonymous) == first)
        },
        JobStoreCheck("a job of another revision than was asked for is neither canceled nor deleted") { fixture in
            let bench = try Bench(fixture)
            let submitted = try bench.submit()
            let old = submitted.revision
            _ = try bench.claim()
            let other = #expect(throws: JobsError.self) {
                _ = try bench.store.requestCancel(submitted.id, tenant: .anonymous, ifRevision: old)
            }
            #expect(other?.code == .otherRevision)
            #expect(throws: JobsError.self) {
                _ = try bench.store.delete(submitted.id, tenant: .anonymous, ifRevision: old)
            }
            let current = try bench.current(submitted)
            #expect(!current.cancelRequested)
            #expect(try bench.store.delete(submitted.id, tenant: TenantID("b"), ifRevision: old) == nil)
            #expect(try bench.store.requestCancel(submitted.id, tenant: TenantID("b"), ifRevision: old) == nil)
            let asked = try bench.store.requestCancel(
                submitted.id, tenant: .anonymous, ifRevision: current.revision)
            #expect(asked?.cancelRequested == true)
            let deleted = try bench.store.delete(submitted.id, tenant: .anonymous, ifRevision: asked?.revision)
            #expect(deleted == asked)
        },
        JobStoreCheck("a canceled job whose worker is lost ends as canceled") { fixture in
            let bench = try Bench(fixture)
            let submitted = try bench.submit()
            _ = try bench.claim(leaseSeconds: 30)
            _ = try bench.store.requestCancel(submitted.id, tenant: .anonymous)
            bench.clock.advance(31)
            #expect(try bench.store.expireLeases() == [submitted.id])
            let job = try bench.current(submitted)
            #expect(job.status == .canceled)
            #expect(job.failure == nil)
        },
        JobStoreCheck("canceled jobs without a worker are found, and can be ended with what it left") { fixture in
            let bench = try Bench(fixture)
            _ = try bench.submit()
            _ = try bench.claim("dead", leaseSeconds: 30)
            let submitted = try bench.submit()
            let claimed = try bench.claim("dead", leaseSeconds: 30)
            #expect(try bench.store.canceledWithoutWorker(owner: "dead").isEmpty)
            _ = try bench.store.requestCancel(submitted.id, tenant: .anonymous)
            #expect(try bench.store.canceledWithoutWorker(owner: nil).isEmpty)
            #expect(try bench.store.canceledWithoutWorker(owner: "other").isEmpty)
            let found = try bench.store.canceledWithoutWorker(owner: "dead")
            #expect(found.map(\.job.id) == [submitted.id])
            #expect(found.map(\.lease) == [claimed.lease])
            bench.clock.advance(31)
            #expect(try bench.store.canceledWithoutWorker(owner: nil).map(\.lease) == [claimed.lease])
            let outcome = JobOutcome(
                status: .canceled, progress: JobProgress(framesDone: 3), resultKey: "jobs/1/results-1-kept.ndjson")
            #expect(try bench.store.publish(outcome, lease: claimed.lease))
            #expect(try bench.store.canceledWithoutWorker(owner: nil).isEmpty)
            let job = try bench.current(submitted)
            #expect(job.status == .canceled && job.resultKey == outcome.resultKey && job.progress == outcome.progress)
        },
        JobStoreCheck("a canceled job that is released ends as canceled") { fixture in
            let bench = try Bench(fixture)
            let submitted = try bench.submit()
            let lease = try bench.claim().lease
            _ = try bench.store.requestCancel(submitted.id, tenant: .anonymous)
            #expect(try bench.store.release(lease))
            #expect(try bench.current(submitted).status == .canceled)
        },
        JobStoreCheck("a deleted job is gone, and its worker sees the lease lost") { fixture in
            let bench = try Bench(fixture)
            let submitted = try bench.submit(labels: ["camera": "7"])
            let lease = try bench.claim().lease
            #expect(try bench.store.delete(submitted.id, tenant: .anonymous)?.id == submitted.id)
            #expect(try bench.store.exists(submitted.id) == false)
            #expect(try bench.store.delete(submitted.id, tenant: .anonymous) == nil)
            #expect(try bench.store.status(of: lease) == .lost)
            let outcome = JobOutcome(status: .succeeded, progress: JobProgress())
            #expect(try bench.store.publish(outcome, lease: lease) == false)
            #expect(try bench.store.exists(submitted.id) == false)
        },
    ]
}
