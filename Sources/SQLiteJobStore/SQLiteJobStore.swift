import Foundation
import GRDB
import Jobs

/// Jobs in an SQLite database (WAL, `synchronous=FULL`): what ``submit(_:)`` accepted survives power loss.
///
/// Several processes of one machine may share a database, and take turns at writing to it (``WriterLock``); it cannot lie
/// on a network file system.
public struct SQLiteJobStore: JobStore {
    /// Seconds that a write, or the opening of a database, waits for others that write.
    static let busySeconds = 5.0
    /// How long ``close()`` waits for others, so that they hold up no stop.
    private static let closingLimit = Duration.milliseconds(200)

    let pool: DatabasePool
    private let lock: WriterLock
    private let group: GroupCommit
    let environment: any Environment
    /// From a job's end until it expires; `nil`: never.
    let retentionMilliseconds: Int64?
    let deliveryIDs: JobIDGenerator
    let changes: ChangeWatch
    let capacity: QueueCapacity

    /// Opens the database, makes it where there is none, and brings its schema up to date.
    ///
    /// - Parameters:
    ///   - path: of the database's file; its folder is made where it is missing. It holds webhooks' secrets, so others than
    ///     its owner and the owner's group are kept out (``PrivateFiles``), also of one that is there.
    ///   - retentionSeconds: what jobs that end get until they expire; `nil`: they are kept for ever.
    ///   - capacity: what submissions are held to.
    ///   - environment: gives the time of day and the leases' tokens.
    /// - Throws: ``JobsError/Code/schemaTooNew`` where a newer version made the database, ``JobsError/Code/corrupt``
    ///   where it is none, ``JobsError/Code/moved`` where its jobs are in another database by now, ``JobsError/Code/io``
    ///   where it is on a network file system, ``JobsError/Code/busy`` where others write to it all the time.
    public init(
        path: String, retentionSeconds: Double? = nil, capacity: QueueCapacity = QueueCapacity(),
        environment: any Environment = SystemEnvironment()
    ) throws(JobsError) {
        try self.init(
            path: path, retentionSeconds: retentionSeconds, capacity: capacity, environment: environment,
            preparing: Schema.migrate)
    }

    /// Opens a copy that no other process opens, such as one that ``backUp(from:to:)`` made. It needs no lock, and may be
    /// on a network file system.
    public init(copy path: String) throws(JobsError) {
        try self.init(
            path: path, retentionSeconds: nil, environment: SystemEnvironment(), isCopy: true,
            preparing: Schema.migrate)
    }

    /// - Parameters:
    ///   - capacity: what submissions are held to.
    ///   - isCopy: no other process opens it.
    ///   - patience: with others that write.
    ///   - prepare: makes sure that the schema is what this version works with.
    init(
        path: String, retentionSeconds: Double?, capacity: QueueCapacity = QueueCapacity(),
        environment: any Environment, isCopy: Bool = false, patience: WriterLock.Patience = WriterLock.Patience(),
        preparing prepare: (DatabasePool) throws -> Void
    ) throws(JobsError) {
        self.environment = environment
        self.capacity = capacity
        retentionMilliseconds = retentionSeconds.map { Int64(($0 * 1000).rounded()) }
        deliveryIDs = JobIDGenerator(environment: environment)
        let opened = try Self.translated { try Self.open(path, isCopy: isCopy, patience, prepare) }
        pool = opened.pool
        lock = opened.lock
        group = GroupCommit(pool, lock)
        changes = ChangeWatch(path: path)
    }

    /// Waits for running statements, brings everything into the database's file and closes it. Later calls throw.
    ///
    /// Where no other process has the database open, its file is left, which is all that a backup needs, and the empty one
    /// of its ``WriterLock``.
    public func close() throws(JobsError) {
        changes.close()
        // Readers go first: the last connection to close removes the log, which those may not, being read-only.
        pool.invalidateReadOnlyConnections()
        // What cannot be brought over, because others read or write or the disk is full, stays safe in the log.
        _ = try? pool.writeWithoutTransaction { db in
            try lock.hold(within: Self.closingLimit) {
                // Of a database that is closed already, a statement throws, and a checkpoint crashes (GRDB 7).
                try db.execute(sql: "SELECT 1")
                _ = try db.checkpoint(.truncate)
            }
        }
        try Self.translated { try pool.close() }
    }

    // MARK: Opening

    private static func open(
        _ path: String, isCopy: Bool, _ patience: WriterLock.Patience, _ prepare: (DatabasePool) throws -> Void
    ) throws -> (pool: DatabasePool, lock: WriterLock) {
        // Whoever opens it by a link has to find the same lock.
        let file = URL(fileURLWithPath: path).resolvingSymlinksInPath()
        let folder = file.deletingLastPathComponent().path
        try PrivateFiles.makeFolders(folder)
        if !isCopy { try NetworkFileSystem.refuse(folder) }
        try PrivateFiles.makeFile(file.path)
        // New ones get the database's mode from SQLite.
        for suffix in ["-wal", "-shm"] { PrivateFiles.closeToOthers(file.path + suffix) }
        let lock = try WriterLock(database: isCopy ? nil : file.path, patience)
        var configuration = Configuration()
        configuration.label = "jobs"
        // The lock's holder waits, and lets go of it meanwhile.
        configuration.busyMode = .immediateError
        // To open it may be to write: its log is made, and its schema brought up to date.
        let pool = try lock.hold {
            let pool = try DatabasePool(path: path, configuration: configuration)
            try makeDurable(pool)
            try prepare(pool)
            return pool
        }
        return (pool, lock)
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
            self = .locked(for: .seconds(SQLiteJobStore.busySeconds))
        case .SQLITE_CORRUPT, .SQLITE_NOTADB:
            self.init(.corrupt, "the job database is damaged or no database: \(error.message ?? error.description)")
        default: self.init(.io, "the job database failed: \(error.message ?? error.description)")
        }
    }

    static func locked(for limit: Duration) -> JobsError {
        JobsError(.busy, "the job database was locked for more than \(limit.components.seconds) s")
    }
}

extension SQLiteJobStore {
    /// For `json_each`: with it a statement is the same for any number of names.
    static func list(_ names: some Sequence<String>) -> String {
        JSONValue.array(names.sorted().map { .string($0) }).storedText
    }
}
