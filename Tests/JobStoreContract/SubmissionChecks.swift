import Foundation
import Jobs
import Testing

extension JobStoreContract {
    static let submissionChecks: [JobStoreCheck] = [
        JobStoreCheck("a submitted job reads back as it was") { fixture in
            let bench = try Bench(fixture)
            let job = try bench.submit(labels: ["camera": "7", "site": "Köln"])
            #expect(try bench.store.job(job.id, tenant: .anonymous) == job)
            #expect(try bench.store.exists(job.id))
        },
        JobStoreCheck("a job of another tenant is not there") { fixture in
            let bench = try Bench(fixture)
            let job = try bench.submit(tenant: TenantID("a"))
            #expect(try bench.store.job(job.id, tenant: TenantID("b")) == nil)
            #expect(try bench.store.requestCancel(job.id, tenant: TenantID("b")) == nil)
            #expect(try bench.store.delete(job.id, tenant: TenantID("b")) == nil)
            #expect(try bench.current(job).status == .queued)
        },
        JobStoreCheck("what was submitted is there when the database is opened again") { fixture in
            let job: Job
            do { job = try Bench(fixture).submit() }
            #expect(try Bench(fixture).store.job(job.id, tenant: .anonymous) == job)
        },
        JobStoreCheck("an id is taken once") { fixture in
            let bench = try Bench(fixture)
            let job = try bench.submit()
            #expect(throws: JobsError.self) { try bench.store.submit(job) }
            #expect(try bench.store.counts()[.queued] == 1)
        },
        JobStoreCheck("counts follow every change of state") { fixture in
            let bench = try Bench(fixture)
            for _ in 0..<5 { try bench.submit() }
            let claimed = try bench.claim()
            let finished = try bench.claim()
            _ = try bench.store.publish(
                JobOutcome(status: .succeeded, progress: JobProgress()), lease: finished.lease)
            let deleted = try bench.claim()
            _ = try bench.store.delete(deleted.job.id, tenant: .anonymous)
            #expect(
                try bench.store.counts() == [.queued: 2, .running: 1, .succeeded: 1, .failed: 0, .canceled: 0])
            _ = try bench.store.release(claimed.lease)
            #expect(try bench.store.counts()[.queued] == 3)
        },
    ]
}
