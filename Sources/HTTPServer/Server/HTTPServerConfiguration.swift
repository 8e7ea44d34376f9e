/// How the server listens, and what it puts up with.
public struct HTTPServerConfiguration: Sendable, Hashable {
    /// An IPv4 or IPv6 address or a host name. `::` takes IPv4 as well.
    public var address = "127.0.0.1"
    /// 0 takes a free one, to be read from ``HTTPServer/boundPort``.
    public var port: UInt16 = 8080
    /// Connections that the kernel may hold before they are accepted.
    public var backlog = 512
    /// Threads that read and write; `nil`: one for each core.
    public var threads: Int?
    /// Threads that handlers may block; as many others take bodies.
    public var handlerThreads = 16
    /// Requests that may wait for a handler thread; more are answered with 503.
    public var handlerBacklog = 1024

    /// Connections beyond this number are answered with 503, and beyond ``connectionReserve`` more are not accepted.
    public var connections = 2000
    public var connectionReserve = 64
    /// Of one client address; `nil`: no limit, for a server behind a proxy.
    public var connectionsPerAddress: Int? = 256

    /// Files and sockets that the rest of the program may have open besides connections and what these transfer.
    public var otherDescriptors = 512

    /// Request line and fields together; a longer head is answered with 431.
    public var headBytes = 20 * 1024
    public var headFields = 100
    /// A longer target is answered with 414.
    public var targetBytes = 8 * 1024

    /// From a connection's start, or a later request's first byte, to the end of the head.
    public var headTimeout = Duration.seconds(10)
    /// How long a connection may stay without a request.
    public var idleTimeout = Duration.seconds(60)
    /// Bytes a second that a client must send of its body or take of a response, on average over ``rateWindow``.
    public var minimumRate = 1024
    public var rateWindow = Duration.seconds(10)

    /// A body that nobody asked for is read up to this size, so that the connection can be used again.
    public var discardBytes: Int64 = 64 * 1024
    /// After a response that came before the end of the body, the rest is read up to this size and time: a client that
    /// is still sending when its connection closes would not get to read the response.
    public var lingerBytes: Int64 = 64 * 1024 * 1024
    public var lingerTimeout = Duration.seconds(30)
    /// How often the deadlines above are looked at.
    public var watchInterval = Duration.milliseconds(250)

    public init() {}

    /// - Throws: `invalidConfiguration`, naming the key.
    public func validate() throws(HTTPServerError) {
        try Self.check("address", !address.isEmpty, "must not be empty")
        for (key, value) in [
            ("backlog", backlog), ("threads", threads ?? 1), ("handlerThreads", handlerThreads),
            ("handlerBacklog", handlerBacklog), ("connections", connections),
            ("connectionsPerAddress", connectionsPerAddress ?? 1), ("headFields", headFields),
            ("minimumRate", minimumRate), ("otherDescriptors", otherDescriptors),
        ] {
            try Self.check(key, (1...1_000_000).contains(value), "must be between 1 and 1000000")
        }
        try Self.check("connectionReserve", (0...100_000).contains(connectionReserve), "must be between 0 and 100000")
        try Self.check("threads", (threads ?? 1) <= connections, "must not be more than connections")
        try Self.check("headBytes", (1024...1_048_576).contains(headBytes), "must be between 1024 and 1048576")
        try Self.check("targetBytes", (256...headBytes).contains(targetBytes), "must be between 256 and headBytes")
        for (key, value) in [("discardBytes", discardBytes), ("lingerBytes", lingerBytes)] {
            try Self.check(key, value >= 0, "must not be negative")
        }
        for (key, value) in [
            ("headTimeout", headTimeout), ("idleTimeout", idleTimeout), ("rateWindow", rateWindow),
            ("lingerTimeout", lingerTimeout), ("watchInterval", watchInterval),
        ] {
            try Self.check(
                key, value >= .milliseconds(1) && value <= .seconds(86_400), "must be between 1 ms and a day")
        }
    }

    /// Beyond these none is accepted.
    var acceptedConnections: Int { connections + connectionReserve }

    /// Open files that all of it takes: each connection may have a file beside its socket, that of its upload or of what
    /// it fetches.
    var openFiles: Int { 2 * connections + connectionReserve + otherDescriptors }

    /// What a server makes of it in this process, whose limit of open files is raised as far as it may be.
    public func fittedToProcess() -> HTTPServerConfiguration { fitted(toOpenFiles: Descriptor.allow(openFiles)) }

    /// With fewer connections where the process may open fewer files than ``openFiles``: what is refused then are
    /// connections, rather than files in the middle of whatever needs one. The rest of the program keeps at least half of
    /// what there is, up to ``otherDescriptors``, and an address keeps its part of the connections.
    ///
    /// - Parameter limit: of the process's open files.
    func fitted(toOpenFiles limit: Int) -> HTTPServerConfiguration {
        guard limit < openFiles else { return self }
        var fitted = self
        fitted.otherDescriptors = min(otherDescriptors, limit * 5 / 8)
        let left = limit - fitted.otherDescriptors
        fitted.connectionReserve = min(connectionReserve, left / 8)
        fitted.connections = min(
            connections, max(Self.fewestConnections, (left - fitted.connectionReserve) / 2))
        fitted.connectionsPerAddress = connectionsPerAddress.map {
            min($0, max(Self.fewestConnections, $0 * fitted.connections / connections))
        }
        fitted.threads = threads.map { min($0, fitted.connections) }
        return fitted
    }

    /// What a browser opens to one server, and two more.
    private static let fewestConnections = 8

    private static func check(_ key: String, _ holds: Bool, _ rule: String) throws(HTTPServerError) {
        guard holds else { throw HTTPServerError(.invalidConfiguration, "The server's \(key) \(rule).") }
    }
}
