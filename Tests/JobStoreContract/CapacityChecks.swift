import Foundation
import Jobs
import Testing

extension JobStoreContract {
    static let capacityChecks: [JobStoreCheck] = [
        JobStoreCheck("a tenant without a quota is held to the store's limit, whichever way it submits") { fixture in
            let bench = try Bench(fixture, capacity: QueueCapacity(perTenant: 2))
            let tenant = TenantID("a")
            for _ in 0..<2 { try bench.submit(tenant: tenant, labels: ["camera": "7"]) }
            let error = try #require(throws: JobsError.self) {
                try bench.submit(tenant: tenant, labels: ["camera": "7"])
            }
            #expect(error.code == .quotaExceeded && error.limit == 2)
            #expect(try bench.store.jobs(JobQuery(tenant: tenant, labels: ["camera": "7"])).jobs.count == 2)
            let attempt = IdempotentAttempt(key: "k", fingerprint: "ab", answer: [])
            #expect(throws: JobsError.self) { try bench.store.submit(bench.job(tenant: tenant), as: attempt) }
            #expect(try bench.store.attempt(key: "k", tenant: tenant) == nil)
            try bench.submit(tenant: TenantID("b"))
            _ = try bench.claim()
            _ = try bench.claim()
            #expect(try bench.store.submit(bench.job(tenant: tenant), as: attempt) == nil)
        },
        JobStoreCheck("a tenant's own quota counts in place of the store's limit, in both directions") { fixture in
            let bench = try Bench(fixture, capacity: QueueCapacity(perTenant: 2))
            for (name, quota) in [("less", 1), ("more", 4)] {
                let tenant = TenantID(name)
                try bench.store.setQuota(TenantQuota(queued: quota), of: tenant)
                for _ in 0..<quota { try bench.submit(tenant: tenant) }
                let error = try #require(throws: JobsError.self) { try bench.submit(tenant: tenant) }
                #expect(error.limit == quota)
            }
            // A quota of something else is none of queued jobs.
            let other = TenantID("other")
            try bench.store.setQuota(TenantQuota(running: 1, stored: 1 << 40), of: other)
            for _ in 0..<2 { try bench.submit(tenant: other) }
            #expect(throws: JobsError.self) { try bench.submit(tenant: other) }
        },
        JobStoreCheck("without keys there is no limit of a tenant, but that of all") { fixture in
            let bench = try Bench(fixture, capacity: QueueCapacity(total: 4, perTenant: 2))
            for _ in 0..<4 { try bench.submit() }
            let error = try #require(throws: JobsError.self) { try bench.submit() }
            #expect(error.code == .queueFull)
            #expect(try bench.store.counts()[.queued] == 4)
        },
        JobStoreCheck("a full queue refuses everybody; who has too much in it is told of that first") { fixture in
            let bench = try Bench(fixture, capacity: QueueCapacity(total: 3, perTenant: 2))
            let (loud, quiet) = (TenantID("loud"), TenantID("quiet"))
            for _ in 0..<2 { try bench.submit(tenant: loud) }
            try bench.submit(tenant: quiet)
            let tooMuch = try #require(throws: JobsError.self) { try bench.submit(tenant: loud) }
            #expect(tooMuch.code == .quotaExceeded)
            let full = try #require(throws: JobsError.self) { try bench.submit(tenant: quiet) }
            #expect(full.code == .queueFull)
            _ = try bench.claim()
            try bench.submit(tenant: quiet)
        },
    ]

    /// Of a store to which submissions are made one after the other.
    public static let exactCapacityChecks: [JobStoreCheck] = [
        JobStoreCheck("submissions that come together do not pass the store's limit of a tenant") { fixture in
            let capacity = QueueCapacity(perTenant: 10)
            let bench = try Bench(fixture, capacity: capacity)
            let tenant = TenantID("a")
            let refused = try refusals(of: 40, bench, fixture, as: .quotaExceeded, tenant: tenant, capacity: capacity)
            #expect(refused == 30)
            #expect(try bench.store.usage(of: tenant).queued == 10)
        }
    ]
}
