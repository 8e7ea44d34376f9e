import Foundation
import Jobs
import JobStoreContract
import Synchronization
import Testing

@testable import PostgresJobStore

@Suite("PostgresJobStore")
struct PostgresJobStoreTests {
    @Test("keeps the contract", arguments: JobStoreContract.checks)
    func contract(_ check: JobStoreCheck) throws {
        try check.run(TemporarySchema())
    }

    @Test("keeps the contract of uploads", arguments: UploadStoreContract.checks)
    func uploadContract(_ check: UploadStoreCheck) throws {
        try check.run(TemporarySchema())
    }

    @Test("keeps the contract of deliveries", arguments: DeliveryStoreContract.checks)
    func deliveryContract(_ check: DeliveryStoreCheck) throws {
        try check.run(TemporarySchema())
    }

    @Test("a commit is on the disk when it returns, whatever the database's default is")
    func synchronousCommit() throws {
        let schema = try TemporarySchema()
        let store = try schema.store { $0.url += "%20-csynchronous_commit%3Doff" }
        let setting = try store.transactor.write { connection in
            try connection.execute("SELECT current_setting('synchronous_commit')").first?.text(0)
        }
        #expect(setting == "on")
    }

    @Test("a claim is on the disk when it returns, so that no crash makes another of the same attempt")
    func durableClaim() throws {
        let store = try TemporarySchema().store()
        let job = try Job.simple()
        try store.submit(job)
        let setting = try store.transactor.write { connection in
            try connection.execute("SELECT * FROM claim_job(NULL, 'worker', 'token', 1000)")
            return try connection.execute("SELECT current_setting('synchronous_commit')").first?.text(0)
        }
        #expect(setting == "on")
        #expect(try store.job(job.id, tenant: .anonymous)?.status == .running)
    }

    @Test("two stores that claim at the same time, tenants and turns among them, never get the same job")
    func twoStores() throws {
        let schema = try TemporarySchema()
        let stores = try (0..<2).map { _ in try schema.store() }
        let ids = JobIDGenerator()
        for number in 0..<200 { try stores[0].submit(try .simple(ids.next(), tenant: TenantID("t\(number % 5)"))) }
        let claimed = Mutex<[JobID]>([])
        let failures = Mutex<[String]>([])
        onThreads(4) { thread in
            do {
                while let claim = try stores[thread % 2].claim(owner: "worker", leaseSeconds: 600) {
                    claimed.withLock { $0.append(claim.job.id) }
                }
            } catch {
                failures.withLock { $0.append("\(error)") }
            }
        }
        #expect(failures.withLock { $0 } == [])
        #expect(claimed.withLock { $0.count } == 200)
        #expect(claimed.withLock { Set($0).count } == 200)
    }

    @Test("a quota of running jobs is kept however many claim at the same time")
    func runningQuota() throws {
        let schema = try TemporarySchema()
        let stores = try (0..<4).map { _ in try schema.store() }
        try stores[0].setQuota(TenantQuota(running: 3), of: .anonymous)
        let ids = JobIDGenerator()
        for _ in 0..<20 { try stores[0].submit(try .simple(ids.next())) }
        let claimed = Atomic(0)
        onThreads(8) { thread in
            if (try? stores[thread % 4].claim(owner: "worker", leaseSeconds: 600)) != nil {
                claimed.wrappingAdd(1, ordering: .relaxed)
            }
        }
        #expect(claimed.load(ordering: .relaxed) == 3)
    }

    @Test("submissions that come together pass the limit of a tenant by one for each connection at most")
    func queueLimit() throws {
        let schema = try TemporarySchema()
        let (limit, tenant) = (10, TenantID("a"))
        let stores = try (0..<4).map { _ in try schema.store(capacity: QueueCapacity(perTenant: limit)) }
        let ids = JobIDGenerator()
        let accepted = Atomic(0)
        let submitters = 16
        onThreads(submitters) { thread in
            for _ in 0..<10 {
                do {
                    try stores[thread % 4].submit(try .simple(ids.next(), tenant: tenant))
                    accepted.wrappingAdd(1, ordering: .relaxed)
                } catch let error as JobsError where error.code == .quotaExceeded {
                } catch {
                    Issue.record(error)
                }
            }
        }
        let queued = try stores[0].usage(of: tenant).queued
        #expect(queued == accepted.load(ordering: .relaxed))
        #expect((limit..<limit + submitters).contains(queued))
    }

    @Test("leases run by the database's clock, not by the machine's")
    func databaseClock() throws {
        let store = try TemporarySchema().store()
        try store.submit(try .simple())
        let before = try #require(try databaseNow(store))
        let claim = try #require(try store.claim(owner: "worker", leaseSeconds: 30))
        let after = try #require(try databaseNow(store))
        #expect(claim.lease.expiresAt.unixMilliseconds - 30_000 >= before)
        #expect(claim.lease.expiresAt.unixMilliseconds - 30_000 <= after)
        #expect(try store.expireLeases().isEmpty)
        _ = try store.transactor.write { connection in
            try connection.execute("UPDATE jobs SET lease_expires_at = lease_expires_at - 30001").changed
        }
        #expect(try store.expireLeases() == [claim.job.id])
    }

    private func databaseNow(_ store: PostgresJobStore) throws -> Int64? {
        try store.transactor.read { connection in
            try connection.execute("SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint").first?
                .optionalInteger(0)
        }
    }

    @Test("texts that PostgreSQL cannot hold are refused, and nothing is kept")
    func nul() throws {
        let store = try TemporarySchema().store()
        var job = try Job.simple()
        job.spec.labels = ["camera": "7\0"]
        #expect(throws: JobsError.self) { try store.submit(job) }
        #expect(try store.exists(job.id) == false)
        #expect(try store.jobs(JobQuery(tenant: .anonymous, labels: ["camera": "7\0"])).jobs.isEmpty)
        job.spec.labels = ["camera": "a \"quoted\" \\ text, {in} braces", "site": "NULL"]
        try store.submit(job)
        #expect(try store.jobs(JobQuery(tenant: .anonymous, labels: job.spec.labels)).jobs.map(\.id) == [job.id])
    }

    @Test(
        "queries go by their indexes, however small the tables are",
        arguments: [
            ("SELECT id FROM jobs WHERE status = 'queued' ORDER BY tenant LIMIT 1", "jobs_queue"),
            (
                "SELECT id FROM jobs WHERE tenant = 'a' AND status = 'queued' ORDER BY priority DESC, id LIMIT 1",
                "jobs_queue"
            ),
            ("SELECT count(*) FROM jobs WHERE tenant = 'a' AND status = 'running'", "jobs_running"),
            ("SELECT id FROM jobs WHERE status = 'running' AND lease_expires_at <= 1", "jobs_running"),
            (
                "SELECT id FROM jobs WHERE status = 'queued' AND deadline_at IS NOT NULL AND deadline_at <= 1",
                "jobs_deadlines"
            ),
            ("SELECT min(created_at) FROM jobs WHERE status = 'queued'", "jobs_queued_by_age"),
            ("SELECT min(created_at) FROM deliveries WHERE state = 'pending'", "deliveries_pending_by_age"),
        ])
    func plans(_ sql: String, _ index: String) throws {
        let plan = try TemporarySchema().store().transactor.read { connection in
            try connection.execute("EXPLAIN " + sql).rows.map { $0.text(0) }.joined(separator: "\n")
        }
        #expect(plan.contains(index), "\(plan)")
        #expect(!plan.contains("Sort"), "\(plan)")
    }
}
