import Foundation
import GRDB
import Jobs

/// One moment of a database. Valid, and used by one thread, within ``SQLiteJobStore/snapshot(_:)``.
package struct SQLiteSnapshot {
    fileprivate let db: Database

    /// The rows of a table in the order of their keys.
    package func rows(_ table: StoredTable) throws -> SQLiteRows { try SQLiteRows(table, db) }

    package func count(_ table: StoredTable) throws -> Int { try Int.fetchOne(db, sql: MovedTables.count(table)) ?? 0 }
}

/// Rows that are read one after the other.
package final class SQLiteRows {
    private let table: StoredTable
    private let cursor: RowCursor

    fileprivate init(_ table: StoredTable, _ db: Database) throws {
        self.table = table
        cursor = try Row.fetchCursor(db, sql: MovedTables.query(table))
    }

    /// `nil` after the last.
    package func next() throws -> StoredRow? {
        guard let row = try cursor.next() else { return nil }
        return table.columns.enumerated().map { index, column in Self.value(row[index], column.kind) }
    }

    private static func value(_ value: DatabaseValue, _ kind: StoredTable.Kind) -> StoredValue {
        switch (value.storage, kind) {
        case (.blob(let data), .id), (.blob(let data), .text): .text(Array(data))
        case (.blob(let data), _): .bytes(Array(data))
        case (.int64(let number), .real): .real(Double(number))
        case (.int64(let number), _): .integer(number)
        case (.double(let number), _): .real(number)
        case (.string(let text), _): .text(text)
        case (.null, _): .null
        }
    }
}

extension SQLiteJobStore {
    /// Lets one moment of the database be read, for as long as `body` takes. Others may write meanwhile; the file of the log
    /// grows by that.
    package func snapshot<T>(_ body: (SQLiteSnapshot) throws -> T) throws -> T {
        try read { db in try body(SQLiteSnapshot(db: db)) }
    }
}
