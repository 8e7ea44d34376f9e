import Jobs

/// Statements that read and write the rows of a ``StoredTable``.
struct TakenTables {
    let table: StoredTable

    private func list(_ columns: some Sequence<StoredTable.Column>) -> String {
        columns.map(\.name).joined(separator: ", ")
    }

    private var key: String { list(table.key) }

    /// What the table of a counter is summed to: it has several rows for each count.
    private var rows: String {
        guard table.isCounter else { return table.name }
        let counts = table.columns.dropFirst(table.keyCount)
        let sums = counts.map { "sum(\($0.name))::bigint AS \($0.name)" }.joined(separator: ", ")
        let isThere = counts.map { "sum(\($0.name)) <> 0" }.joined(separator: " OR ")
        return "(SELECT \(key), \(sums) FROM \(table.name) GROUP BY \(key) HAVING \(isThere)) AS summed"
    }

    /// A number of rows in the order of their keys, from the first one or after that of the key in the parameters: fewer
    /// where those before one have so many bytes.
    func page(limit: Int, bytes: Int, isFirst: Bool) -> String {
        let condition = isFirst ? "" : "WHERE (\(key)) > (\(parameters(table.key, from: 1)))"
        let columns = list(table.columns)
        let rows = "SELECT \(columns) FROM \(rows) \(condition) ORDER BY \(key) LIMIT \(limit)"
        let sizes = table.columns.filter { [.text, .bytes].contains($0.kind) }
            .map { "coalesce(octet_length(\($0.name)), 0)" }
        guard !sizes.isEmpty else { return rows }
        let before = "ORDER BY \(key) ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING"
        return """
            SELECT \(columns) FROM (
                SELECT *, coalesce(sum(\(sizes.joined(separator: " + "))) OVER (\(before)), 0) AS bytes_before
                FROM (\(rows)) AS page
            ) AS sized WHERE bytes_before < \(bytes) ORDER BY \(key)
            """
    }

    var isEmpty: String { "SELECT NOT EXISTS (SELECT 1 FROM \(table.name))" }

    /// Puts a number of rows, in place of those with the same keys.
    func put(_ count: Int) -> String {
        let width = table.columns.count
        let values = (0..<count).map { "(\(parameters(table.columns, from: 1 + $0 * width)))" }
        let updates = table.columns.dropFirst(table.keyCount).map { "\($0.name) = excluded.\($0.name)" }
        return """
            INSERT INTO \(table.name) (\(list(table.columns))) VALUES \(values.joined(separator: ", "))
            ON CONFLICT (\(key)) DO UPDATE SET \(updates.joined(separator: ", "))
            """
    }

    var remove: String { "DELETE FROM \(table.name) WHERE (\(key)) = (\(parameters(table.key, from: 1)))" }

    private func parameters(_ columns: some Sequence<StoredTable.Column>, from first: Int) -> String {
        columns.enumerated().map { index, column in "$\(first + index)::\(Self.type(column.kind))" }
            .joined(separator: ", ")
    }

    private static func type(_ kind: StoredTable.Kind) -> String {
        switch kind {
        case .id: "uuid"
        case .text: "text"
        case .integer: "bigint"
        case .real: "double precision"
        case .flag: "boolean"
        case .bytes: "bytea"
        }
    }

    // MARK: Values

    func row(_ row: PostgresRow) -> StoredRow {
        table.columns.enumerated().map { index, column in
            guard let text = row.optionalText(index) else { return .null }
            switch column.kind {
            case .id, .text: return .text(text)
            case .integer: return .integer(row.integer(index))
            case .real: return .real(row.number(index))
            case .flag: return .integer(row.boolean(index) ? 1 : 0)
            case .bytes: return .bytes(row.bytes(index))
            }
        }
    }

    func values(_ row: some Collection<StoredValue>) -> [PostgresValue] {
        zip(row, table.columns).map { value, column in
            switch (value, column.kind) {
            case (.null, _): .null
            case (.text(let bytes), .id): .literal(String(decoding: bytes, as: UTF8.self))
            // Text in binary form is itself, and is refused where it is no UTF-8.
            case (.text(let bytes), _), (.bytes(let bytes), _): .bytes(bytes)
            case (.integer(let number), .flag): .boolean(number != 0)
            case (.integer(let number), _): .integer(number)
            case (.real(let number), _): .number(number)
            }
        }
    }
}
