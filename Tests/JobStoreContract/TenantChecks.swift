import Foundation
import Jobs
import Synchronization
import Testing

extension JobStoreContract {
    private static let flood = 1_000

    static let tenantChecks: [JobStoreCheck] = [
        JobStoreCheck("one tenant floods, and another's single job is claimed next") { fixture in
            let bench = try Bench(fixture)
            let (loud, quiet) = (TenantID("loud"), TenantID("quiet"))
            for _ in 0..<flood { try bench.submit(tenant: loud, priority: 100) }
            #expect(try bench.claim().job.tenant == loud)
            let single = try bench.submit(tenant: quiet, priority: -100)
            #expect(try bench.claim().job.id == single.id)
            #expect(try bench.claim().job.tenant == loud)
        },
        JobStoreCheck("tenants with equally many running jobs take turns, the one served longest ago first") {
            fixture in
            let bench = try Bench(fixture)
            let tenants = ["a", "b", "c"].map { TenantID($0) }
            for tenant in tenants { for _ in 0..<4 { try bench.submit(tenant: tenant) } }
            var served: [String] = []
            for _ in 0..<9 {
                let claimed = try bench.claim()
                served.append(claimed.job.tenant.name)
                // Ended at once, so that all run equally many, none, whenever one is claimed.
                _ = try bench.store.publish(
                    JobOutcome(status: .succeeded, progress: JobProgress()), lease: claimed.lease)
            }
            #expect(Array(served[0..<3]).sorted() == ["a", "b", "c"])
            #expect(served[0..<3] == served[3..<6])
            #expect(served[0..<3] == served[6..<9])
        },
        JobStoreCheck("the tenant with the fewest running jobs goes first, whoever was served last") { fixture in
            let bench = try Bench(fixture)
            let (busy, idle) = (TenantID("busy"), TenantID("idle"))
            for _ in 0..<3 { try bench.submit(tenant: busy) }
            for _ in 0..<3 { #expect(try bench.claim().job.tenant == busy) }
            try bench.submit(tenant: busy)
            for _ in 0..<4 { try bench.submit(tenant: idle) }
            let order = try (0..<5).map { _ in try bench.claim().job.tenant }
            // 3 to 0, 1, 2; at 3 to 3 `busy` was served longer ago.
            #expect(order == [idle, idle, idle, busy, idle])
        },
        JobStoreCheck("within a tenant claims go by priority, then by age") { fixture in
            let bench = try Bench(fixture)
            let tenant = TenantID("a")
            let low = try bench.submit(tenant: tenant, priority: -5)
            let first = try bench.submit(tenant: tenant)
            let second = try bench.submit(tenant: tenant)
            let high = try bench.submit(tenant: tenant, priority: 7)
            _ = try bench.submit(tenant: TenantID("b"), priority: 50)
            var own: [JobID] = []
            for _ in 0..<5 {
                let job = try bench.claim().job
                if job.tenant == tenant { own.append(job.id) }
            }
            #expect(own == [high.id, first.id, second.id, low.id])
        },
        JobStoreCheck("a quota of running jobs holds the tenant's others back, and nobody else's") { fixture in
            let bench = try Bench(fixture)
            let (limited, free) = (TenantID("limited"), TenantID("free"))
            try bench.store.setQuota(TenantQuota(running: 1), of: limited)
            let first = try bench.submit(tenant: limited)
            let second = try bench.submit(tenant: limited)
            let lease = try bench.claim().lease
            #expect(lease.job == first.id)
            #expect(try bench.store.claim(owner: "worker", leaseSeconds: 30) == nil)
            for _ in 0..<3 { try bench.submit(tenant: free) }
            for _ in 0..<3 { #expect(try bench.claim().job.tenant == free) }
            #expect(try bench.store.claim(owner: "worker", leaseSeconds: 30) == nil)
            _ = try bench.store.publish(JobOutcome(status: .succeeded, progress: JobProgress()), lease: lease)
            #expect(try bench.claim().job.id == second.id)
        },
        JobStoreCheck("a quota of running jobs can be raised and lifted while jobs wait") { fixture in
            let bench = try Bench(fixture)
            for _ in 0..<3 { try bench.submit() }
            try bench.store.setQuota(TenantQuota(running: 0), of: .anonymous)
            #expect(try bench.store.claim(owner: "worker", leaseSeconds: 30) == nil)
            try bench.store.setQuota(TenantQuota(running: 1), of: .anonymous)
            _ = try bench.claim()
            #expect(try bench.store.claim(owner: "worker", leaseSeconds: 30) == nil)
            try bench.store.setQuota(TenantQuota(), of: .anonymous)
            _ = try bench.claim()
        },
        JobStoreCheck("a submission over the tenant's quota is refused whole, and others' are not") { fixture in
            let bench = try Bench(fixture)
            let tenant = TenantID("a")
            try bench.store.setQuota(TenantQuota(queued: 2), of: tenant)
            for _ in 0..<2 { try bench.submit(tenant: tenant, labels: ["camera": "7"]) }
            let error = try #require(throws: JobsError.self) {
                try bench.submit(tenant: tenant, labels: ["camera": "7"])
            }
            #expect(error.code == .quotaExceeded)
            #expect(error.message.contains("2"))
            #expect(try bench.store.jobs(JobQuery(tenant: tenant, labels: ["camera": "7"])).jobs.count == 2)
            #expect(try bench.store.usage(of: tenant).isQueueFull)
            try bench.submit(tenant: TenantID("b"))
            _ = try bench.claim()
            _ = try bench.claim()
            #expect(try bench.store.usage(of: tenant).isQueueFull == false)
            try bench.submit(tenant: tenant)
        },
        JobStoreCheck("submissions that come together do not pass the quota") { fixture in
            let bench = try Bench(fixture)
            try bench.store.setQuota(TenantQuota(queued: 10), of: .anonymous)
            #expect(try refusals(of: 40, bench, fixture, as: .quotaExceeded) == 30)
            #expect(try bench.store.usage(of: .anonymous).queued == 10)
        },
        JobStoreCheck("what a tenant has is counted right through everything that can happen to a job") { fixture in
            let bench = try Bench(fixture)
            let tenants = ["a", "b"].map { TenantID($0) }
            var leases: [Lease] = []
            var state: UInt64 = 1
            func random(_ count: Int) -> Int {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                return Int(state >> 33) % count
            }
            for _ in 0..<300 {
                let tenant = tenants[random(2)]
                let jobs = try bench.store.jobs(JobQuery(tenant: tenant, limit: 200)).jobs
                let job = jobs.isEmpty ? nil : jobs[random(jobs.count)].id
                let lease = leases.isEmpty ? nil : leases[random(leases.count)]
                switch random(8) {
                case 0, 1: try bench.submit(tenant: tenant)
                case 2, 3:
                    if let claimed = try bench.store.claim(owner: "w", leaseSeconds: 30) {
                        leases.append(claimed.lease)
                    }
                case 4: if let job { _ = try bench.store.requestCancel(job, tenant: tenant) }
                case 5: if let job { _ = try bench.store.delete(job, tenant: tenant) }
                case 6: if let lease { _ = try bench.store.release(lease) }
                default:
                    if let lease {
                        _ = try bench.store.publish(JobOutcome(status: .failed, progress: JobProgress()), lease: lease)
                    } else {
                        bench.clock.advance(31)
                        _ = try bench.store.expireLeases()
                    }
                }
                for tenant in tenants {
                    let usage = try bench.store.usage(of: tenant)
                    let listed = try [JobStatus.queued, .running].map { status in
                        try bench.store.jobs(JobQuery(tenant: tenant, status: status, limit: 200)).jobs.count
                    }
                    try #require([usage.queued, usage.running] == listed)
                }
            }
        },
        JobStoreCheck("a quota is kept, and a tenant that nobody has heard of has none") { fixture in
            let tenant = TenantID("a")
            let quota = TenantQuota(queued: 5, running: 2, stored: 1 << 40)
            do { try Bench(fixture).store.setQuota(quota, of: tenant) }
            let store = try Bench(fixture).store
            #expect(try store.usage(of: tenant) == TenantUsage(quota: quota))
            #expect(try store.usage(of: TenantID("b")) == TenantUsage())
        },
        JobStoreCheck("filters and pages hold a tenant's own jobs only, whatever others have") { fixture in
            let bench = try Bench(fixture)
            let (own, other) = (TenantID("a"), TenantID("b"))
            var wanted: [JobID] = []
            for index in 0..<9 {
                let labels = ["camera": "\(index % 3)"]
                try bench.submit(tenant: other, labels: labels)
                let job = try bench.submit(tenant: own, labels: labels)
                if index % 3 == 1 { wanted.append(job.id) }
            }
            var query = JobQuery(tenant: own, status: .queued, labels: ["camera": "1"], limit: 2)
            let first = try bench.store.jobs(query)
            #expect(first.jobs.map(\.id) == [wanted[2], wanted[1]])
            #expect(first.hasMore)
            query.before = wanted[1]
            let second = try bench.store.jobs(query)
            #expect(second.jobs.map(\.id) == [wanted[0]])
            #expect(!second.hasMore)
        },
    ]
}

extension JobStoreContract {
    /// How many of so many submissions, that come together through four stores, are refused with a code.
    static func refusals(
        of count: Int, _ bench: Bench, _ fixture: any JobStoreFixture, as code: JobsError.Code,
        tenant: TenantID = .anonymous, capacity: QueueCapacity = QueueCapacity()
    ) throws -> Int {
        let jobs = (0..<count).map { _ in bench.job(tenant: tenant) }
        let stores = try (0..<4).map { _ in try fixture.open(bench.clock, capacity: capacity) }
        let refused = Mutex(0)
        onThreads(count) { index in
            do {
                try stores[index % 4].submit(jobs[index])
            } catch let error as JobsError where error.code == code {
                refused.withLock { $0 += 1 }
            } catch {
                Issue.record(error)
            }
        }
        return refused.withLock { $0 }
    }
}
