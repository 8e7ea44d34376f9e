import CMicroHTTPD
import Synchronization

/// One client's connection, from when it is accepted until its socket is closed.
final class Connection: Sendable {
    /// libmicrohttpd's connection.
    struct Handle: @unchecked Sendable {
        // @unchecked Sendable: libmicrohttpd's own lock. The only call made on it from other threads is MHD_resume_connection, which libmicrohttpd locks itself.
        let pointer: OpaquePointer
    }

    /// Never used twice, and never 0.
    let id: UInt64
    let handle: Handle
    let socket: ClientSocket
    /// Without the port.
    let remoteAddress: String
    /// Whether it was within the limit when it was opened: those that come later cost it nothing.
    let hasPlace: Bool
    /// Phase in the low bits, the monotonic time of its start above: read and written as one.
    private let phaseAndTime: Atomic<UInt64>
    private let cut = Atomic<Bool>(false)
    /// Of the last request.
    private let last = Mutex(Last())
    private let table: ConnectionTable

    private struct Last: ~Copyable {
        var head: KnownHead?
        var response: DaemonResponse?
    }

    private static let phaseBits: UInt64 = 3

    /// - Parameter table: that it is to be in.
    init(_ connection: OpaquePointer, id: UInt64, table: ConnectionTable, hasPlace: Bool) {
        self.id = id
        self.table = table
        self.hasPlace = hasPlace
        handle = Handle(pointer: connection)
        socket = ClientSocket(descriptor: lk_mhd_socket(connection))
        remoteAddress = ClientSocket.host(lk_mhd_client_address(connection))
        phaseAndTime = Atomic(Self.pack(.firstHead, Monotonic.now()))
    }

    /// - Parameter now: of ``Monotonic``.
    func enter(_ phase: ConnectionPhase, at now: Int64 = Monotonic.now()) {
        phaseAndTime.store(Self.pack(phase, now), ordering: .relaxed)
    }

    var phase: (phase: ConnectionPhase, began: Int64) {
        let packed = phaseAndTime.load(ordering: .relaxed)
        let phase = ConnectionPhase(rawValue: packed & (1 << Self.phaseBits - 1)) ?? .handling
        return (phase, Int64(packed >> Self.phaseBits))
    }

    /// Whether the server has given the client up; nothing more is to be sent.
    var isCut: Bool { cut.load(ordering: .relaxed) }

    /// Ends both directions. The daemon sees it when it next looks at the socket, and closes.
    func shutDown() {
        cut.store(true, ordering: .relaxed)
        socket.shutDown()
    }

    /// Whether the client waits no more for a response (``ConnectionTable/hasLeft(_:)``).
    var hasClientLeft: Bool { table.hasLeft(self) }

    // MARK: What clients do again and again

    /// What this head came to the last time, where that was just before.
    func known(_ received: ReceivedHead) -> KnownHead? {
        last.withLock { last in last.head.flatMap { $0.fits(received) ? $0 : nil } }
    }

    func remember(_ head: KnownHead) {
        last.withLock { $0.head = head.isWorthKeeping ? head : nil }
    }

    /// Takes the response that was remembered.
    func lastResponse() -> DaemonResponse? { last.withLock { $0.response.take() } }

    func remember(_ response: consuming DaemonResponse) {
        var response = Optional(response)
        last.withLock { $0.response = response.take() }
    }

    /// It is closed; what it remembers refers to it.
    func forget() { last.withLock { $0 = Last() } }

    private static func pack(_ phase: ConnectionPhase, _ time: Int64) -> UInt64 {
        UInt64(truncatingIfNeeded: time) << phaseBits | phase.rawValue
    }
}
