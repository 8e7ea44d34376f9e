import Foundation
import GRDB
import GRDBSQLite
import Jobs
import JobStoreContract
import Testing

@testable import SQLiteJobStore

@Suite("SQLiteJobStore's queries")
struct QueryPlanTests {
    let database = TemporaryDatabase()

    /// The plan's lines, joined.
    private func plan(_ sql: String, _ arguments: StatementArguments) throws -> String {
        try database.store().pool.writeWithoutTransaction { db in
            try Row.fetchAll(db, sql: "EXPLAIN QUERY PLAN " + sql, arguments: arguments).map { $0["detail"] as String }
                .joined(separator: "; ")
        }
    }

    @Test("a claim takes the first tenant of the turn's index and its first job of the queue's, and sorts nothing")
    func claim() throws {
        let plan = try plan(
            SQLiteJobStore.claimSQL, ["now": 0, "owner": "worker", "token": "t", "expires": 1])
        #expect(plan.contains("SEARCH jobs USING INDEX jobs_queue (tenant=?)"), "\(plan)")
        #expect(plan.contains("SCAN tenants USING INDEX tenants_turn"), "\(plan)")
        #expect(!plan.contains("TEMP B-TREE"), "\(plan)")
    }

    @Test("100,000 queued jobs make a claim, a list and a tenant's counts no longer")
    func longQueue() throws {
        let store = try database.store()
        try submit(0..<30, to: store)
        let short = try steps(store)
        try submit(30..<100_000, to: store)
        let long = try steps(store)
        #expect(short.allSatisfy { $0 > 0 })
        for (short, long) in zip(short, long) { #expect(Double(long) <= 1.5 * Double(short), "\(short) → \(long)") }
        #expect(try store.usage(of: TenantID("tenant-2")).queued == 33_333)
    }

    private func submit(_ numbers: Range<Int>, to store: SQLiteJobStore) throws {
        try store.pool.write { db in
            try db.execute(
                sql: """
                    WITH RECURSIVE numbers(n) AS (VALUES (?) UNION ALL SELECT n + 1 FROM numbers WHERE n < ?)
                    INSERT INTO jobs (id, tenant, priority, spec, source, created_at)
                    SELECT printf('0197aaaa-0000-7000-8000-%012d', n), 'tenant-' || (n % 3), n % 7, '{}', '{}', 0
                    FROM numbers
                    """, arguments: [numbers.lowerBound, numbers.upperBound - 1])
        }
    }

    /// What each query takes, in steps of SQLite's virtual machine: the same on every machine, unlike time.
    private func steps(_ store: SQLiteJobStore) throws -> [Int] {
        let listing = SQLiteJobStore.listing(JobQuery(tenant: TenantID("tenant-0"), status: .queued, limit: 1))
        let queries: [(String, StatementArguments)] = [
            (SQLiteJobStore.claimSQL, ["now": 0, "owner": "worker", "token": "t", "expires": 1]), listing,
            ("SELECT queued FROM tenants WHERE name = ?", ["tenant-0"]),
        ]
        return try store.pool.writeWithoutTransaction { db in
            try queries.map { sql, arguments in
                let statement = try db.makeStatement(sql: sql)
                _ = try Row.fetchAll(statement, arguments: arguments)
                return Int(sqlite3_stmt_status(statement.sqliteStatement, SQLITE_STMTSTATUS_VM_STEP, 0))
            }
        }
    }

    @Test("sweeping looks at no job that is not due")
    func sweep() throws {
        for (sql, index) in [(SQLiteJobStore.expiredSQL, "jobs_expiring"), (SQLiteJobStore.purgedSQL, "jobs_purged")] {
            let plan = try plan(sql, [0, 10])
            #expect(plan.contains("INDEX \(index) "), "\(plan)")
            #expect(!plan.contains("TEMP B-TREE"), "\(plan)")
        }
    }

    @Test(
        "a list goes by an index and sorts nothing, whatever it filters by",
        arguments: [
            (JobQuery(tenant: .anonymous), "jobs_of_tenant"),
            (JobQuery(tenant: .anonymous, before: JobID(milliseconds: 1, random: Array(0..<10))), "jobs_of_tenant"),
            (JobQuery(tenant: .anonymous, status: .failed), "jobs_of_tenant_in_status"),
            (JobQuery(tenant: .anonymous, labels: ["a": "1"]), "job_labels_by_value"),
            (JobQuery(tenant: .anonymous, status: .failed, labels: ["a": "1", "b": "2"]), "job_labels_by_value"),
        ])
    func list(_ query: JobQuery, _ index: String) throws {
        let (sql, arguments) = SQLiteJobStore.listing(query)
        let plan = try plan(sql, arguments)
        #expect(plan.contains("INDEX \(index) "))
        #expect(!plan.contains("TEMP B-TREE"))
    }

    @Test("looking for uploads that have expired reads those only")
    func expiredUploads() throws {
        #expect(try plan(SQLiteJobStore.expiredUploadsSQL, [0, 0]).contains("uploads_by_expiry"))
        #expect(try plan(SQLiteJobStore.forgottenSQL, [0]).contains("uploads_removed"))
        #expect(try plan(SQLiteJobStore.roomSQL, ["a", 0, 5]).contains("uploads_open"))
    }

    @Test("the delivery that has been pending for the longest is the first entry of an index")
    func oldestDelivery() throws {
        let plan = try plan(SQLiteJobStore.oldestDeliverySQL, [])
        #expect(plan.contains("INDEX deliveries_pending_by_age"))
        #expect(!plan.contains("TEMP B-TREE"))
    }

    @Test("looking at the revisions of some jobs reads those jobs only")
    func revisions() throws {
        let plan = try plan(SQLiteJobStore.revisionsSQL, ["[]"])
        #expect(plan.contains("SEARCH jobs USING INDEX sqlite_autoindex_jobs_1 (id=?)"))
        #expect(!plan.contains("SCAN jobs"))
    }

    @Test("a delivery is claimed by when it is due, and nothing is sorted")
    func claimDelivery() throws {
        let plan = try plan(
            SQLiteJobStore.claimDeliverySQL, ["token": "t", "expires": 1, "now": 0, "busy": "[]"])
        #expect(plan.contains("deliveries USING INDEX deliveries_due"))
        #expect(!plan.contains("TEMP B-TREE"))
    }

    @Test("looking for leases that ran out reads running jobs only")
    func leases() throws {
        let plan = try plan("SELECT id FROM jobs WHERE status = 'running' AND lease_expires_at <= ?", [0])
        #expect(plan.contains("jobs_leases"))
    }

    @Test("the oldest queued job is the first entry of an index, however many are queued")
    func oldestQueued() throws {
        let plan = try plan(SQLiteJobStore.oldestQueuedSQL, [])
        #expect(plan.contains("INDEX jobs_queued_by_age"))
        #expect(!plan.contains("TEMP B-TREE"))
    }
}
