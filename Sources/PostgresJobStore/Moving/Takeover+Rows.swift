import Jobs

extension Takeover {
    /// Rows that are read, or put, in one statement.
    static let batch = 64
    /// Of texts and bytes that are read in one statement: a job's spec has up to some MiB. At least one row is.
    static let batchBytes = 4 << 20

    /// Rows in the order of their keys.
    ///
    /// - Parameter key: the one before the first; `nil`: there is none.
    /// - Returns: empty: there are no more.
    package func page(_ table: StoredTable, after key: StoredKey?) throws(JobsError) -> [StoredRow] {
        let statements = TakenTables(table: table)
        let sql = statements.page(limit: Self.batch, bytes: Self.batchBytes, isFirst: key == nil)
        return try perform {
            try connection.execute(sql, statements.values(key?.values ?? [])).rows.map(statements.row)
        }
    }

    /// Removes and puts rows, in one transaction.
    package func change(_ table: StoredTable, removing keys: [StoredKey], putting rows: [StoredRow]) throws(JobsError) {
        let statements = TakenTables(table: table)
        do throws(JobsError) {
            try transaction {
                for key in keys { try connection.execute(statements.remove, statements.values(key.values)) }
                var place = 0
                while place < rows.count {
                    // Two lengths of a statement, so that two are prepared for a table and not sixty-four.
                    let count = rows.count - place >= Self.batch ? Self.batch : 1
                    let values = rows[place..<place + count].flatMap(statements.values)
                    try connection.execute(statements.put(count), values)
                    place += count
                }
            }
        } catch {
            let first = (keys.first ?? rows.first.map(table.key(of:)))?.shown ?? ""
            throw JobsError(error.code, "\(table.name), rows from \(first): \(error.message)")
        }
    }
}
