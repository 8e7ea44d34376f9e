import Foundation
import Jobs
import Testing

extension JobStoreContract {
    static let retentionChecks: [JobStoreCheck] = [
        JobStoreCheck("a job gets its time when it ends, however it ends") { fixture in
            let bench = try Bench(fixture, retentionSeconds: 100)
            let succeeded = try bench.submit()
            #expect(try bench.current(succeeded).expiresAt == nil)
            let lease = try bench.claim().lease
            #expect(try bench.current(succeeded).expiresAt == nil)
            bench.clock.advance(5)
            let expected = bench.clock.now().addingTimeInterval(100)
            _ = try bench.store.publish(JobOutcome(status: .succeeded, progress: JobProgress()), lease: lease)

            let canceled = try bench.submit()
            _ = try bench.store.requestCancel(canceled.id, tenant: .anonymous)

            let released = try bench.submit()
            let releasedLease = try bench.claim().lease
            _ = try bench.store.requestCancel(released.id, tenant: .anonymous)
            #expect(try bench.current(released).expiresAt == nil)
            _ = try bench.store.release(releasedLease)

            for job in [succeeded, canceled, released] { #expect(try bench.current(job).expiresAt == expected) }

            let lost = try bench.submit()
            for _ in 1...QueueLimits.attempts {
                _ = try bench.claim(leaseSeconds: 30)
                bench.clock.advance(31)
                _ = try bench.store.expireLeases()
            }
            #expect(try bench.current(lost).expiresAt == bench.clock.now().addingTimeInterval(100))
        },
        JobStoreCheck("a job that goes back to the queue gets no time") { fixture in
            let bench = try Bench(fixture, retentionSeconds: 100)
            let job = try bench.submit()
            _ = try bench.store.release(try bench.claim().lease)
            #expect(try bench.current(job).expiresAt == nil)
            _ = try bench.claim(leaseSeconds: 30)
            bench.clock.advance(31)
            _ = try bench.store.expireLeases()
            #expect(try bench.current(job).expiresAt == nil)
            bench.clock.advance(10_000)
            #expect(try bench.store.expiredJobs(limit: 10).isEmpty)
        },
        JobStoreCheck("without retention nothing ever expires") { fixture in
            let bench = try Bench(fixture)
            let job = try bench.ended()
            bench.clock.advance(1e9)
            #expect(try bench.current(job).expiresAt == nil)
            #expect(try bench.store.expiredJobs(limit: 10).isEmpty)
            #expect(try bench.store.scheduleExpiry(after: nil, limit: 10) == nil)
            #expect(try bench.current(job).expiresAt == nil)
        },
        JobStoreCheck("jobs expire when their time is over, those that waited longest first, until they are purged") {
            fixture in
            let bench = try Bench(fixture, retentionSeconds: 100)
            var jobs: [JobID] = []
            for _ in 0..<5 {
                jobs.append(try bench.ended().id)
                bench.clock.advance(1)
            }
            bench.clock.advance(94.5)
            #expect(try bench.store.expiredJobs(limit: 10).isEmpty)
            bench.clock.advance(2.5)
            #expect(try bench.store.expiredJobs(limit: 10) == Array(jobs[0..<3]))
            #expect(try bench.store.expiredJobs(limit: 2) == Array(jobs[0..<2]))
            try bench.store.markPurged(Array(jobs[0..<2]))
            #expect(try bench.store.expiredJobs(limit: 10) == [jobs[2]])
        },
        JobStoreCheck("a purged job's row stays as it was, until that is removed too") { fixture in
            let bench = try Bench(fixture, retentionSeconds: 100)
            let job = try bench.ended()
            let kept = try bench.ended()
            let before = try bench.current(job)
            bench.clock.advance(200)
            try bench.store.markPurged([job.id])
            #expect(try bench.current(job) == before)
            #expect(try bench.store.jobs(JobQuery(tenant: .anonymous)).jobs.count == 2)
            let purged = bench.clock.now()
            bench.clock.advance(50)
            try bench.store.markPurged([job.id])
            #expect(try bench.store.purgedJobs(until: purged.addingTimeInterval(-1), limit: 10).isEmpty)
            #expect(try bench.store.purgedJobs(until: purged, limit: 10) == [job.id])
            try bench.store.removePurged([job.id, kept.id])
            #expect(try bench.store.exists(job.id) == false)
            #expect(try bench.store.exists(kept.id))
            #expect(try bench.store.counts()[.succeeded] == 1)
        },
        JobStoreCheck("jobs that ended before there was a retention get the full time from now on") { fixture in
            let earlier = try Bench(fixture)
            let jobs = try (0..<5).map { _ in try earlier.ended() }
            let bench = try Bench(fixture, retentionSeconds: 100)
            bench.clock.advance(5_000)
            let queued = try bench.submit()
            let expected = bench.clock.now().addingTimeInterval(100)
            var place: JobID?
            var steps = 0
            repeat {
                place = try bench.store.scheduleExpiry(after: place, limit: 2)
                steps += 1
            } while place != nil && steps < 10
            #expect(steps == 3)
            for job in jobs { #expect(try bench.current(job).expiresAt == expected) }
            #expect(try bench.current(queued).expiresAt == nil)
        },
    ]
}

extension Bench {
    /// A job that was submitted, claimed and has succeeded.
    @discardableResult
    func ended(tenant: TenantID = .anonymous) throws -> Job {
        let job = try submit(tenant: tenant)
        let claimed = try claim()
        try #require(claimed.job.id == job.id)
        _ = try store.publish(
            JobOutcome(status: .succeeded, progress: JobProgress(), resultKey: "jobs/r"), lease: claimed.lease)
        return job
    }
}
