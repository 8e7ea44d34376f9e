import Jobs

/// Where this database has the rows of each ``StoredTable``.
enum MovedTables {
    /// What stands in a row for a column that is not simply there, by table and column.
    private static let expressions: [String: [String: String]] = [
        "jobs": [
            "has_webhook": "coalesce(json_type(spec, '$.webhook') = 'object', 0)",
            "failure_code": "json_extract(failure, '$.code')",
        ],
        "tenant_turns": ["tenant": "name"],
        "tenant_counts": ["tenant": "name"],
    ]

    /// The table that a moved one is read from, and which of its rows, where it is not all rows of that name.
    private static let sources: [String: (table: String, condition: String)] = [
        "tenant_turns": ("tenants", "served <> 0"),
        "tenant_counts": ("tenants", "queued <> 0 OR running <> 0 OR stored <> 0"),
        "job_counts": ("job_counts", "count <> 0"),
        "job_endings": ("job_endings", "count <> 0"),
        "delivery_counts": ("delivery_counts", "count <> 0"),
    ]

    /// What is not moved, and why.
    static let left: [String: String] = [
        "api_keys_revision": "counts changes of this database's keys, and the other counts its own",
        "delivery_lanes": "made of `deliveries` by triggers; PostgreSQL finds the same by an index",
        "grdb_migrations": "says which migrations this database has",
    ]

    /// The table and column of this database that a moved column is read from. One that is made of others is read from a
    /// column that it is made of.
    static func origin(of column: StoredTable.Column, in table: StoredTable) -> (table: String, column: String) {
        let own = sources[table.name]?.table ?? table.name
        let name = expressions[table.name]?[column.name] ?? column.name
        return (own, name.wholeMatch(of: /[a-z_]+/) != nil ? name : name.contains("spec") ? "spec" : "failure")
    }

    /// Reads all rows in the order of their keys, by the index of those: the key's columns must stand in the order as they
    /// are, so none of what is read has a name of its own.
    static func query(_ table: StoredTable) -> String {
        let columns = table.columns.map { column in
            let expression = expressions[table.name]?[column.name] ?? column.name
            // As bytes: a text that is no UTF-8 would be mended on the way.
            switch column.kind {
            case .id, .text, .bytes: return "CAST(\(expression) AS BLOB)"
            case .integer, .real, .flag: return expression
            }
        }
        let order = table.key.map { origin(of: $0, in: table).column }
        let (source, condition) = sources[table.name] ?? (table.name, "true")
        return "SELECT \(columns.joined(separator: ", ")) FROM \(source) WHERE \(condition) ORDER BY "
            + order.joined(separator: ", ")
    }

    static func count(_ table: StoredTable) -> String {
        let (source, condition) = sources[table.name] ?? (table.name, "true")
        return "SELECT count(*) FROM \(source) WHERE \(condition)"
    }
}
