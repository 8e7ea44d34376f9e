import Foundation
import Jobs
import Testing

extension JobStoreContract {
    static let revisionChecks: [JobStoreCheck] = [
        JobStoreCheck("the revisions of many jobs come in one look, those of jobs that are not there do not") {
            fixture in
            let bench = try Bench(fixture)
            let revisions = try #require(bench.store as? any JobRevisionStore)
            let jobs = try (0..<1_200).map { try bench.submit(tenant: TenantID("\($0 % 3)")) }
            let missing = bench.ids.next()
            let seen = try revisions.revisions(of: jobs.dropFirst(10).map(\.id) + [missing])
            #expect(seen.count == 1_190)
            for job in jobs.dropFirst(10) { #expect(seen[job.id] == job.revision) }
            #expect(try revisions.revisions(of: []).isEmpty)
        },
        JobStoreCheck("every change of a job is a new revision") { fixture in
            let bench = try Bench(fixture)
            let revisions = try #require(bench.store as? any JobRevisionStore)
            let job = try bench.submit()
            var last = try #require(try revisions.revisions(of: [job.id])[job.id])
            func expectChange(_ what: Comment) throws {
                let now = try revisions.revisions(of: [job.id])[job.id] ?? 0
                #expect(now > last, what)
                #expect(try bench.current(job).revision == now)
                last = now
            }
            let first = try bench.claim()
            try expectChange("a claim")
            _ = try bench.store.heartbeat(first.lease, progress: JobProgress(framesDone: 1), leaseSeconds: 30)
            try expectChange("progress")
            _ = try bench.store.release(first.lease)
            try expectChange("a release")
            let second = try bench.claim()
            try expectChange("a second claim")
            _ = try bench.store.requestCancel(job.id, tenant: .anonymous)
            try expectChange("a cancellation")
            _ = try bench.store.publish(JobOutcome(status: .canceled, progress: JobProgress()), lease: second.lease)
            try expectChange("an end")
            _ = try bench.store.delete(job.id, tenant: .anonymous)
            #expect(try revisions.revisions(of: [job.id]).isEmpty)
        },
    ]
}
