import Foundation
import Jobs
import Synchronization
import Testing

extension DeliveryStoreContract {
    /// Who gets deliveries.
    static let claimChecks: [DeliveryStoreCheck] = [
        DeliveryStoreCheck("what is due for the longest is claimed first, and once") { fixture in
            let bench = try DeliveryBench(fixture)
            let jobs = try (0..<3).map { _ in
                let job = try bench.submit()
                try bench.end(job, .succeeded)
                bench.clock.advance(1)
                return job.id
            }
            let claims = try (0..<3).map { _ in try bench.claim() }
            #expect(claims.map(\.message.job) == jobs)
            #expect(claims.map(\.attempt) == [1, 1, 1])
            #expect(Set(claims.map(\.lease.token)).count == 3)
            #expect(try bench.store.claimDelivery(leaseSeconds: 60, exceptHosts: []) == nil)
        },
        DeliveryStoreCheck("hosts that are busy are passed over") { fixture in
            let bench = try DeliveryBench(fixture)
            let slow = try bench.submit(url: "https://SLOW.example/a")
            try bench.end(slow, .succeeded)
            let quick = try bench.submit(url: "https://quick.example/b")
            try bench.end(quick, .succeeded)
            #expect(try bench.claim(except: ["slow.example"]).message.job == quick.id)
            #expect(try bench.store.claimDelivery(leaseSeconds: 60, exceptHosts: ["slow.example"]) == nil)
            #expect(try bench.claim(except: ["quick.example"]).message.job == slow.id)
        },
        DeliveryStoreCheck("tenants take turns, each with what has been due for the longest") { fixture in
            let bench = try DeliveryBench(fixture)
            var jobs: [String: [JobID]] = [:]
            for (tenant, host) in [("a", "x"), ("a", "y"), ("a", "x"), ("a", "y"), ("b", "x"), ("c", "z"), ("b", "x")] {
                let job = try bench.submit(url: "https://\(host).example/hook", tenant: TenantID(tenant))
                try bench.end(job, .succeeded)
                jobs[tenant, default: []].append(job.id)
                bench.clock.advance(1)
            }
            let claims = try (0..<7).map { _ in try bench.claim() }
            #expect(claims.map(\.tenant.name) == ["a", "b", "c", "a", "b", "a", "a"])
            for (tenant, jobs) in jobs {
                #expect(claims.filter { $0.tenant.name == tenant }.map(\.message.job) == jobs)
            }
        },
        DeliveryStoreCheck("tenants that are busy are passed over") { fixture in
            let bench = try DeliveryBench(fixture)
            for tenant in ["a", "a", "b"] {
                try bench.end(try bench.submit(tenant: TenantID(tenant)), .succeeded)
            }
            #expect(try bench.claimedTenant(except: "a") == "b")
            #expect(try bench.claimedTenant(except: "a") == nil)
            #expect(try bench.claimedTenant(except: "b") == "a")
        },
        DeliveryStoreCheck("a host's next delivery is claimed when the one before it is done, put off or gone") {
            fixture in
            let bench = try DeliveryBench(fixture)
            let jobs = try (0..<4).map { _ in
                let job = try bench.submit()
                try bench.end(job, .succeeded)
                bench.clock.advance(1)
                return job
            }
            let first = try bench.claim()
            let later = bench.clock.now().addingTimeInterval(100)
            #expect(try bench.store.record(bench.attempt(1), then: .pending(due: later), lease: first.lease))
            _ = try bench.store.delete(jobs[1].id, tenant: .anonymous)
            let third = try bench.claim()
            #expect(third.message.job == jobs[2].id)
            #expect(try bench.store.record(bench.attempt(1), then: .delivered(later), lease: third.lease))
            #expect(try bench.claim().message.job == jobs[3].id)
            #expect(try bench.store.claimDelivery(leaseSeconds: 60, exceptHosts: []) == nil)
            bench.clock.advance(50)
            _ = try bench.store.delete(jobs[3].id, tenant: .anonymous)
            #expect(try bench.store.claimDelivery(leaseSeconds: 60, exceptHosts: []) == nil)
            bench.clock.advance(50)
            #expect(try bench.claim().message.job == jobs[0].id)
        },
        DeliveryStoreCheck("when a lease runs out it is another's, with the same id and body") { fixture in
            let bench = try DeliveryBench(fixture)
            try bench.end(try bench.submit(), .succeeded)
            let first = try bench.claim()
            bench.clock.advance(59)
            #expect(try bench.store.claimDelivery(leaseSeconds: 60, exceptHosts: []) == nil)
            bench.clock.advance(1)
            let second = try bench.claim()
            #expect(second.message == first.message)
            #expect(second.attempt == 2)
            #expect(
                try bench.store.record(bench.attempt(1), then: .failed(bench.clock.now()), lease: first.lease) == false)
            #expect(try bench.store.release(first.lease) == false)
            #expect(try bench.store.record(bench.attempt(2), then: .delivered(bench.clock.now()), lease: second.lease))
        },
        DeliveryStoreCheck("one that is given back is due at once, and the attempt does not count") { fixture in
            let bench = try DeliveryBench(fixture)
            let job = try bench.submit()
            try bench.end(job, .succeeded)
            #expect(try bench.store.release(try bench.claim().lease))
            #expect(try bench.deliveries(job).first?.state == .pending(due: bench.clock.now()))
            #expect(try bench.claim().attempt == 1)
        },
        DeliveryStoreCheck("eight that claim at the same time get every delivery once") { fixture in
            let bench = try DeliveryBench(fixture)
            for _ in 0..<40 { try bench.end(try bench.submit(), .succeeded) }
            let stores = try (0..<8).map { _ in try fixture.openDeliveries(bench.clock) }
            let claimed = Mutex<[DeliveryID]>([])
            let failures = Mutex<[String]>([])
            onThreads(8) { index in
                do {
                    while let claim = try stores[index].claimDelivery(leaseSeconds: 60, exceptHosts: []) {
                        claimed.withLock { $0.append(claim.message.id) }
                    }
                } catch {
                    failures.withLock { $0.append("\(error)") }
                }
            }
            #expect(failures.withLock { $0 }.isEmpty)
            #expect(claimed.withLock { $0.count } == 40)
            #expect(claimed.withLock { Set($0).count } == 40)
        },
    ]
}
