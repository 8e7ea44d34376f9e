import Foundation
import Jobs
import Testing

extension JobStoreContract {
    static let queueChecks: [JobStoreCheck] = [
        JobStoreCheck("claims go by priority, then by age") { fixture in
            let bench = try Bench(fixture)
            let low = try bench.submit(priority: -5)
            let first = try bench.submit()
            let second = try bench.submit()
            let high = try bench.submit(priority: 7)
            let order = try (0..<4).map { _ in try bench.claim().job.id }
            #expect(order == [high.id, first.id, second.id, low.id])
        },
        JobStoreCheck("an empty queue gives no claim") { fixture in
            let bench = try Bench(fixture)
            #expect(try bench.store.claim(owner: "worker", leaseSeconds: 30) == nil)
        },
        JobStoreCheck("a claim counts the attempt, starts the clock and makes a new token") { fixture in
            let bench = try Bench(fixture)
            let submitted = try bench.submit()
            bench.clock.advance(2)
            let claimed = try bench.claim(leaseSeconds: 30)
            #expect(claimed.job.status == .running)
            #expect(claimed.job.attempt == 1)
            #expect(claimed.job.startedAt == bench.clock.now())
            #expect(claimed.job.revision > submitted.revision)
            #expect(claimed.lease.expiresAt == bench.clock.now().addingTimeInterval(30))
            #expect(claimed.lease.token.count == 32)
            #expect(try bench.current(submitted) == claimed.job)
            #expect(try bench.store.release(claimed.lease))
            #expect(try bench.claim().lease.token != claimed.lease.token)
        },
        JobStoreCheck("an outcome is published whole") { fixture in
            let bench = try Bench(fixture)
            let submitted = try bench.submit()
            let claimed = try bench.claim()
            bench.clock.advance(5)
            let failure = JobFailure(
                code: .undecodable, message: "frame 3 is \"bad\"", frame: 3, pointer: "#/targets/0")
            let progress = JobProgress(framesDone: 3, framesTotal: 88, framesPerSecond: 120.5)
            let outcome = JobOutcome(
                status: .failed, failure: failure, progress: progress, resultKey: "jobs/r", videoKey: "jobs/v")
            #expect(try bench.store.publish(outcome, lease: claimed.lease))
            let job = try bench.current(submitted)
            #expect(job.status == .failed)
            #expect(job.failure == failure)
            #expect(job.progress == progress)
            #expect(job.resultKey == "jobs/r")
            #expect(job.videoKey == "jobs/v")
            #expect(job.finishedAt == bench.clock.now())
            #expect(job.revision > claimed.job.revision)
        },
        JobStoreCheck("an outcome that is no end is refused") { fixture in
            let bench = try Bench(fixture)
            let submitted = try bench.submit()
            let claimed = try bench.claim()
            let outcome = JobOutcome(status: .queued, progress: JobProgress())
            #expect(throws: JobsError.self) { try bench.store.publish(outcome, lease: claimed.lease) }
            #expect(try bench.current(submitted).status == .running)
        },
        JobStoreCheck("what the decoder found is kept") { fixture in
            let bench = try Bench(fixture)
            let submitted = try bench.submit()
            let claimed = try bench.claim()
            var source = submitted.source
            (source.width, source.height, source.frameRate, source.codec) = (360, 240, 29.97, "h264")
            source.frameCount = 300
            #expect(try bench.store.describeSource(source, lease: claimed.lease))
            #expect(try bench.current(submitted).source == source)
        },
        JobStoreCheck("a released job is queued again and its attempt does not count") { fixture in
            let bench = try Bench(fixture)
            let submitted = try bench.submit()
            for _ in 0..<10 { #expect(try bench.store.release(try bench.claim().lease)) }
            let job = try bench.current(submitted)
            #expect(job.status == .queued)
            #expect(job.attempt == 0)
            #expect(job.startedAt == nil)
        },
        JobStoreCheck("a video can be attached to a job that has ended, and to no other") { fixture in
            let bench = try Bench(fixture)
            let submitted = try bench.submit()
            #expect(try bench.store.attachVideo("jobs/v", job: submitted.id) == false)
            let claimed = try bench.claim()
            _ = try bench.store.publish(JobOutcome(status: .succeeded, progress: JobProgress()), lease: claimed.lease)
            #expect(try bench.store.attachVideo("jobs/v", job: submitted.id))
            #expect(try bench.current(submitted).videoKey == "jobs/v")
        },
    ]
}
