import Foundation
import Jobs
import Testing

/// `deadline_seconds` count from the submission, whatever happens to the job meanwhile.
extension JobStoreContract {
    static let deadlineChecks: [JobStoreCheck] = [
        JobStoreCheck("a queued job fails at its deadline, not before, and others stay") { fixture in
            let bench = try Bench(fixture, retentionSeconds: 60)
            let patient = try bench.submit()
            let job = try bench.submit(deadline: 10.5)
            let later = try bench.submit(deadline: 11)
            bench.clock.advance(10.499)
            #expect(try bench.store.failOverdue().isEmpty)
            bench.clock.advance(0.001)
            #expect(try bench.store.failOverdue() == [job.id])
            #expect(try bench.store.failOverdue().isEmpty)
            let failed = try bench.current(job)
            #expect(failed.status == .failed)
            #expect(failed.failure == .deadlineExceededInQueue)
            #expect(failed.failure?.code == .deadlineExceeded)
            #expect(failed.finishedAt == bench.clock.now())
            #expect(failed.expiresAt == bench.clock.now().addingTimeInterval(60))
            #expect(failed.revision > job.revision)
            #expect(failed.attempt == 0)
            #expect(try bench.claim().job.id == patient.id)
            #expect(try bench.claim().job.id == later.id)
            #expect(try bench.store.claim(owner: "worker", leaseSeconds: 30) == nil)
        },
        JobStoreCheck("a running job is left to its worker at its deadline, and fails where it is lost") { fixture in
            let bench = try Bench(fixture)
            let job = try bench.submit(deadline: 20)
            _ = try bench.claim(leaseSeconds: 30)
            bench.clock.advance(25)
            #expect(try bench.store.failOverdue().isEmpty)
            #expect(try bench.current(job).status == .running)
            bench.clock.advance(5)
            #expect(try bench.store.expireLeases() == [job.id])
            #expect(try bench.store.failOverdue() == [job.id])
            #expect(try bench.current(job).failure?.code == .deadlineExceeded)
        },
        JobStoreCheck("a job that went back to the queue has the deadline that it had") { fixture in
            let bench = try Bench(fixture)
            let job = try bench.submit(deadline: 20)
            for _ in 1...2 {
                let claim = try bench.claim()
                bench.clock.advance(6)
                #expect(try bench.store.release(claim.lease))
                #expect(try bench.store.failOverdue().isEmpty)
            }
            bench.clock.advance(8)
            #expect(try bench.store.failOverdue() == [job.id])
        },
        JobStoreCheck("jobs that ended before their deadline stay as they are") { fixture in
            let bench = try Bench(fixture)
            let canceled = try bench.submit(deadline: 5)
            _ = try bench.store.requestCancel(canceled.id, tenant: canceled.tenant)
            let done = try bench.submit(deadline: 5)
            let lease = try bench.claim().lease
            #expect(try bench.store.publish(JobOutcome(status: .succeeded, progress: JobProgress()), lease: lease))
            bench.clock.advance(100)
            #expect(try bench.store.failOverdue().isEmpty)
            #expect(try bench.current(canceled).status == .canceled)
            #expect(try bench.current(done).status == .succeeded)
        },
    ]
}

extension Bench {
    @discardableResult
    fileprivate func submit(deadline seconds: Double) throws -> Job {
        var job = job()
        job.spec.deadlineSeconds = seconds
        try store.submit(job)
        return job
    }
}
