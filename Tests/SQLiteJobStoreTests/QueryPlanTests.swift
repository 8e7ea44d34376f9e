import Foundation
import GRDB
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

    @Test("a claim takes the first entry of the queue's index and sorts nothing")
    func claim() throws {
        let plan = try plan(
            SQLiteJobStore.claimSQL, ["now": 0, "owner": "worker", "token": "t", "expires": 1])
        #expect(plan.contains("SCAN jobs USING INDEX jobs_queue"))
        #expect(!plan.contains("TEMP B-TREE"))
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

    @Test("looking at the revisions of some jobs reads those jobs only")
    func revisions() throws {
        let plan = try plan(SQLiteJobStore.revisionsSQL, ["[]"])
        #expect(plan.contains("SEARCH jobs USING INDEX sqlite_autoindex_jobs_1 (id=?)"))
        #expect(!plan.contains("SCAN jobs"))
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
