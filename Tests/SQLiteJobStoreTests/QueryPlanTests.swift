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
            (JobQuery(tenant: .anonymous, status: .failed, labels: ["a": "1"]), "job_labels_by_status"),
            (
                JobQuery(
                    tenant: .anonymous, status: .failed, labels: ["a": "1"],
                    before: JobID(milliseconds: 1, random: Array(0..<10))), "job_labels_by_status"
            ),
        ])
    func list(_ query: JobQuery, _ index: String) throws {
        let (sql, arguments) = SQLiteJobStore.listing(query)
        let plan = try plan(sql, arguments)
        #expect(plan.contains("INDEX \(index) "))
        #expect(!plan.contains("TEMP B-TREE"))
    }

    @Test("each look for one of several labels is at an entry of an index", arguments: [nil, JobStatus.failed])
    func label(_ status: JobStatus?) throws {
        let (sql, arguments) = LabelSearch.look(.anonymous, ("a", "1"), status, ("<=", "0"))
        let plan = try plan(sql, arguments)
        let index = status == nil ? "job_labels_by_value" : "job_labels_by_status"
        #expect(plan.contains("SEARCH job_labels USING COVERING INDEX \(index) "), "\(plan)")
        #expect(!plan.contains("TEMP B-TREE"))
    }

    @Test("a list by two labels takes no more looks than the rarer one has jobs, whichever is named first")
    func rareLabel() throws {
        let store = try database.store()
        try submit(0..<3_000, to: store)
        try store.pool.write { db in
            for (name, share) in [("a", 3), ("b", 1500), ("c", 3)] {
                try db.execute(
                    sql: """
                        INSERT INTO job_labels (job_id, tenant, name, value)
                        SELECT id, tenant, ?, '1' FROM jobs WHERE CAST(substr(id, 25) AS INTEGER) % ? = 0
                        """, arguments: [name, share])
            }
        }
        for labels in [["a": "1", "b": "1"], ["b": "1", "c": "1"]] {
            let (ids, looks) = try store.pool.read { db in
                var search = LabelSearch(JobQuery(tenant: TenantID("tenant-0"), labels: labels), db)
                var ids: [String] = []
                while let id = try search.next() { ids.append(id) }
                return (ids, search.looks)
            }
            #expect(ids.map { $0.suffix(4) } == ["1500", "0000"])
            #expect(looks <= 10, "\(looks)")
        }
    }

    @Test("looking for uploads that have expired reads those only")
    func expiredUploads() throws {
        #expect(try plan(SQLiteJobStore.expiredUploadsSQL, [0, 0]).contains("uploads_by_expiry"))
        #expect(try plan(SQLiteJobStore.forgottenSQL, [0]).contains("uploads_removed"))
        #expect(try plan(SQLiteJobStore.roomSQL, ["a", 0, 5]).contains("uploads_open"))
        #expect(try plan(SQLiteJobStore.uploadedBytesSQL, ["tenant": "a"]).contains("uploads_open"))
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

    private static let busy: StatementArguments = [
        "now": 1, "busy_hosts": #"["busy.example","x.example"]"#, "busy_tenants": #"["other"]"#,
    ]

    @Test("a delivery is claimed by its tenant's turn and by when it is due, and nothing is sorted")
    func claimDelivery() throws {
        let plan = try plan(SQLiteJobStore.claimDeliverySQL, Self.busy + ["token": "t", "expires": 1])
        #expect(plan.contains("SCAN turn USING COVERING INDEX delivery_turns_served"), "\(plan)")
        #expect(plan.contains("lane USING COVERING INDEX delivery_lanes_due (tenant=? AND due_at<?)"), "\(plan)")
        #expect(plan.contains("deliveries USING INDEX deliveries_lane (tenant=? AND host=?)"), "\(plan)")
        #expect(!plan.contains("TEMP B-TREE"), "\(plan)")
    }

    @Test("100,000 deliveries that wait for a busy host make a claim no longer, whether it finds something or not")
    func busyHost() throws {
        let store = try database.store()
        func counted() throws -> [Int] {
            try [
                steps(store, SQLiteJobStore.nextLaneSQL, Self.busy),
                steps(store, SQLiteJobStore.claimDeliverySQL, Self.busy + ["token": "t", "expires": 0]),
            ]
        }
        try addDeliveries(0..<30, host: "busy.example", to: store)
        let short = try counted()
        try addDeliveries(30..<100_000, host: "busy.example", to: store)
        let long = try counted()
        for (short, long) in zip(short, long) { #expect(Double(long) <= 1.5 * Double(short), "\(short) → \(long)") }
        #expect(try store.claimDelivery(leaseSeconds: 60, exceptHosts: ["busy.example"]) == nil)
        try addDeliveries(100_000..<100_001, host: "free.example", to: store)
        let found = try counted()
        for (short, found) in zip(short, found) { #expect(found <= 3 * short + 200, "\(short) → \(found)") }
        let url = "SELECT url FROM deliveries WHERE attempts > 0"
        #expect(try store.pool.read { try String.fetchAll($0, sql: url) } == ["https://free.example/hook"])
    }

    private func addDeliveries(_ numbers: Range<Int>, host: String, to store: SQLiteJobStore) throws {
        try submit(numbers, to: store)
        try store.pool.write { db in
            try db.execute(
                sql: """
                    INSERT INTO deliveries (id, job_id, tenant, event, url, host, payload, created_at, due_at)
                    SELECT id, id, 'anonymous', 'job.failed', 'https://' || :host || '/hook', :host, x'7b7d', 0, 0
                    FROM jobs WHERE id NOT IN (SELECT job_id FROM deliveries)
                    """, arguments: ["host": host])
        }
    }

    private func steps(_ store: SQLiteJobStore, _ sql: String, _ arguments: StatementArguments) throws -> Int {
        try store.pool.writeWithoutTransaction { db in
            let statement = try db.makeStatement(sql: sql)
            _ = try Row.fetchAll(statement, arguments: arguments)
            return Int(sqlite3_stmt_status(statement.sqliteStatement, SQLITE_STMTSTATUS_VM_STEP, 0))
        }
    }

    @Test("100,000 jobs with a label make a list by label and state no longer")
    func labelAndState() throws {
        let store = try database.store()
        let listing = SQLiteJobStore.listing(
            JobQuery(tenant: TenantID("tenant-0"), status: .failed, labels: ["camera": "7"], limit: 1))
        func label() throws {
            try store.pool.write { db in
                try db.execute(
                    sql: """
                        INSERT INTO job_labels (job_id, tenant, name, value)
                        SELECT id, tenant, 'camera', '7' FROM jobs WHERE id NOT IN (SELECT job_id FROM job_labels)
                        """)
            }
        }
        try submit(0..<30, to: store)
        try label()
        let short = try steps(store, listing.sql, listing.arguments)
        try submit(30..<100_000, to: store)
        try label()
        let long = try steps(store, listing.sql, listing.arguments)
        #expect(short > 0)
        #expect(Double(long) <= 1.5 * Double(short), "\(short) → \(long)")
    }

    @Test("looking for queued jobs that are overdue reads those only")
    func overdue() throws {
        let plan = try plan(SQLiteJobStore.overdueSQL, ["now": 0])
        #expect(plan.contains("INDEX jobs_deadlines (deadline_at"), "\(plan)")
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
