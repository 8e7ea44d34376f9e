import GRDBSQLite
import Jobs
import Synchronization

extension SQLiteJobStore: ChangeCount {
    public func changeCount() -> Int64? { changes.count() }
}

/// A connection that is asked for nothing but `PRAGMA data_version`, which other connections' commits change
/// (https://www.sqlite.org/pragma.html#pragma_data_version): it looks at the head of the log's index, in memory.
///
/// The pool's connections do not do: their numbers leave out their own commits, and reading by way of GRDB takes many
/// times as long.
final class ChangeWatch: Sendable {
    private struct Handle: @unchecked Sendable {
        // @unchecked Sendable: behind the lock of `handle`.
        var connection: OpaquePointer?
        var statement: OpaquePointer?
    }

    private let handle: Mutex<Handle>

    init(path: String) {
        var made = Handle()
        let flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX
        if sqlite3_open_v2(path, &made.connection, flags, nil) == SQLITE_OK {
            sqlite3_prepare_v2(made.connection, "PRAGMA data_version", -1, &made.statement, nil)
        }
        handle = Mutex(made)
    }

    deinit { close() }

    func count() -> Int64? {
        handle.withLock { handle in
            guard let statement = handle.statement else { return nil }
            defer { sqlite3_reset(statement) }
            // Somebody recovers the log: no waiting for that here.
            guard sqlite3_step(statement) == SQLITE_ROW else { return nil }
            return sqlite3_column_int64(statement, 0)
        }
    }

    func close() {
        handle.withLock { handle in
            sqlite3_finalize(handle.statement)
            sqlite3_close(handle.connection)
            handle = Handle()
        }
    }
}
