import CMicroHTTPD
import Logging
import Synchronization

/// What every request needs while the daemon runs. The daemon's callbacks get a pointer to it.
final class ServerCore: Sendable {
    let application: any HTTPApplication
    let configuration: HTTPServerConfiguration
    let log: Logger
    let makeRequestID: @Sendable () -> String
    let observer: (@Sendable (HTTPRequestSummary) -> Void)?
    let requestLog: @Sendable (HTTPRequestSummary) -> Void
    let protocolGuard: ProtocolGuard
    let table: ConnectionTable
    let pool: HandlerPool
    /// Takes requests' bodies: where what they are written to does not answer, other requests are answered still.
    let intake: HandlerPool
    let janitor: Janitor
    /// Requests whose head is there and whose response is not sent yet.
    let requestsInFlight = Atomic<Int>(0)
    private let lastConnection = Atomic<UInt64>(0)
    /// Connections that the daemon has, or was given and has not looked at yet.
    private let admitted = Atomic<Int>(0)

    init(
        application: any HTTPApplication, configuration: HTTPServerConfiguration, log: Logger,
        makeRequestID: @escaping @Sendable () -> String, observer: (@Sendable (HTTPRequestSummary) -> Void)?,
        requestLog: @escaping @Sendable (HTTPRequestSummary) -> Void, table: ConnectionTable
    ) throws(HTTPServerError) {
        self.application = application
        self.configuration = configuration
        self.log = log
        self.makeRequestID = makeRequestID
        self.observer = observer
        self.requestLog = requestLog
        self.table = table
        protocolGuard = ProtocolGuard(
            headBytes: configuration.headBytes, headFields: configuration.headFields,
            targetBytes: configuration.targetBytes)
        janitor = try Janitor(table: table, configuration: configuration, log: log)
        pool = try HandlerPool(
            name: "http-handler", threads: configuration.handlerThreads, backlog: configuration.handlerBacklog)
        // A connection has one piece of a body waiting at a time, so that none is refused.
        do throws(HTTPServerError) {
            intake = try HandlerPool(
                name: "http-intake", threads: configuration.handlerThreads,
                backlog: configuration.acceptedConnections)
        } catch {
            pool.close()
            throw error
        }
    }

    /// Lets the handlers' threads end.
    func closePools() {
        pool.close()
        intake.close()
    }

    /// Whether there is room for one more connection; if so it counts, until ``dismiss()``.
    func admit() -> Bool {
        let count = admitted.add(1, ordering: .relaxed).newValue
        if count > configuration.acceptedConnections { dismiss() }
        return count <= configuration.acceptedConnections
    }

    /// One that was admitted is gone.
    func dismiss() { admitted.subtract(1, ordering: .relaxed) }

    func opened(_ connection: OpaquePointer) -> Connection {
        let id = lastConnection.add(1, ordering: .relaxed).newValue
        let hasPlace = table.count < configuration.connections
        let opened = Connection(connection, id: id, table: table, hasPlace: hasPlace)
        table.opened(opened)
        return opened
    }
}
