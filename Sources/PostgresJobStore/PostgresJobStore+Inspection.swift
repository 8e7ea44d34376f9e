import Jobs

extension PostgresJobStore {
    /// Runs a statement of the caller's and returns the first column of its first row, as text: for benchmarks, which ask
    /// the server about itself. Nothing in it may come from outside.
    package func inspect(_ sql: String, _ values: String...) throws -> String? {
        try transactor.read { connection in
            try connection.execute(sql, values.map { .text($0) }).first?.optionalText(0)
        }
    }
}
