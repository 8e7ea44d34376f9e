import Foundation
import Jobs
import Synchronization
import Testing

extension JobStoreContract {
    /// Of the source of each of the bench's jobs.
    private static let source: Int64 = 812_345

    static let storedBytesChecks: [JobStoreCheck] = [
        JobStoreCheck("a submission over the quota of stored bytes is refused whole, until something is deleted") {
            fixture in
            let bench = try Bench(fixture)
            let tenant = TenantID("a")
            try bench.store.setQuota(TenantQuota(stored: 2 * source), of: tenant)
            let first = try bench.submit(tenant: tenant)
            try bench.submit(tenant: tenant)
            let error = try #require(throws: JobsError.self) {
                try bench.submit(tenant: tenant, labels: ["camera": "7"])
            }
            #expect(error.code == .storedQuotaExceeded)
            #expect(error.limit == 1_624_690 && error.left == 0)
            #expect(error.message.contains("1624690") && error.message.contains("812345"), "\(error.message)")
            #expect(try bench.store.jobs(JobQuery(tenant: tenant)).jobs.count == 2)
            #expect(try bench.store.jobs(JobQuery(tenant: tenant, labels: ["camera": "7"])).jobs.isEmpty)
            let attempt = IdempotentAttempt(key: "k", fingerprint: "ab", answer: [])
            #expect(throws: JobsError.self) { try bench.store.submit(bench.job(tenant: tenant), as: attempt) }
            #expect(try bench.store.attempt(key: "k", tenant: tenant) == nil)
            try bench.submit(tenant: TenantID("b"))
            _ = try bench.store.delete(first.id, tenant: tenant)
            try bench.submit(tenant: tenant)
        },
        JobStoreCheck("submissions that come together do not pass the quota of stored bytes") { fixture in
            let bench = try Bench(fixture)
            try bench.store.setQuota(TenantQuota(stored: 10 * source + 1), of: .anonymous)
            #expect(try refusals(of: 40, bench, fixture, as: .storedQuotaExceeded) == 30)
            #expect(try bench.store.usage(of: .anonymous).stored == 10 * source)
        },
        JobStoreCheck("a job's result and videos count, also those that were made later, until it is purged") {
            fixture in
            let bench = try Bench(fixture, retentionSeconds: 100)
            let job = try bench.submit()
            #expect(try bench.stored() == source)
            let lost = try bench.claim().lease
            bench.clock.advance(31)
            _ = try bench.store.expireLeases()
            let lease = try bench.claim().lease
            let outcome = JobOutcome(status: .succeeded, progress: JobProgress(), storedBytes: 1_000)
            #expect(try bench.store.publish(outcome, lease: lost) == false)
            #expect(try bench.stored() == source)
            #expect(try bench.store.publish(outcome, lease: lease))
            #expect(try bench.stored() == source + 1_000)
            let revision = try bench.current(job).revision
            try bench.store.addStoredBytes(200, to: job.id)
            #expect(try bench.stored() == source + 1_200)
            #expect(try bench.current(job).revision == revision, "what clients see of the job has not changed")
            try bench.store.markPurged([job.id])
            #expect(try bench.stored() == 0)
            try bench.store.addStoredBytes(200, to: job.id)
            try bench.store.markPurged([job.id])
            #expect(try bench.stored() == 0)
            bench.clock.advance(1)
            try bench.store.removePurged([job.id])
            try bench.store.addStoredBytes(200, to: job.id)
            #expect(try bench.stored() == 0)
        },
        JobStoreCheck("what is stored is summed right through everything that can happen to a job") { fixture in
            let bench = try Bench(fixture)
            let tenants = ["a", "b"].map { TenantID($0) }
            var expected: [TenantID: [JobID: Int64]] = [:]
            var leases: [(lease: Lease, tenant: TenantID)] = []
            var state: UInt64 = 2
            func random(_ count: Int) -> Int {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                return Int(state >> 33) % count
            }
            for _ in 0..<200 {
                let tenant = tenants[random(2)]
                let jobs = try bench.store.jobs(JobQuery(tenant: tenant, limit: 200)).jobs
                let job = jobs.isEmpty ? nil : jobs[random(jobs.count)].id
                switch random(7) {
                case 0, 1: expected[tenant, default: [:]][try bench.submit(tenant: tenant).id] = source
                case 2:
                    if let claimed = try bench.store.claim(owner: "w", leaseSeconds: 30) {
                        leases.append((claimed.lease, claimed.job.tenant))
                    }
                case 3:
                    if let (lease, owner) = leases.popLast() {
                        let outcome = JobOutcome(status: .failed, progress: JobProgress(), storedBytes: 77)
                        if try bench.store.publish(outcome, lease: lease) { expected[owner]?[lease.job]? += 77 }
                    }
                case 4:
                    if let job {
                        try bench.store.addStoredBytes(5, to: job)
                        expected[tenant]?[job]? += 5
                    }
                case 5:
                    if let job {
                        _ = try bench.store.delete(job, tenant: tenant)
                        expected[tenant]?[job] = nil
                    }
                default: if let job { _ = try bench.store.requestCancel(job, tenant: tenant) }
                }
                for tenant in tenants {
                    let sum = expected[tenant, default: [:]].values.reduce(0, +)
                    try #require(try bench.store.usage(of: tenant).stored == sum)
                }
            }
        },
    ]
}

extension UploadStoreContract {
    static let storedBytesChecks: [UploadStoreCheck] = [
        UploadStoreCheck("an upload counts with its length, or with what has come, until a job has it or it is gone") {
            fixture in
            let bench = try UploadBench(fixture)
            let taken = try bench.complete()
            #expect(try bench.stored() == 10)
            let deferred = try bench.create(length: nil)
            #expect(try bench.stored() == 10)
            let begun = try #require(try bench.advance(deferred, to: 4, length: nil))
            #expect(try bench.stored() == 14)
            _ = try bench.advance(begun, to: 4, length: 30)
            #expect(try bench.stored() == 40)
            let job = bench.job()
            #expect(try bench.store.submit(job, taking: taken.id))
            #expect(try bench.stored() == 40, "the job has the bytes that the upload had")
            _ = try bench.store.delete(job.id, tenant: .anonymous)
            #expect(try bench.stored() == 30)
            _ = try bench.store.delete(deferred.id, tenant: .anonymous)
            #expect(try bench.stored() == 0)
            _ = try bench.create(seconds: 5)
            bench.clock.advance(6)
            _ = try bench.store.expireUploads()
            #expect(try bench.stored() == 0)
        },
        UploadStoreCheck("an upload that is longer than the tenant may store is refused, and others' are not") {
            fixture in
            let bench = try UploadBench(fixture)
            let tenant = TenantID("a")
            try bench.store.setQuota(TenantQuota(stored: 25), of: tenant)
            let first = try bench.complete(tenant: tenant)
            _ = try bench.create(tenant: tenant)
            let error = try #require(throws: JobsError.self) { try bench.create(tenant: tenant) }
            #expect(error.code == .storedQuotaExceeded && error.limit == 25 && error.left == 5)
            #expect(try bench.store.usage(of: tenant).stored == 20)
            _ = try bench.create(tenant: TenantID("b"))
            #expect(throws: JobsError.self) { try bench.store.submit(bench.job(tenant: tenant)) }
            #expect(try bench.store.submit(bench.job(tenant: tenant), taking: first.id), "it counts already")
            #expect(throws: JobsError.self) { try bench.create(tenant: tenant) }
            _ = try bench.create(length: 5, tenant: tenant)
        },
        UploadStoreCheck("what comes to an upload without a length, or its length, does not pass the quota either") {
            fixture in
            let bench = try UploadBench(fixture)
            try bench.store.setQuota(TenantQuota(stored: 25), of: .anonymous)
            let uploads = try (0..<3).map { _ in try bench.create(length: nil) }
            let first = try #require(try bench.advance(uploads[0], to: 10, length: nil))
            _ = try bench.advance(uploads[1], to: 0, length: 15)
            let error = try #require(throws: JobsError.self) { try bench.advance(uploads[2], to: 1, length: nil) }
            #expect(error.code == .storedQuotaExceeded && error.limit == 25 && error.left == 0)
            #expect(throws: JobsError.self) { try bench.advance(first, to: 10, length: 11) }
            #expect(try bench.stored() == 25)
            let known = try #require(try bench.advance(first, to: 10, length: 10))
            #expect(known.isComplete)
        },
        UploadStoreCheck("uploads and submissions that come together do not pass the quota of stored bytes") {
            fixture in
            let bench = try UploadBench(fixture)
            try bench.store.setQuota(TenantQuota(stored: 100), of: .anonymous)
            let stores = try (0..<4).map { _ in try fixture.openUploads(bench.clock) }
            let jobs = (0..<30).map { _ in bench.job() }
            let uploads = (0..<30).map { _ in
                Upload(
                    id: UploadID(bench.ids.next()), tenant: .anonymous, length: 10, metadata: "",
                    createdAt: bench.clock.now(), expiresAt: bench.clock.now().addingTimeInterval(100))
            }
            let refused = Mutex(0)
            onThreads(60) { index in
                do {
                    if index % 2 == 0 {
                        try stores[index % 4].submit(jobs[index / 2])
                    } else {
                        try stores[index % 4].create(uploads[index / 2])
                    }
                } catch let error as JobsError where error.code == .storedQuotaExceeded {
                    refused.withLock { $0 += 1 }
                } catch {
                    Issue.record(error)
                }
            }
            #expect(refused.withLock { $0 } == 50)
            #expect(try bench.store.usage(of: .anonymous).stored == 100)
        },
    ]
}
