import Foundation
import Jobs

/// Runs what reads and writes: on a connection of the pool, and again where that is of use and does no harm.
struct Transactor: Sendable {
    let pool: ConnectionPool
    let callSeconds: Double

    /// Thrown by a write to undo it and return a value all the same.
    struct Undone<T: Sendable>: Error {
        let value: T
    }

    /// The connection was lost while a transaction was being committed.
    private struct Unsettled<T: Sendable>: Error {
        let transaction: String
        let value: T
        let cause: PostgresError
    }

    /// Between two looks at a transaction whose end is not known.
    private static let lookSeconds = 0.05
    /// How long it is asked at least what became of one.
    private static let settlingSeconds = 2.0
    /// The longest pause after a conflict with another transaction.
    private static let conflictSeconds = 0.02
    private static let attempts = 10

    /// Runs statements each of which may be run twice, without a transaction around them.
    func read<T: Sendable>(_ body: (PostgresConnection) throws -> T) throws(JobsError) -> T {
        try repeated { connection throws in try body(connection) }
    }

    /// Runs a transaction: whole or not at all, and on the server's disk when this returns. `body` may run several times.
    ///
    /// Where the connection is lost in the middle of the commit, the server is asked afterwards what became of the
    /// transaction: a write is never done twice, nor taken for failed when it was not.
    ///
    /// - Throws: ``JobsError/Code/unsettled`` where it cannot be asked either.
    func write<T: Sendable>(_ body: (PostgresConnection) throws -> T) throws(JobsError) -> T {
        try repeated { connection throws in
            // The number that pg_xact_status() knows it by.
            let transaction = try connection.run(script: "BEGIN; SELECT pg_current_xact_id()").first?.text(0) ?? ""
            let value: T
            do {
                value = try body(connection)
            } catch let undone as Undone<T> {
                try connection.run(script: "ROLLBACK")
                return undone.value
            } catch {
                if !connection.isBroken { _ = try? connection.run(script: "ROLLBACK") }
                throw error
            }
            do throws(PostgresError) {
                try connection.run(script: "COMMIT")
            } catch {
                guard error.endsConnection else { throw error }
                throw Unsettled(transaction: transaction, value: value, cause: error)
            }
            return value
        }
    }

    // MARK: Parts

    private func repeated<T: Sendable>(_ body: (PostgresConnection) throws -> T) throws(JobsError) -> T {
        let deadline = ContinuousClock.now + .seconds(callSeconds)
        var attempt = 0
        while true {
            attempt += 1
            let connection = try pool.take(until: deadline)
            do {
                defer { pool.giveBack(connection) }
                return try body(connection)
            } catch let error as PostgresError {
                let isWorthAnother = error.endsConnection && error.kind != .timeout || error.isConflict
                guard isWorthAnother, attempt < Self.attempts, ContinuousClock.now < deadline else {
                    throw JobsError(error)
                }
                if error.isConflict {
                    Thread.sleep(forTimeInterval: Double.random(in: 0...Self.conflictSeconds))
                }
            } catch let unsettled as Unsettled<T> {
                let limit = max(deadline, .now + .seconds(Self.settlingSeconds))
                do throws(JobsError) {
                    if try isCommitted(unsettled.transaction, until: limit, unsettled.cause) { return unsettled.value }
                } catch {
                    // Whatever kept the question from its answer, it says nothing about the transaction.
                    throw JobsError(.unsettled, "a commit's answer was lost: \(error.message)")
                }
            } catch let error as JobsError {
                throw error
            } catch {
                throw JobsError(.io, "the job database failed: \(error)")
            }
        }
    }

    /// What became of a transaction (https://www.postgresql.org/docs/15/functions-info.html#FUNCTIONS-INFO-SNAPSHOT).
    private func isCommitted(
        _ transaction: String, until deadline: ContinuousClock.Instant, _ cause: PostgresError
    ) throws(JobsError) -> Bool {
        while true {
            let connection = try pool.take(until: deadline)
            defer { pool.giveBack(connection) }
            do throws(PostgresError) {
                let result = try connection.execute(
                    "SELECT pg_xact_status($1::text::xid8)", [.literal(transaction)])
                switch result.first?.text(0) {
                case "committed": return true
                case "aborted": return false
                case "in progress" where ContinuousClock.now < deadline:
                    Thread.sleep(forTimeInterval: Self.lookSeconds)
                default: throw cause
                }
            } catch {
                guard error.endsConnection, error.kind != .timeout, ContinuousClock.now < deadline else {
                    throw JobsError(cause)
                }
            }
        }
    }
}
