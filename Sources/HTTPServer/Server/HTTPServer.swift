import CMicroHTTPD
import Dispatch
import Glibc
import Logging
import Synchronization

/// An HTTP/1.1 server over libmicrohttpd: its epoll threads read and write, handlers that block run on a pool.
///
/// `start` and `stop` block: they are for a thread of one's own, not for Swift's cooperative ones.
public final class HTTPServer: Sendable {
    private struct Running: @unchecked Sendable {
        // @unchecked Sendable: immutable, behind the lock of `running`. The daemon takes connections from any thread, by
        // its own locks; the rest is used by the one call that starts the server or takes this out to end it.
        let daemon: OpaquePointer
        let settings: UnsafeMutablePointer<lk_mhd_settings>
        let core: Unmanaged<ServerCore>
        let acceptor: Acceptor
        /// Signalled when the last connection closes.
        let empty: DispatchSemaphore
    }

    private let configuration: HTTPServerConfiguration
    private let application: any HTTPApplication
    private let log: Logger
    private let requestIDs: @Sendable () -> String
    private let observer: (@Sendable (HTTPRequestSummary) -> Void)?
    private let requestLog: (@Sendable (HTTPRequestSummary) -> Void)?
    private let running = Mutex<Running?>(nil)

    /// Looked at this often while connections become idle.
    private static let drainPoll = DispatchTimeInterval.milliseconds(20)

    /// - Parameters:
    ///   - requestIDs: makes ``HTTPRequest/id``; 1-64 characters of `[A-Za-z0-9._-]`.
    ///   - observer: called once for each finished request, on the connection's thread; must not block.
    ///   - requestLog: writes a finished request's line, likewise; `nil`: it goes to `log`.
    public init(
        configuration: HTTPServerConfiguration, application: some HTTPApplication, log: Logger,
        requestIDs: @escaping @Sendable () -> String = HTTPServer.randomRequestID,
        observer: (@Sendable (HTTPRequestSummary) -> Void)? = nil,
        requestLog: (@Sendable (HTTPRequestSummary) -> Void)? = nil
    ) {
        self.configuration = configuration
        self.application = application
        self.log = log
        self.requestIDs = requestIDs
        self.observer = observer
        self.requestLog = requestLog
    }

    deinit { stop(by: .now()) }

    /// The port that the server listens on; `nil` while it does not run.
    public var boundPort: UInt16? { running.withLock { $0?.acceptor.port } }

    /// Connections that are open now.
    public var connectionCount: Int {
        running.withLock { $0?.core.takeUnretainedValue().table.count ?? 0 }
    }

    /// Requests whose head has come and whose response is not sent yet.
    public var requestsInFlight: Int {
        running.withLock { $0?.core.takeUnretainedValue().requestsInFlight.load(ordering: .relaxed) ?? 0 }
    }

    /// 32 random hexadecimal digits.
    public static func randomRequestID() -> String { RequestID.random() }

    /// Returns when the server accepts connections. A stopped server may be started again.
    /// - Throws: `invalidConfiguration`, `cannotListen`, `outOfResources` or `alreadyRunning`.
    public func start() throws(HTTPServerError) {
        try configuration.validate()
        try running.withLock { running throws(HTTPServerError) in
            guard running == nil else { throw HTTPServerError(.alreadyRunning, "The server is running already.") }
            running = try launch()
        }
    }

    private func launch() throws(HTTPServerError) -> Running {
        let configuration = fittedConfiguration()
        let acceptor = try Acceptor(configuration: configuration, log: log)
        let empty = DispatchSemaphore(value: 0)
        let core = try ServerCore(
            application: application, configuration: configuration, log: log, makeRequestID: requestIDs,
            observer: observer, requestLog: requestLog ?? { [log] in $0.write(to: log) },
            table: ConnectionTable(whenEmpty: { empty.signal() }))
        let retained = Unmanaged.passRetained(core)
        let settings = UnsafeMutablePointer<lk_mhd_settings>.allocate(capacity: 1)
        settings.initialize(to: Self.daemonSettings(configuration, context: retained.toOpaque()))
        guard let daemon = lk_mhd_start(settings) else {
            let reason = String(cString: strerror(errno))
            core.closePools()
            retained.release()
            settings.deallocate()
            throw HTTPServerError(.outOfResources, "libmicrohttpd does not start: \(reason).")
        }
        let running = Running(daemon: daemon, settings: settings, core: retained, acceptor: acceptor, empty: empty)
        do throws(HTTPServerError) {
            try core.janitor.start()
            try acceptor.start { socket, address, size in
                guard core.admit() else {
                    Glibc.close(socket)
                    return
                }
                // Where the address has as many as it may, the daemon closes the socket.
                if MHD_add_connection(running.daemon, socket, address, size) != .YES { core.dismiss() }
            }
        } catch {
            end(running, by: .now())
            throw error
        }
        log.info(
            "listening", metadata: ["address": "\(configuration.address)", "port": .stringConvertible(acceptor.port)])
        return running
    }

    /// With as many connections as the process may open files for.
    private func fittedConfiguration() -> HTTPServerConfiguration {
        let fitted = configuration.fittedToProcess()
        if fitted != configuration {
            var metadata: Logger.Metadata = [
                "limit": "\(Descriptor.allow(configuration.openFiles))", "needed": "\(configuration.openFiles)",
                "connections": "\(fitted.connections)",
                "configured": "\(configuration.connections)",
            ]
            metadata["per_address"] = fitted.connectionsPerAddress.map { "\($0)" }
            log.warning(
                "the hard limit of open files is too low for all connections: fewer are taken", metadata: metadata)
        }
        return fitted
    }

    /// The daemon divides its limit among its threads, and each must have room for all connections: 0.9.75 never serves
    /// anybody again where a thread has been given one more than its limit. So ``ServerCore/admit()`` keeps to it.
    private static func daemonSettings(
        _ configuration: HTTPServerConfiguration, context: UnsafeMutableRawPointer
    ) -> lk_mhd_settings {
        let threads = configuration.threads ?? max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
        let count = min(threads, configuration.connections)
        return lk_mhd_settings(
            threads: UInt32(count), connection_limit: UInt32(clamping: (configuration.acceptedConnections + 1) * count),
            connections_per_address: UInt32(configuration.connectionsPerAddress ?? 0),
            connection_memory: connectionMemory(headBytes: configuration.headBytes), context: context,
            access: DaemonCallbacks.access, request_completed: DaemonCallbacks.requestCompleted,
            connection_changed: DaemonCallbacks.connectionChanged, target_received: DaemonCallbacks.targetReceived,
            log_message: DaemonCallbacks.logMessage)
    }

    /// Half of it is for reading at first, all of it where a head needs that: half as much again as a head may have, so
    /// that those that are somewhat too large are still read and get the application's error. Not more, because
    /// libmicrohttpd zeroes all of it between two requests of a connection, which then takes much of the request's time.
    private static func connectionMemory(headBytes: Int) -> Int { max(32 * 1024, headBytes * 3 / 2) }

    /// Stops accepting, lets requests finish up to the deadline, then cuts the rest: their sinks are aborted. Returns when
    /// no callback runs any more, except for handlers that have not returned; their responses are dropped.
    public func stop(by deadline: DispatchTime) {
        guard let stopped = running.withLock({ $0.take() }) else { return }
        end(stopped, by: deadline)
        log.info("stopped", metadata: ["port": .stringConvertible(stopped.acceptor.port)])
    }

    private func end(_ stopped: Running, by deadline: DispatchTime) {
        let core = stopped.core.takeUnretainedValue()
        stopped.acceptor.stop()
        while !core.table.drainIdle(), DispatchTime.now() < deadline {
            _ = stopped.empty.wait(timeout: min(deadline, .now() + Self.drainPoll))
        }
        core.table.cutAll()
        MHD_stop_daemon(stopped.daemon)
        core.janitor.stop()
        core.closePools()
        stopped.core.release()
        stopped.settings.deallocate()
    }
}
