import CMicroHTTPD
import Glibc
import Logging
import Synchronization

/// The thread that cuts slow clients, and that reads what lingering ones still send so that they get to read their response.
final class Janitor: Sendable {
    private let table: ConnectionTable
    private let limits: SlowClientWatch.Limits
    private let interval: Int64
    private let log: Logger
    private let epoll: Descriptor
    private let wake: Descriptor
    private let thread = Mutex<ServerThread?>(nil)

    /// The event that ends the thread; no connection has this number.
    private static let wakeToken: UInt64 = 0
    private static let bufferBytes = 64 * 1024
    private static let eventsAtOnce = 64

    /// - Throws: `outOfResources`.
    init(table: ConnectionTable, configuration: HTTPServerConfiguration, log: Logger) throws(HTTPServerError) {
        self.table = table
        self.log = log
        limits = SlowClientWatch.Limits(configuration)
        interval = configuration.watchInterval.nanoseconds
        epoll = try .epoll()
        wake = try .event()
        watch(wake.number, Self.wakeToken, EPOLL_CTL_ADD)
    }

    /// - Throws: `outOfResources`.
    func start() throws(HTTPServerError) {
        let started = try ServerThread(name: "http-janitor") { [self] in run() }
        thread.withLock { $0 = started }
    }

    /// Waits for the thread. The daemon must have stopped: nothing may linger any more.
    func stop() {
        wake.signal()
        thread.withLock { $0.take() }?.join()
        epoll.close()
        wake.close()
    }

    /// Begins to read a connection that the table has suspended to linger. The socket leaves the set by being closed.
    func linger(_ connection: Connection) {
        if !watch(connection.socket.descriptor, connection.id, EPOLL_CTL_ADD) { table.resume(connection) }
    }

    private func run() {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.bufferBytes, alignment: 16)
        defer { buffer.deallocate() }
        var events = [epoll_event](repeating: epoll_event(), count: Self.eventsAtOnce)
        var nextWatch = Monotonic.now() + interval
        while true {
            let left = max(0, nextWatch - Monotonic.now())
            let count = epoll_wait(epoll.number, &events, Int32(events.count), Int32(clamping: left / 1_000_000 + 1))
            for event in events.prefix(Int(max(0, count))) {
                guard event.data.u64 != Self.wakeToken else { return }
                let id = event.data.u64
                table.drain(id, through: buffer) { watch($0.descriptor, id, EPOLL_CTL_MOD) }
            }
            let now = Monotonic.now()
            guard now >= nextWatch else { continue }
            nextWatch = now + interval
            for cut in table.cutSlowClients(now: now, limits: limits) {
                log.debug(
                    "connection cut", metadata: ["remote": "\(cut.remoteAddress)", "reason": "\(cut.reason)"])
            }
        }
    }

    /// For one event: a connection that went back to the daemon must not report its end for ever.
    @discardableResult
    private func watch(_ descriptor: Int32, _ token: UInt64, _ operation: Int32) -> Bool {
        var event = epoll_event()
        event.events = EPOLLIN.rawValue | EPOLLRDHUP.rawValue | EPOLLONESHOT.rawValue
        event.data.u64 = token
        return epoll_ctl(epoll.number, operation, descriptor, &event) == 0
    }
}
