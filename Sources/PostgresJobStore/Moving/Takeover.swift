import Foundation
import Jobs

/// A database that takes over the jobs of another installation. While it does, nobody but this may write to it, and no
/// server starts on it.
///
/// Used by one thread at a time.
package final class Takeover {
    package enum State: String, Hashable, Sendable {
        case copying, finished, undone
    }

    /// Until a statement has to be done: counting and removing may take long.
    private static let statementSeconds = 600.0
    /// What the connection has besides what all have. Statements are prepared while tables are empty, and keep their plans:
    /// sorting all the rows that are left would do for those, and for no others.
    static let session = """
        SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0; SET enable_seqscan = off;
        SET enable_bitmapscan = off; SET enable_sort = off
        """
    /// Sessions that stand in the way are named, so many at most.
    private static let mostNamed = 10
    /// Between two looks whether they are gone.
    private static let lookSeconds = 0.1
    /// The tables that a server writes to before all others.
    static let guarded = ["jobs", "uploads", "api_keys", "idempotency_keys", "tenants", "deliveries"]

    /// The installation that is taken over.
    package let source: String
    private let pool: ConnectionPool
    let connection: PostgresConnection

    /// Connects, brings the schema up to date, and keeps others from doing the same.
    ///
    /// - Parameter source: the name of the installation that is taken over, or was.
    /// - Throws: ``JobsError/Code/unreachable``, ``JobsError/Code/schemaTooNew``; ``JobsError/Code/conflict`` where the
    ///   database holds what is another installation's; ``JobsError/Code/busy`` where another does the same at the moment.
    package init(_ configuration: PostgresConfiguration, source: String) throws(JobsError) {
        self.source = source
        (pool, connection) = try Self.connect(configuration)
        // Before its schema is changed, which servers of an older version would not start on any more.
        _ = try Self.look(connection, source: source)
        try Schema.migrate(connection)
        try perform {
            let lock = "SELECT pg_try_advisory_lock(hashtext('lktrack.takeover'), hashtext(current_schema()))"
            guard try connection.run(script: lock).first?.boolean(0) == true else {
                throw JobsError(.busy, "another `lktrack migrate` is at work on the same PostgreSQL database")
            }
            try connection.execute("SELECT set_config('lktrack.takeover', $1::text, false)", [.text(source)])
        }
    }

    private static func connect(
        _ configuration: PostgresConfiguration
    ) throws(JobsError) -> (ConnectionPool, PostgresConnection) {
        if let reason = PostgresConnection.problem(with: configuration.url) { throw JobsError(.unreachable, reason) }
        let pool = ConnectionPool(configuration, session: PostgresJobStore.session(configuration))
        do throws(PostgresError) {
            let connection = try pool.connect()
            try connection.run(script: session)
            return (pool, connection)
        } catch {
            throw JobsError(error)
        }
    }

    /// What a database would be for a takeover, without changing anything in it.
    ///
    /// - Returns: `nil`: nobody has made a schema there yet, or it holds nothing.
    /// - Throws: ``JobsError/Code/conflict`` where it holds what is another installation's.
    package static func look(_ configuration: PostgresConfiguration, source: String) throws(JobsError) -> State? {
        let (pool, connection) = try connect(configuration)
        defer { withExtendedLifetime(pool) {} }
        return try look(connection, source: source)
    }

    private static func look(_ connection: PostgresConnection, source: String) throws(JobsError) -> State? {
        try translated {
            if try isThere("takeover", connection), let found = try state(connection) {
                guard found.source == source else {
                    throw JobsError(
                        .conflict,
                        "the PostgreSQL database has the jobs of another installation, \(found.source), which would be "
                            + "lost: give a database, or a schema, that is new")
                }
                return found.state
            }
            try requireEmpty(connection)
            return nil
        }
    }

    private static func isThere(_ table: String, _ connection: PostgresConnection) throws -> Bool {
        try connection.execute("SELECT to_regclass($1::text) IS NOT NULL", [.text(table)]).first?.boolean(0) == true
    }

    /// - Returns: `nil`: nothing was taken over yet.
    package func state() throws(JobsError) -> State? { try perform { try Self.state(connection)?.state } }

    private static func state(_ connection: PostgresConnection) throws -> (source: String, state: State)? {
        guard let row = try connection.execute("SELECT source, state FROM takeover").first else { return nil }
        guard let state = State(rawValue: row.text(1)) else {
            throw JobsError(.corrupt, "the job database says that its takeover is \"\(row.text(1))\"")
        }
        return (row.text(0), state)
    }

    /// Notes down that the copying has begun, and closes the database to all others.
    ///
    /// - Throws: ``JobsError/Code/conflict`` where the database holds something.
    package func begin() throws(JobsError) {
        try transaction {
            try connection.execute("INSERT INTO takeover (source, state) VALUES ($1, 'copying')", [.text(source)])
            // First, which waits for transactions that write: what they put is seen below.
            try close()
            try Self.requireEmpty(connection)
        }
    }

    private static func requireEmpty(_ connection: PostgresConnection) throws {
        // An older schema does not have all.
        for table in StoredTable.all where try !table.isCounter && isThere(table.name, connection) {
            let isEmpty = try connection.execute(TakenTables(table: table).isEmpty).first?.boolean(0)
            guard isEmpty == true else {
                throw JobsError(
                    .conflict,
                    "the PostgreSQL database has jobs, keys or tenants of its own already (in its table \(table.name)), "
                        + "which would be lost: give a database, or a schema, that is new")
            }
        }
    }

    /// Nobody may start on it, and nobody who comes back to it may write.
    ///
    /// - Returns: whether it was taken over, and is no more.
    /// - Parameter patience: seconds that others who are connected have to go: a server process needs a moment to notice
    ///   that its client has.
    /// - Throws: ``JobsError/Code/busy`` where others are connected to a database that was taken over.
    package func undo(patience: Double = 5) throws(JobsError) -> Bool {
        try transaction {
            let sql = "UPDATE takeover SET state = 'undone' WHERE source = $1 AND state = 'finished'"
            guard try connection.execute(sql, [.text(source)]).changed == 1 else { return false }
            try requireAlone(patience)
            try close()
            return true
        }
    }

    /// Until the transaction ends nobody comes who is not there.
    private func requireAlone(_ patience: Double) throws {
        let lock = "SELECT pg_try_advisory_xact_lock(\(PostgresJobStore.sessionsLock))"
        let end = ContinuousClock.now + .seconds(patience)
        repeat {
            if try connection.run(script: lock).first?.boolean(0) == true { return }
            Thread.sleep(forTimeInterval: Self.lookSeconds)
        } while ContinuousClock.now < end
        let others = try connection.run(
            script: """
                SELECT concat_ws(' ', nullif(application_name, ''), 'at',
                    coalesce(host(client_addr), 'the database''s machine'), '(backend ' || pid || ')')
                FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND pid IN (
                    SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 2
                        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
                        AND (classid, objid) = (hashtext('lktrack.sessions')::oid, hashtext(current_schema())::oid))
                ORDER BY pid LIMIT \(Self.mostNamed)
                """
        ).rows.map { $0.text(0) }
        throw JobsError(
            .busy,
            "servers or commands of lktrack are still connected to the PostgreSQL database, and would remove blobs of jobs "
                + "that they do not know: \(others.joined(separator: ", ")). Stop them and run this again")
    }

    private func close() throws {
        for table in Self.guarded {
            try connection.run(
                script: """
                    DROP TRIGGER IF EXISTS takeover_guard ON \(table);
                    CREATE TRIGGER takeover_guard BEFORE INSERT OR UPDATE OR DELETE ON \(table)
                    FOR EACH STATEMENT EXECUTE FUNCTION refuse_during_takeover()
                    """)
        }
    }

    // MARK: Helpers

    func transaction<T>(_ body: () throws -> T) throws(JobsError) -> T {
        try perform {
            try connection.run(script: "BEGIN")
            do {
                let value = try body()
                connection.deadline = .now + .seconds(Self.statementSeconds)
                try connection.run(script: "COMMIT")
                return value
            } catch {
                if !connection.isBroken { _ = try? connection.run(script: "ROLLBACK") }
                throw error
            }
        }
    }

    func perform<T>(_ body: () throws -> T) throws(JobsError) -> T {
        connection.deadline = .now + .seconds(Self.statementSeconds)
        return try Self.translated(body)
    }

    private static func translated<T>(_ body: () throws -> T) throws(JobsError) -> T {
        do {
            return try body()
        } catch let error as JobsError {
            throw error
        } catch let error as PostgresError {
            throw JobsError(error)
        } catch {
            throw JobsError(.io, "\(error)")
        }
    }
}
