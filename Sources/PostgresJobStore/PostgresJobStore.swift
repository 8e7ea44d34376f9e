import Foundation
import Jobs
import Synchronization

/// Jobs in a PostgreSQL database (13 or newer), which any number of processes on any number of machines may share: what
/// ``submit(_:)`` accepted is on the server's disk (`synchronous_commit=on`).
///
/// Leases run by the database's clock, so that the machines' clocks need not agree.
public struct PostgresJobStore: JobStore {
    let transactor: Transactor
    let environment: any Environment
    /// From a job's end until it expires; `nil`: never.
    let retentionMilliseconds: Int64?
    let deliveryIDs: JobIDGenerator
    let capacity: QueueCapacity
    let changes: ChangeFeed
    /// Tokens of leases whose job may have been ended by a call that did not learn of it.
    let unsettled = UnsettledTokens()

    /// Connects, and brings the schema up to date; other processes may do the same at the same time.
    ///
    /// - Parameters:
    ///   - retentionSeconds: what jobs that end get until they expire; `nil`: they are kept for ever.
    ///   - capacity: what submissions are held to.
    ///   - environment: gives the leases' tokens. Any other than ``SystemEnvironment`` gives the time of day, too, which
    ///     is the database's else.
    /// - Throws: ``JobsError/Code/unreachable`` where the database cannot be reached, or the client library cannot be
    ///   loaded; ``JobsError/Code/schemaTooNew`` where a newer version made it; ``JobsError/Code/moved`` where it is still
    ///   taking over another one's jobs.
    public init(
        _ configuration: PostgresConfiguration, retentionSeconds: Double? = nil,
        capacity: QueueCapacity = QueueCapacity(), environment: any Environment = SystemEnvironment()
    ) throws(JobsError) {
        self.environment = environment
        self.capacity = capacity
        retentionMilliseconds = retentionSeconds.map { Int64(($0 * 1000).rounded()) }
        deliveryIDs = JobIDGenerator(environment: environment)
        if let reason = PostgresConnection.problem(with: configuration.url) { throw JobsError(.unreachable, reason) }
        let pool = ConnectionPool(configuration, session: Self.session(configuration))
        let connection = try pool.take(until: .now + .seconds(configuration.callSeconds))
        do throws(JobsError) {
            defer { pool.giveBack(connection) }
            try Schema.migrate(connection)
            try Self.refuseDuringTakeover(connection)
        } catch {
            pool.close()
            throw error
        }
        transactor = Transactor(pool: pool, callSeconds: configuration.callSeconds)
        // Not of the environment, which tests give to several stores.
        changes = try ChangeFeed(configuration, pool: pool, sender: SystemEnvironment().leaseToken())
    }

    /// Why a URL is none for ``PostgresConfiguration/url``; `nil` where it is one. Nothing is connected to.
    public static func problem(withURL url: String) -> String? { PostgresConnection.problem(with: url) }

    /// Tells what is left to be told and closes the connections. Later calls throw.
    public func close() {
        changes.close()
        transactor.pool.close()
    }

    /// Calls `handler` with what other processes have changed, shortly after they did, on a thread of the store's that
    /// must not be held up. Replaces the handler before. Some changes are not told of: where a connection breaks, or the
    /// other process.
    public func onChange(_ handler: @escaping @Sendable (StoreChange) -> Void) { changes.onChange(handler) }

    // MARK: Sessions

    /// Held, shared, for as long as a session lasts: whoever must be alone sees who is there, in the same schema.
    static let sessionsLock = "hashtext('lktrack.sessions'), hashtext(current_schema())"

    /// What each connection begins with; the last statement says whether it will do, and else why not.
    ///
    /// Without sequential scans, because prepared statements keep the plans that they got while tables were small; what
    /// they cost on paper would have their plans compiled (`jit`), which takes longer than any of them.
    static func session(_ configuration: PostgresConfiguration) -> String {
        """
        SET statement_timeout = \(Int(configuration.statementSeconds * 1000));
        SET idle_in_transaction_session_timeout = \(Int(configuration.statementSeconds * 1000));
        SET tcp_keepalives_idle = 5; SET tcp_keepalives_interval = 2; SET tcp_keepalives_count = 3;
        SET jit = off; SET enable_seqscan = off; SET bytea_output = 'hex'; SET client_min_messages = warning;
        SET default_transaction_isolation = 'read committed';
        SELECT pg_advisory_lock_shared(\(sessionsLock));
        SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') <> 'remote_apply';
        SELECT reason IS NULL, reason FROM (SELECT CASE
            WHEN pg_is_in_recovery() THEN 'the server is a standby, which takes no writes'
            WHEN current_setting('synchronous_commit') NOT IN ('on', 'remote_apply')
                THEN 'the server does not take synchronous_commit = on'
            WHEN current_setting('fsync') <> 'on'
                THEN 'the server runs with fsync = off: what it takes would not survive a loss of power'
            END AS reason) AS judged
        """
    }

    // MARK: Access

    /// For ``now(_:)``: the injected time, or nothing.
    var givenNow: PostgresValue {
        environment is SystemEnvironment ? .null : .integer(environment.now().unixMilliseconds)
    }

    /// An SQL expression for the time of day in milliseconds: the parameter ``givenNow``, else the database's clock, as of
    /// the statement's start.
    static func now(_ parameter: String) -> String {
        "coalesce(\(parameter)::bigint, floor(extract(epoch FROM statement_timestamp()) * 1000)::bigint)"
    }
}

/// Tokens that are remembered for a while.
final class UnsettledTokens: Sendable {
    private let tokens = Mutex<Set<String>>([])

    func insert(_ token: String) { tokens.withLock { _ = $0.insert(token) } }

    func remove(_ token: String) { tokens.withLock { _ = $0.remove(token) } }

    func contains(_ token: String) -> Bool { tokens.withLock { $0.contains(token) } }
}

extension PostgresJobStore: ChangeCount {
    /// Moves with this process's changes before the call that made them returns, and with others' a moment after.
    public func changeCount() -> Int64? { changes.count() }
}
