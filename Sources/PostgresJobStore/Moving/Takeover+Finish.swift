import Jobs

extension Takeover {
    /// Makes all counters anew, and opens the database to servers, unless `verify` throws; all in one transaction.
    ///
    /// - Parameters:
    ///   - counters: the rows of those that count what is gone, too. The others are counted.
    ///   - installation: the name that the database is to have from now on; `nil`: its own.
    ///   - verify: may read rows.
    package func finish(
        counters: [StoredTable: [StoredRow]], installation: String?, verify: () throws -> Void
    ) throws(JobsError) {
        try transaction {
            for table in StoredTable.all where table.isCounter {
                try connection.run(script: "DELETE FROM \(table.name)")
                for row in counters[table] ?? [] {
                    let columns = table.columns.map(\.name).joined(separator: ", ")
                    let places = table.columns.indices.map { "$\($0 + 1)" }.joined(separator: ", ")
                    try connection.execute(
                        "INSERT INTO \(table.name) (\(columns), slot) VALUES (\(places), 0)",
                        TakenTables(table: table).values(row))
                }
            }
            try connection.run(
                script: """
                    INSERT INTO job_counts (status, slot, count) SELECT status, 0, count(*) FROM jobs GROUP BY status;
                    INSERT INTO tenant_counts (tenant, slot, queued, running, stored)
                    SELECT tenant, 0, count(*) FILTER (WHERE status = 'queued'),
                        count(*) FILTER (WHERE status = 'running'), sum(stored_bytes)
                    FROM jobs WHERE status IN ('queued', 'running') OR stored_bytes <> 0 GROUP BY tenant;
                    SELECT setval('claim_numbers', greatest(
                        (SELECT max(served) FROM tenant_turns), (SELECT max(served) FROM delivery_turns),
                        (SELECT last_value FROM claim_numbers)))
                    """)
            if let installation { try connection.execute("UPDATE installation SET id = $1", [.text(installation)]) }
            try verify()
            try connection.execute(
                "UPDATE takeover SET state = 'finished', finished_at = now() WHERE source = $1", [.text(source)])
            for table in Self.guarded {
                try connection.run(script: "DROP TRIGGER IF EXISTS takeover_guard ON \(table)")
            }
        }
    }

    /// What tells the database from others.
    package func installation() throws(JobsError) -> String {
        try perform { try connection.execute("SELECT id FROM installation").first?.text(0) ?? "" }
    }
}
