import CMicroHTTPD
import Glibc
import Logging
import Synchronization

/// The thread that takes new connections and gives them to the daemon.
///
/// libmicrohttpd could do so by itself, but could not stop: `MHD_quiesce_daemon` of 0.9.75 races with the daemon's own
/// threads over its listening socket and then aborts the program (one stop in some ten thousand on a busy machine).
final class Acceptor: Sendable {
    private let socket: ListeningSocket
    private let wake: Descriptor
    private let log: Logger
    private let thread = Mutex<ServerThread?>(nil)

    /// Waited where the process is out of descriptors, before it is tried again.
    private static let retryMilliseconds: Int32 = 50
    /// Nanoseconds between two lines that say so.
    private static let warningInterval: Int64 = 60_000_000_000

    var port: UInt16 { socket.port }

    /// Listens; nothing is accepted before ``start(_:)``.
    /// - Throws: `cannotListen` or `outOfResources`.
    init(configuration: HTTPServerConfiguration, log: Logger) throws(HTTPServerError) {
        wake = try .event()
        socket = try ListeningSocket(
            address: configuration.address, port: configuration.port, backlog: configuration.backlog)
        self.log = log
    }

    /// - Parameter add: takes an accepted socket and its client's address.
    /// - Throws: `outOfResources`.
    func start(_ add: @escaping @Sendable (Int32, UnsafePointer<sockaddr>, socklen_t) -> Void) throws(HTTPServerError) {
        let started = try ServerThread(name: "http-acceptor") { [self] in
            var waiting = [wake.number, socket.descriptor.number].map {
                pollfd(fd: $0, events: Int16(POLLIN), revents: 0)
            }
            var warned = Int64.min
            while true {
                let isReady = poll(&waiting, nfds_t(waiting.count), -1) > 0
                if waiting[0].revents != 0 { return }
                guard isReady, !acceptAll(add) else { continue }
                let now = Monotonic.now()
                if warned == .min || now - warned >= Self.warningInterval {
                    warned = now
                    log.warning("connections wait: no descriptors or memory left")
                }
                _ = poll(&waiting, 1, Self.retryMilliseconds)
            }
        }
        thread.withLock { $0 = started }
    }

    /// Returns when nothing is accepted any more. Clients that wait are refused.
    func stop() {
        wake.signal()
        thread.withLock { $0.take() }?.join()
        socket.descriptor.close()
    }

    /// False where the process has no descriptors left for what waits.
    private func acceptAll(_ add: (Int32, UnsafePointer<sockaddr>, socklen_t) -> Void) -> Bool {
        while true {
            var address = sockaddr_storage()
            var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
            let accepted = withUnsafeMutablePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                    let accepted = lk_accept(socket.descriptor.number, pointer, &size)
                    if accepted >= 0 { add(accepted, pointer, size) }
                    return accepted
                }
            }
            guard accepted < 0 else { continue }
            switch errno {
            case EMFILE, ENFILE, ENOBUFS, ENOMEM:
                return false
            case EINTR, ECONNABORTED:
                continue
            default:
                return true
            }
        }
    }
}
