import GRDBSQLite
import Jobs
import Synchronization

extension SQLiteJobStore: ChangeCount {
    public func changeCount() -> Int64? { changes.count() }
}

/// Sees other connections' commits by the head of the log's index, which SQLite keeps in memory that all of them share and
/// writes anew with every commit (https://www.sqlite.org/walformat.html#the_wal_index_file_format). SQLite's own readers
/// look at it in the same way to learn whether they know the newest state.
///
/// It has a connection of its own, because that must stay open as long as the memory is looked at, and asks `PRAGMA
/// data_version` where a version of SQLite has another index: that locks and unlocks the database, which is two calls of
/// the system.
final class ChangeWatch: Sendable {
    private struct Handle: @unchecked Sendable {
        // @unchecked Sendable: behind the lock of `handle`.
        var connection: OpaquePointer?
        var statement: OpaquePointer?
        /// Where the log's index begins; `nil` where it is not of the known form.
        var index: UnsafeRawPointer?
    }

    private let handle: Mutex<Handle>

    init(path: String) {
        var made = Handle()
        let flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX
        if sqlite3_open_v2(path, &made.connection, flags, nil) == SQLITE_OK {
            sqlite3_prepare_v2(made.connection, "PRAGMA data_version", -1, &made.statement, nil)
            // The first look at the database opens its log.
            if Self.dataVersion(made) != nil { made.index = LogIndexHead.find(made.connection) }
        }
        handle = Mutex(made)
    }

    deinit { close() }

    func count() -> Int64? {
        handle.withLock { handle in
            handle.index.map { LogIndexHead.read($0)?.number } ?? Self.dataVersion(handle)
        }
    }

    private static func dataVersion(_ handle: Handle) -> Int64? {
        guard let statement = handle.statement else { return nil }
        defer { sqlite3_reset(statement) }
        // Somebody recovers the log: no waiting for that here.
        guard sqlite3_step(statement) == SQLITE_ROW else { return nil }
        return sqlite3_column_int64(statement, 0)
    }

    func close() {
        handle.withLock { handle in
            sqlite3_finalize(handle.statement)
            sqlite3_close(handle.connection)
            handle = Handle()
        }
    }
}

/// The first 48 bytes of the log's index, as words of the machine: 0 the format's version, 2 a count of transactions, 10
/// and 11 a checksum of all others.
private struct LogIndexHead {
    private static let version: UInt32 = 3_007_000
    private static let bytes = 48
    /// Of a region of the index, as SQLite asks its file system for them.
    private static let regionBytes: Int32 = 32_768

    private let words: InlineArray<12, UInt32>

    /// The count of transactions, which goes up with every commit, and a part of the checksum, which is another also where
    /// the count began anew (the log was recovered).
    var number: Int64 { Int64(bitPattern: UInt64(words[2]) << 32 | UInt64(words[10])) }

    /// Where the index of a connection's log is in memory, for as long as the connection is open.
    static func find(_ connection: OpaquePointer?) -> UnsafeRawPointer? {
        var file: UnsafeMutablePointer<sqlite3_file>?
        guard sqlite3_file_control(connection, "main", SQLITE_FCNTL_FILE_POINTER, &file) == SQLITE_OK, let file,
            let methods = file.pointee.pMethods, methods.pointee.iVersion >= 2, let map = methods.pointee.xShmMap
        else { return nil }
        var region: UnsafeMutableRawPointer?
        guard map(file, 0, regionBytes, 0, &region) == SQLITE_OK, let region else { return nil }
        let index = UnsafeRawPointer(region)
        return read(index)?.words[0] == version ? index : nil
    }

    /// There are two copies, and who writes begins with the second: where they differ, somebody is at it.
    static func read(_ index: UnsafeRawPointer) -> LogIndexHead? {
        let first = index.loadUnaligned(as: LogIndexHead.self)
        atomicMemoryFence(ordering: .acquiring)
        let second = index.loadUnaligned(fromByteOffset: bytes, as: LogIndexHead.self)
        for word in first.words.indices where first.words[word] != second.words[word] { return nil }
        return first
    }
}
