import Jobs
import PostgresJobStore
import SQLiteJobStore

/// Makes the rows of a table the same on both sides. Both are read in the order of their keys, once, and only what differs
/// is written: so it goes on wherever it was interrupted, and costs no more memory for more rows.
struct TableMerge {
    /// What is gathered until it is written, in rows and in bytes.
    private static let mostRows = 1024
    private static let mostBytes = 8 << 20

    let table: StoredTable
    let takeover: Takeover
    /// Called with the keys of rows before these are removed.
    let willRemove: ([StoredKey]) throws -> Void

    private var gone: [StoredKey] = []
    private var changed: [StoredRow] = []
    private var bytes = 0
    private(set) var written = 0
    private(set) var removed = 0

    init(_ table: StoredTable, _ takeover: Takeover, willRemove: @escaping ([StoredKey]) throws -> Void) {
        self.table = table
        self.takeover = takeover
        self.willRemove = willRemove
    }

    /// - Returns: of the source's rows.
    mutating func run(_ rows: SQLiteRows) throws -> Tally {
        var tally = Tally()
        var there = TakenRows(table, takeover)
        while let row = try rows.next() {
            tally.add(row)
            let key = table.key(of: row)
            while let other = try there.peek(), table.key(of: other) < key { try drop(there.take()) }
            if let other = try there.peek(), table.key(of: other) == key {
                if other != row { try put(row) }
                _ = try there.take()
            } else {
                try put(row)
            }
        }
        while try there.peek() != nil { try drop(there.take()) }
        try flush()
        return tally
    }

    private mutating func put(_ row: StoredRow) throws {
        changed.append(row)
        bytes += row.reduce(0) { sum, value in
            switch value {
            case .text(let bytes), .bytes(let bytes): sum + bytes.count
            default: sum + 8
            }
        }
        if changed.count >= Self.mostRows || bytes >= Self.mostBytes { try flush() }
    }

    private mutating func drop(_ row: StoredRow?) throws {
        guard let row else { return }
        gone.append(table.key(of: row))
        if gone.count >= Self.mostRows { try flush() }
    }

    private mutating func flush() throws {
        if !gone.isEmpty { try willRemove(gone) }
        if !gone.isEmpty || !changed.isEmpty { try takeover.change(table, removing: gone, putting: changed) }
        written += changed.count
        removed += gone.count
        (gone, changed, bytes) = ([], [], 0)
    }
}

/// The rows of the destination, one after the other. Rows before the one that was taken last may change meanwhile.
struct TakenRows {
    private let table: StoredTable
    private let takeover: Takeover
    private var page: ArraySlice<StoredRow> = []
    private var last: StoredKey?
    private var isAtEnd = false

    init(_ table: StoredTable, _ takeover: Takeover) {
        self.table = table
        self.takeover = takeover
    }

    /// `nil` after the last one.
    mutating func peek() throws -> StoredRow? {
        if page.isEmpty, !isAtEnd {
            page = try takeover.page(table, after: last)[...]
            last = page.last.map(table.key(of:)) ?? last
            isAtEnd = page.isEmpty
        }
        return page.first
    }

    mutating func take() throws -> StoredRow? {
        let row = try peek()
        _ = page.popFirst()
        return row
    }
}
