import Foundation
import GRDB
import Jobs

/// Jobs in an SQLite database (WAL, `synchronous=FULL`): what ``submit(_:)`` accepted survives power loss.
///
/// Several processes of one machine may share a database; it must not lie on a network file system.
public struct SQLiteJobStore: JobStore {
    /// Seconds that a statement waits for another process's transaction.
    static let busySeconds = 5.0
    /// How long ``close()`` waits for other processes' transactions, so that they hold up no stop.
    private static let closingMilliseconds = 200

    let pool: DatabasePool
    private let group: GroupCommit
    let environment: any Environment
    /// From a job's end until it expires; `nil`: never.
    let retentionMilliseconds: Int64?
    let deliveryIDs: JobIDGenerator
    let changes: ChangeWatch

    /// Opens the database, makes it where there is none, and brings its schema up to date.
    ///
    /// - Parameters:
    ///   - path: of the database's file; its folder is made where it is missing. It holds webhooks' secrets, so others than
    ///     its owner and the owner's group are kept out (``PrivateFiles``), also of one that is there.
    ///   - retentionSeconds: what jobs that end get until they expire; `nil`: they are kept for ever.
    ///   - environment: gives the time of day and the leases' tokens.
    /// - Throws: ``JobsError/Code/schemaTooNew`` where a newer version made the database, ``JobsError/Code/corrupt``
    ///   where it is none, ``JobsError/Code/moved`` where its jobs are in another database by now.
    public init(
        path: String, retentionSeconds: Double? = nil, environment: any Environment = SystemEnvironment()
    ) throws(JobsError) {
        try self.init(
            path: path, retentionSeconds: retentionSeconds, environment: environment, preparing: Schema.migrate)
    }

    /// - Parameter prepare: makes sure that the schema is what this version works with.
    init(
        path: String, retentionSeconds: Double?, environment: any Environment,
        preparing prepare: (DatabasePool) throws -> Void
    ) throws(JobsError) {
        self.environment = environment
        retentionMilliseconds = retentionSeconds.map { Int64(($0 * 1000).rounded()) }
        deliveryIDs = JobIDGenerator(environment: environment)
        pool = try Self.translated { try Self.openPool(path, prepare) }
        group = GroupCommit(pool)
        changes = ChangeWatch(path: path)
    }

    /// Waits for running statements, brings everything into the database's file and closes it. Later calls throw.
    ///
    /// Where no other process has the database open, its file alone is left, and is all that a backup needs.
    public func close() throws(JobsError) {
        changes.close()
        // Readers go first: the last connection to close removes the log, which those may not, being read-only.
        pool.invalidateReadOnlyConnections()
        // What cannot be brought over, because another process reads or the disk is full, stays safe in the log.
        _ = try? pool.writeWithoutTransaction { db in
            try db.execute(sql: "PRAGMA busy_timeout = \(Self.closingMilliseconds)")
            _ = try db.checkpoint(.truncate)
        }
        try Self.translated { try pool.close() }
    }

    // MARK: Opening

    private static func openPool(
        _ path: String, _ prepare: (DatabasePool) throws -> Void
    ) throws -> DatabasePool {
        try PrivateFiles.makeFolders(URL(fileURLWithPath: path).deletingLastPathComponent().path)
        try PrivateFiles.makeFile(path)
        // New ones get the database's mode from SQLite.
        for suffix in ["-wal", "-shm"] { PrivateFiles.closeToOthers(path + suffix) }
        var configuration = Configuration()
        configuration.label = "jobs"
        configuration.busyMode = .timeout(busySeconds)
        let pool = try DatabasePool(path: path, configuration: configuration)
        try makeDurable(pool)
        try prepare(pool)
        return pool
    }

    /// A commit is on the disk when it returns. `DatabasePool` sets `synchronous=NORMAL` after its own preparation of
    /// the connection, so this can only be done, and is checked, on the open pool.
    private static func makeDurable(_ pool: DatabasePool) throws {
        let (synchronous, journal) = try pool.writeWithoutTransaction { db in
            try db.execute(sql: "PRAGMA synchronous = FULL")
            return (
                try Int.fetchOne(db, sql: "PRAGMA synchronous"), try String.fetchOne(db, sql: "PRAGMA journal_mode")
            )
        }
        guard synchronous == 2, journal == "wal" else {
            throw JobsError(
                .io,
                "the database does not take synchronous=FULL in WAL mode (synchronous=\(synchronous ?? -1), "
                    + "journal_mode=\(journal ?? "?")); is it on a network file system?")
        }
    }

    // MARK: Access

    func read<T>(_ body: (Database) throws -> T) throws -> T {
        try Self.translated { try pool.read(body) }
    }

    /// One write, whole or not at all, and on the disk when this returns.
    func write<T: Sendable>(_ body: @escaping @Sendable (Database) throws -> T) throws -> T {
        try Self.translated { try group.write(body) }
    }

    /// The time of day in milliseconds.
    var now: Int64 { environment.now().unixMilliseconds }

    static func translated<T>(_ body: () throws -> T) throws(JobsError) -> T {
        do {
            return try body()
        } catch let error as JobsError {
            throw error
        } catch let error as DatabaseError {
            throw JobsError(error)
        } catch {
            throw JobsError(.io, "the job database failed: \(error)")
        }
    }
}

extension JobsError {
    fileprivate init(_ error: DatabaseError) {
        switch error.resultCode {
        case .SQLITE_FULL: self.init(.storageFull, "no space left for the job database")
        case .SQLITE_BUSY, .SQLITE_LOCKED:
            self.init(.busy, "the job database was locked for more than \(Int(SQLiteJobStore.busySeconds)) s")
        case .SQLITE_CORRUPT, .SQLITE_NOTADB:
            self.init(.corrupt, "the job database is damaged or no database: \(error.message ?? error.description)")
        default: self.init(.io, "the job database failed: \(error.message ?? error.description)")
        }
    }
}

extension SQLiteJobStore {
    /// For `json_each`: with it a statement is the same for any number of names.
    static func list(_ names: some Sequence<String>) -> String {
        JSONValue.array(names.sorted().map { .string($0) }).storedText
    }
}
