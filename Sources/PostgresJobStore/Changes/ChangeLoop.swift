import Foundation
import Glibc
import Jobs
import Synchronization

/// The thread of a ``ChangeFeed``, and what it shares with those who tell it of changes.
///
/// A notification is sent right after the transaction that it tells of, not in it: PostgreSQL commits transactions that
/// notify one after another, each waiting for the disk, which would be the end of many writers. What is lost where a
/// process dies in between is found by a look at the server's newest transaction now and then.
final class ChangeLoop: Sendable {
    private struct State {
        /// What the others are yet to be told.
        var outgoing: StoreChange?
        var handler: (@Sendable (StoreChange) -> Void)?
    }

    private let configuration: PostgresConfiguration
    private let pool: ConnectionPool
    /// Names this store among those that listen.
    private let sender: String
    private let state = Mutex(State())
    private let changes = Atomic<Int64>(0)
    private let isListening = Atomic(false)
    private let isStopping = Atomic(false)
    /// Wakes the thread: a byte written to the one comes out of the other.
    private let wakeWriter: Int32
    private let wakeReader: Int32
    private let ended = DispatchSemaphore(value: 0)

    /// How long an answer may take until the connection counts as lost.
    private static let answerSeconds = 3.0
    /// From one notification to the next: what changes meanwhile goes together. Each wakes every other process; without
    /// a pause their number would grow with the square of the processes'.
    private static let tellSeconds = 0.02

    /// - Parameter sender: another for each store.
    /// - Throws: ``JobsError/Code/unreachable`` where the database cannot be reached.
    init(_ configuration: PostgresConfiguration, pool: ConnectionPool, sender: String) throws(JobsError) {
        self.configuration = configuration
        self.pool = pool
        self.sender = sender
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw JobsError(.io, "no pipe can be made: \(String(cString: strerror(errno)))") }
        (wakeReader, wakeWriter) = (ends[0], ends[1])
        for end in ends {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
        }
        let first: Line
        do throws(PostgresError) {
            first = try connect()
        } catch {
            Glibc.close(wakeReader)
            Glibc.close(wakeWriter)
            throw JobsError(error)
        }
        isListening.store(true, ordering: .releasing)
        let box = Handover(line: first)
        let thread = Thread { [self] in
            run(box.line)
            ended.signal()
        }
        thread.name = "postgres-changes"
        thread.start()
    }

    deinit {
        Glibc.close(wakeReader)
        Glibc.close(wakeWriter)
    }

    /// See ``ChangeCount/changeCount()``.
    func count() -> Int64? {
        isListening.load(ordering: .acquiring) ? changes.load(ordering: .acquiring) : nil
    }

    /// Called with what others tell, on the feed's thread. Replaces the one before.
    func onChange(_ handler: @escaping @Sendable (StoreChange) -> Void) { state.withLock { $0.handler = handler } }

    /// This process has changed something, durably.
    func note(_ change: StoreChange) {
        changes.wrappingAdd(1, ordering: .acquiringAndReleasing)
        let mustWake = state.withLock { state in
            defer {
                var all = state.outgoing ?? StoreChange()
                all.add(change)
                state.outgoing = all
            }
            return state.outgoing == nil
        }
        if mustWake { wake() }
    }

    /// Has the thread tell what is left to be told, and end.
    func stop() {
        guard !isStopping.exchange(true, ordering: .acquiringAndReleasing) else { return }
        wake()
    }

    /// Waits for the end, once, after ``stop()``.
    func waitForEnd() { ended.wait() }

    // MARK: The thread

    /// A connection that listens.
    private struct Line {
        let connection: PostgresConnection
        let channel: String
        /// The server's newest transaction, when it was looked at last.
        var snapshot: String
        var looked: ContinuousClock.Instant
        var told: ContinuousClock.Instant
    }

    private struct Handover: @unchecked Sendable {
        // @unchecked Sendable: made by one thread and used by the next, which it starts.
        let line: Line
    }

    private func run(_ first: Line) {
        var pause = configuration.firstPauseSeconds
        var line: Line? = first
        while !isStopping.load(ordering: .acquiring) {
            if var current = line {
                do throws(PostgresError) {
                    try turn(&current)
                    line = current
                } catch {
                    isListening.store(false, ordering: .releasing)
                    line = nil
                }
                continue
            }
            do throws(PostgresError) {
                line = try connect()
                pause = configuration.firstPauseSeconds
                // Whatever happened meanwhile was not heard.
                hear(StoreChange(jobs: nil, isQueued: true, isEnded: true))
                isListening.store(true, ordering: .releasing)
                // What could not be told before is told now.
                wake()
            } catch {
                waitForEvent(seconds: pause * Double.random(in: 0.5...1), also: nil)
                pause = min(pause * 2, configuration.longestPauseSeconds)
            }
        }
        isListening.store(false, ordering: .releasing)
        state.withLock { $0.handler = nil }
        if let line { _ = try? tell(line) }
    }

    private func connect() throws(PostgresError) -> Line {
        let connection = try pool.connect()
        connection.deadline = .now + .seconds(Self.answerSeconds)
        // Installations in one database are told apart by their schemas. Nothing here waits for the disk.
        let row = try connection.run(
            script: """
                SET synchronous_commit = off;
                SELECT 'lktrack_' || left(md5(current_schema()), 16), pg_current_snapshot()::text
                """
        ).first
        let channel = row?.text(0) ?? ""
        try connection.run(script: "LISTEN \(channel)")
        return Line(connection: connection, channel: channel, snapshot: row?.text(1) ?? "", looked: .now, told: .now)
    }

    /// Waits for something to happen, and does what there is to do.
    private func turn(_ line: inout Line) throws(PostgresError) {
        var next = line.looked + .seconds(configuration.lookSeconds)
        let mayTell = line.told + .seconds(Self.tellSeconds)
        if state.withLock({ $0.outgoing != nil }) { next = min(next, mayTell) }
        waitForEvent(seconds: max((next - .now) / .seconds(1), 0), also: line.connection.socket)
        line.connection.deadline = .now + .seconds(Self.answerSeconds)
        try line.connection.takeIn()
        if ContinuousClock.now >= mayTell, try tell(line) { line.told = .now }
        if ContinuousClock.now - line.looked >= .seconds(configuration.lookSeconds) { try look(&line) }
        while let text = line.connection.nextNotification() {
            guard let message = ChangeMessage(text), message.sender != sender else { continue }
            hear(message.change)
        }
    }

    /// Returns whether there was anything to tell.
    @discardableResult
    private func tell(_ line: Line) throws(PostgresError) -> Bool {
        let change = state.withLock { state in
            defer { state.outgoing = nil }
            return state.outgoing
        }
        guard let change else { return false }
        do throws(PostgresError) {
            let text = ChangeMessage(sender: sender, change: change).text
            try line.connection.execute("SELECT pg_notify($1, $2)", [.text(line.channel), .text(text)])
            return true
        } catch {
            state.withLock { state in
                var all = change
                if let newer = state.outgoing { all.add(newer) }
                state.outgoing = all
            }
            throw error
        }
    }

    /// Every transaction that has written changes what a new one would see.
    private func look(_ line: inout Line) throws(PostgresError) {
        let snapshot = try line.connection.execute("SELECT pg_current_snapshot()::text").first?.text(0) ?? ""
        line.looked = .now
        if snapshot != line.snapshot { changes.wrappingAdd(1, ordering: .acquiringAndReleasing) }
        line.snapshot = snapshot
    }

    private func hear(_ change: StoreChange) {
        changes.wrappingAdd(1, ordering: .acquiringAndReleasing)
        let handler = state.withLock { $0.handler }
        handler?(change)
    }

    private func wake() {
        var byte: UInt8 = 0
        _ = write(wakeWriter, &byte, 1)
    }

    /// Waits until it is woken, a socket can be read, or the time is over.
    private func waitForEvent(seconds: Double, also socket: Int32?) {
        var entries = [pollfd(fd: wakeReader, events: Int16(POLLIN), revents: 0)]
        if let socket { entries.append(pollfd(fd: socket, events: Int16(POLLIN), revents: 0)) }
        _ = poll(&entries, nfds_t(entries.count), Int32(min(seconds * 1000, 1e6).rounded(.up)))
        var bytes = [UInt8](repeating: 0, count: 64)
        while read(wakeReader, &bytes, bytes.count) > 0 {}
    }
}
