import CMicroHTTPD
import Synchronization

/// Every open connection, and which of them are suspended. Its lock orders three threads that must not meet: the daemon's,
/// which suspend and close; the handlers', which resume; and the janitor's, which uses sockets that are not its own.
///
/// libmicrohttpd aborts the program where it is stopped with a suspended connection, so suspending and stopping are decided
/// under one lock.
final class ConnectionTable: Sendable {
    enum Mode: Sendable, Comparable {
        case serving
        /// No new connections; requests are finished and connections closed after them.
        case draining
        /// Nothing is waited for any more.
        case cutting
    }

    private struct Entry {
        let connection: Connection
        var isSuspended = false
        /// Bytes that may still be thrown away.
        var lingerBytes: Int64?
        var watch = SlowClientWatch()
    }

    private struct State {
        var mode = Mode.serving
        var entries: [UInt64: Entry] = [:]
    }

    /// That are looked at without letting go of the lock.
    private static let connectionsAtOnce = 32

    private let state = Mutex(State())
    private let modeValue = Atomic<UInt8>(0)
    private let openCount = Atomic<Int>(0)
    private let whenEmpty: @Sendable () -> Void

    /// - Parameter whenEmpty: called when the last connection closes while the server stops.
    init(whenEmpty: @escaping @Sendable () -> Void) { self.whenEmpty = whenEmpty }

    /// Connections that are open now.
    var count: Int { openCount.load(ordering: .relaxed) }

    var isStopping: Bool { modeValue.load(ordering: .acquiring) > 0 }

    func opened(_ connection: Connection) {
        openCount.add(1, ordering: .relaxed)
        state.withLock { $0.entries[connection.id] = Entry(connection: connection) }
    }

    /// The socket is about to be closed.
    func closed(_ connection: Connection) {
        let isLast = state.withLock { state in
            state.entries[connection.id] = nil
            return state.entries.isEmpty && state.mode > .serving
        }
        connection.forget()
        openCount.subtract(1, ordering: .relaxed)
        if isLast { whenEmpty() }
    }

    /// To be called on the connection's own thread, in a callback of the daemon. False once the server cuts what is left:
    /// nothing would resume the connection.
    func suspend(_ connection: Connection, lingerBytes: Int64? = nil) -> Bool {
        state.withLock { state in
            let id = connection.id
            guard state.mode < .cutting, state.entries[id] != nil else { return false }
            MHD_suspend_connection(connection.handle.pointer)
            state.entries[id]?.isSuspended = true
            state.entries[id]?.lingerBytes = lingerBytes
            return true
        }
    }

    /// Whether the client waits no more for a response, as ``SlowClientWatch`` has it, or the connection is not there any
    /// more. From any thread.
    func hasLeft(_ connection: Connection) -> Bool {
        state.withLock { state in
            // Under the lock, which keeps the socket from being closed.
            guard state.entries[connection.id] != nil, !connection.isCut else { return true }
            guard let progress = connection.socket.progress else { return false }
            return progress.hasEnded && progress.unread == 0
        }
    }

    /// From any thread, any number of times.
    func resume(_ connection: Connection) {
        state.withLock { Self.resume(&$0.entries[connection.id]) }
    }

    private static func resume(_ entry: inout Entry?) {
        guard let suspended = entry, suspended.isSuspended else { return }
        entry?.isSuspended = false
        entry?.lingerBytes = nil
        MHD_resume_connection(suspended.connection.handle.pointer)
    }

    /// Takes what a lingering connection has sent meanwhile, a buffer at most. Where more may come, `again` is called with
    /// the socket, under the lock, which keeps that from being closed. Otherwise the connection goes back to the daemon.
    func drain(_ id: UInt64, through buffer: UnsafeMutableRawBufferPointer, again: (ClientSocket) -> Void) {
        state.withLock { state in
            guard let entry = state.entries[id], let left = entry.lingerBytes else { return }
            switch entry.connection.socket.receive(into: buffer) {
            case .bytes(let count) where Int64(count) < left:
                state.entries[id]?.lingerBytes = left - Int64(count)
                return again(entry.connection.socket)
            case .nothingNow:
                return again(entry.connection.socket)
            case .bytes, .end:
                entry.connection.shutDown()
                Self.resume(&state.entries[id])
            }
        }
    }

    /// Cuts the clients that are too slow, and says why. Looks at a few connections at a time: the kernel is asked about
    /// each, and meanwhile no request can be suspended or resumed.
    func cutSlowClients(now: Int64, limits: SlowClientWatch.Limits) -> [(remoteAddress: String, reason: String)] {
        let ids = state.withLock { Array($0.entries.keys) }
        return stride(from: 0, to: ids.count, by: Self.connectionsAtOnce).flatMap { first in
            cutSlowClients(among: ids[first...].prefix(Self.connectionsAtOnce), now: now, limits: limits)
        }
    }

    private func cutSlowClients(
        among ids: ArraySlice<UInt64>, now: Int64, limits: SlowClientWatch.Limits
    ) -> [(remoteAddress: String, reason: String)] {
        state.withLock { state in
            var cut: [(remoteAddress: String, reason: String)] = []
            for id in ids {
                guard var entry = state.entries[id], var progress = entry.connection.socket.progress else { continue }
                let (phase, began) = entry.connection.phase
                progress.isServerBusy = entry.isSuspended
                let reason = entry.watch.verdict(
                    phase: phase, began: began, now: now, progress: progress, limits: limits)
                state.entries[id] = entry
                guard let reason else { continue }
                cut.append((entry.connection.remoteAddress, reason))
                entry.connection.shutDown()
                Self.resume(&state.entries[id])
            }
            return cut
        }
    }

    /// Begins to stop: closes what is idle. Called again while it waits, as connections become idle.
    /// - Returns: whether no connection is left.
    func drainIdle() -> Bool {
        state.withLock { state in
            state.mode = max(state.mode, .draining)
            modeValue.store(1, ordering: .releasing)
            for entry in state.entries.values {
                switch entry.connection.phase.phase {
                case .firstHead, .idle: entry.connection.shutDown()
                default: break
                }
            }
            return state.entries.isEmpty
        }
    }

    /// Ends everything: no connection is suspended when this returns, nor will one be.
    func cutAll() {
        state.withLock { state in
            state.mode = .cutting
            modeValue.store(2, ordering: .releasing)
            for id in Array(state.entries.keys) {
                guard let entry = state.entries[id] else { continue }
                entry.connection.shutDown()
                Self.resume(&state.entries[id])
            }
        }
    }
}
