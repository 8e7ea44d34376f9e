import Foundation
import Jobs
import Testing

@testable import PostgresJobStore

@Suite("What PostgreSQL's tables take over")
struct TakenTablesTests {
    /// What no other installation has for this one, and why.
    private static let own: [String: String] = [
        "jobs.ended_token": "of a worker that is still waiting for its answer",
        "api_keys_revision.revision": "counts changes of this database's keys",
        "installation.id": "set at the end where it must be another", "installation.is_only": "",
        "lktrack_migrations.name": "", "lktrack_migrations.applied_at": "",
        "takeover.source": "", "takeover.state": "", "takeover.started_at": "", "takeover.finished_at": "",
        "takeover.is_only": "",
    ]

    @Test("every column is filled, or has a reason not to be")
    func complete() throws {
        let schema = try TemporarySchema()
        try schema.store().close()
        let sql = """
            SELECT table_name || '.' || column_name FROM information_schema.columns
            WHERE table_schema = current_schema() AND NOT (column_name = 'slot' AND table_name IN
                ('job_counts', 'tenant_counts', 'job_endings', 'delivery_counts'))
            """
        let there = Set(try schema.connection().run(script: sql).rows.map { $0.text(0) })
        let taken = Set(StoredTable.all.flatMap { table in table.columns.map { "\(table.name).\($0.name)" } })
        #expect(there.subtracting(taken) == Set(Self.own.keys))
        #expect(taken.subtracting(there) == [])
    }

    @Test("each page goes by the index of the key", arguments: StoredTable.all.filter { !$0.isCounter }.map(\.name))
    func paged(_ name: String) throws {
        let table = try #require(StoredTable.all.first { $0.name == name })
        let schema = try TemporarySchema()
        try schema.store().close()
        let connection = try schema.connection()
        let sql = TakenTables(table: table).page(limit: 64, bytes: 1000, isFirst: false)
        let values = table.key.map { column in
            switch column.kind {
            case .id: "'\(JobIDGenerator().next())'"
            case .integer: "1"
            default: "'a'"
            }
        }
        var plain = sql
        for (index, value) in values.enumerated() { plain = plain.replacing("$\(index + 1)", with: value) }
        let plan = try connection.run(script: "\(Takeover.session); EXPLAIN \(plain)").rows.map { $0.text(0) }
        #expect(!plan.contains { $0.contains("Sort") || $0.contains("Seq Scan") }, "\(plan)")
    }
}
