import Foundation
import Jobs
import Testing

extension JobStoreContract {
    static let leaseChecks: [JobStoreCheck] = [
        JobStoreCheck("a job is requeued when its lease runs out, and not before") { fixture in
            let bench = try Bench(fixture)
            let submitted = try bench.submit()
            _ = try bench.claim(leaseSeconds: 30)
            bench.clock.advance(29.9)
            #expect(try bench.store.expireLeases().isEmpty)
            bench.clock.advance(0.2)
            #expect(try bench.store.expireLeases() == [submitted.id])
            let job = try bench.current(submitted)
            #expect(job.status == .queued)
            #expect(job.attempt == 1)
            #expect(job.progress == JobProgress())
        },
        JobStoreCheck("a heartbeat renews the lease and keeps the progress") { fixture in
            let bench = try Bench(fixture)
            let submitted = try bench.submit()
            let claimed = try bench.claim(leaseSeconds: 30)
            let progress = JobProgress(framesDone: 7, framesTotal: 88, framesPerSecond: 10)
            bench.clock.advance(20)
            #expect(try bench.store.heartbeat(claimed.lease, progress: progress, leaseSeconds: 30) == .held)
            bench.clock.advance(20)
            #expect(try bench.store.expireLeases().isEmpty)
            #expect(try bench.current(submitted).progress == progress)
        },
        JobStoreCheck("a worker that was stopped past its lease writes nothing") { fixture in
            let bench = try Bench(fixture)
            let submitted = try bench.submit()
            let zombie = try bench.claim(leaseSeconds: 30).lease
            bench.clock.advance(31)
            _ = try bench.store.expireLeases()
            let successor = try bench.claim("other")
            let before = try bench.current(submitted)
            let progress = JobProgress(framesDone: 99)
            #expect(try bench.store.status(of: zombie) == .lost)
            #expect(try bench.store.heartbeat(zombie, progress: progress, leaseSeconds: 30) == .lost)
            #expect(try bench.store.describeSource(submitted.source, lease: zombie) == false)
            #expect(try bench.store.release(zombie) == false)
            #expect(
                try bench.store.publish(JobOutcome(status: .succeeded, progress: progress), lease: zombie) == false)
            #expect(try bench.current(submitted) == before)
            #expect(
                try bench.store.publish(JobOutcome(status: .succeeded, progress: progress), lease: successor.lease))
        },
        JobStoreCheck("nothing is published under a lease that is over, though nobody else has the job") { fixture in
            let bench = try Bench(fixture)
            let submitted = try bench.submit()
            let lease = try bench.claim(leaseSeconds: 30).lease
            let outcome = JobOutcome(status: .succeeded, progress: JobProgress())
            bench.clock.advance(30)
            #expect(try bench.store.publish(outcome, lease: lease) == false)
            #expect(try bench.current(submitted).status == .running)
            #expect(try bench.store.heartbeat(lease, progress: JobProgress(), leaseSeconds: 30) == .held)
            #expect(try bench.store.publish(outcome, lease: lease))
        },
        JobStoreCheck("an outcome is published once") { fixture in
            let bench = try Bench(fixture)
            let submitted = try bench.submit()
            let lease = try bench.claim().lease
            #expect(try bench.store.publish(JobOutcome(status: .succeeded, progress: JobProgress()), lease: lease))
            let before = try bench.current(submitted)
            #expect(
                try bench.store.publish(JobOutcome(status: .failed, progress: JobProgress()), lease: lease) == false)
            #expect(try bench.current(submitted) == before)
        },
        JobStoreCheck("a job that takes its worker down runs three times and fails with worker_lost") { fixture in
            let bench = try Bench(fixture)
            let submitted = try bench.submit()
            for attempt in 1...3 {
                #expect(try bench.claim(leaseSeconds: 30).job.attempt == attempt)
                bench.clock.advance(31)
                #expect(try bench.store.expireLeases() == [submitted.id])
            }
            let job = try bench.current(submitted)
            #expect(job.status == .failed)
            #expect(job.failure?.code == .workerLost)
            #expect(job.finishedAt == bench.clock.now())
            #expect(try bench.store.claim(owner: "worker", leaseSeconds: 30) == nil)
        },
        JobStoreCheck("the jobs of a dead owner are requeued at once, those of others are not") { fixture in
            let bench = try Bench(fixture)
            let first = try bench.submit()
            try bench.submit()
            _ = try bench.claim("dead")
            _ = try bench.claim("alive")
            #expect(try bench.store.owners() == ["dead", "alive"])
            #expect(try bench.store.expireLeases(ofOwner: "dead") == [first.id])
            #expect(try bench.store.owners() == ["alive"])
            #expect(try bench.store.expireLeases(ofOwner: "dead").isEmpty)
        },
    ]
}
