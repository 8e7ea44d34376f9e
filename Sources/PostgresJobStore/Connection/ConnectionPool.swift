import Dispatch
import Foundation
import Jobs
import Synchronization

/// A bounded number of connections, lent to one thread each. Where the database is away, calls wait for a while and then
/// fail at once, and tries to reach it again come ever more seldom.
final class ConnectionPool: Sendable {
    /// A connection that nobody uses, on its way from one thread to the next.
    private struct Idle: @unchecked Sendable {
        // @unchecked Sendable: behind the lock of `state`, and afterwards of the one thread that took it out.
        let connection: PostgresConnection
    }

    private struct State {
        var idle: [Idle] = []
        var isClosed = false
        /// Since when the database is away; `nil`: it is not known to be.
        var awaySince: ContinuousClock.Instant?
        var nextTry: ContinuousClock.Instant = .now
        var pause = Duration.zero
        var lastError: PostgresError?
    }

    private let configuration: PostgresConfiguration
    private let session: String
    private let state = Mutex(State())
    /// Whoever has waited for long for a connection may use it for this long all the same: a time limit breaks it, and that
    /// takes it from others.
    private static let leastUse = Duration.seconds(1)
    /// Counts the connections that may still be lent.
    private let free: DispatchSemaphore

    /// - Parameter session: statements that each new connection begins with.
    init(_ configuration: PostgresConfiguration, session: String) {
        self.configuration = configuration
        self.session = session
        free = DispatchSemaphore(value: max(configuration.connections, 1))
    }

    /// Makes a connection apart from the pool's.
    func connect() throws(PostgresError) -> PostgresConnection {
        let connection = try PostgresConnection(url: configuration.url, seconds: configuration.connectSeconds)
        let row = try connection.run(script: session).first
        guard row?.boolean(0) == true else {
            throw PostgresError(.connection, row?.text(1) ?? "the session could not be set up")
        }
        return connection
    }

    /// Lends a connection, which must be given back. Blocks, at most until a deadline.
    func take(until deadline: ContinuousClock.Instant) throws(JobsError) -> PostgresConnection {
        let left = max(deadline - .now, .zero)
        guard free.wait(timeout: .now() + left / .seconds(1)) == .success else {
            throw JobsError(.busy, "all \(configuration.connections) connections to the job database are in use")
        }
        do throws(JobsError) {
            let connection: PostgresConnection
            if let idle = try idle() { connection = idle } else { connection = try made(until: deadline) }
            connection.deadline = max(deadline, .now + Self.leastUse)
            return connection
        } catch {
            free.signal()
            throw error
        }
    }

    func giveBack(_ connection: PostgresConnection) {
        let idle = Idle(connection: connection)
        state.withLock { state in
            if connection.isBroken {
                // What broke one has mostly broken all.
                state.idle = []
            } else if !state.isClosed {
                state.idle.append(idle)
            }
        }
        free.signal()
    }

    /// Closes what nobody uses; later calls throw.
    func close() {
        let idle = state.withLock { state in
            state.isClosed = true
            defer { state.idle = [] }
            return state.idle
        }
        withExtendedLifetime(idle) {}
    }

    // MARK: Helpers

    private func idle() throws(JobsError) -> PostgresConnection? {
        let (idle, isClosed) = state.withLock { ($0.idle.popLast(), $0.isClosed) }
        if isClosed { throw JobsError(.io, "the job database is closed") }
        return idle?.connection
    }

    /// Connects, and where that fails tries again for as long as the database has not been away for long.
    private func made(until deadline: ContinuousClock.Instant) throws(JobsError) -> PostgresConnection {
        while true {
            if let pause = try pause(until: deadline) { Thread.sleep(forTimeInterval: pause / .seconds(1)) }
            do throws(PostgresError) {
                let connection = try connect()
                state.withLock { state in
                    state.awaySince = nil
                    state.pause = .zero
                }
                return connection
            } catch {
                noteFailure(error)
            }
        }
    }

    /// How long to wait before the next try.
    ///
    /// - Throws: ``JobsError/Code/unreachable`` where waiting would be for too long.
    private func pause(until deadline: ContinuousClock.Instant) throws(JobsError) -> Duration? {
        let now = ContinuousClock.now
        let (next, since, error) = state.withLock { ($0.nextTry, $0.awaySince, $0.lastError) }
        guard let since, let error else { return nil }
        let isPatient = now - since < .seconds(configuration.patienceSeconds)
        guard next <= now || isPatient, next < deadline, now < deadline else { throw JobsError(error) }
        return next > now ? next - now : nil
    }

    private func noteFailure(_ error: PostgresError) {
        let jitter = Double.random(in: 0.5...1)
        state.withLock { state in
            let now = ContinuousClock.now
            state.awaySince = state.awaySince ?? now
            state.lastError = error
            state.pause = min(
                max(state.pause * 2, .seconds(configuration.firstPauseSeconds)),
                .seconds(configuration.longestPauseSeconds))
            state.nextTry = max(state.nextTry, now + state.pause * jitter)
        }
    }
}
