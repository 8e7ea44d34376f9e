import Jobs
import Testing

extension JobStoreContract {
    static let changeChecks: [JobStoreCheck] = [
        JobStoreCheck("the count of changes moves with every change, whoever makes it, and stays while there is none") {
            fixture in
            let bench = try Bench(fixture)
            let changes = try #require(bench.store as? any ChangeCount)
            var last = changes.changeCount()
            #expect(last != nil)
            func expectChange(_ what: String, within seconds: Double = 0, _ body: () throws -> Void) throws {
                try body()
                if seconds > 0 {
                    try waitFor("\(what) to be counted", seconds: seconds) { changes.changeCount() != last }
                }
                let count = changes.changeCount()
                #expect(count != nil && count != last, "\(what)")
                last = count
                #expect(changes.changeCount() == last)
            }
            let job = bench.job()
            try expectChange("submit") { try bench.store.submit(job) }
            _ = try bench.store.job(job.id, tenant: .anonymous)
            _ = try bench.store.jobs(JobQuery(tenant: .anonymous))
            #expect(changes.changeCount() == last)
            // Another process on the same database.
            let other = try fixture.open(bench.clock)
            var claimed: ClaimedJob?
            try expectChange("claim elsewhere", within: fixture.noticeSeconds) {
                claimed = try other.claim(owner: "other", leaseSeconds: 30)
            }
            let lease = try #require(claimed).lease
            try expectChange("heartbeat elsewhere", within: fixture.noticeSeconds) {
                _ = try other.heartbeat(lease, progress: JobProgress(framesDone: 1), leaseSeconds: 30)
            }
            try expectChange("cancel") { _ = try bench.store.requestCancel(job.id, tenant: .anonymous) }
            try expectChange("delete") { _ = try bench.store.delete(job.id, tenant: .anonymous) }
        }
    ]
}
