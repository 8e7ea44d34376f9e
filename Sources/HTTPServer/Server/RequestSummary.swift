import Logging

/// One finished request, for the log and for metrics.
public struct HTTPRequestSummary: Sendable {
    public var id = ""
    /// As the client sent it: `HEAD`, not `GET`.
    public var method = ""
    /// The response's route, `none` where no application saw the request: never the path.
    public var route = "none"
    /// 0 where the client went away before there was a response.
    public var status = 0
    /// Of the bodies, without heads and chunk sizes.
    public var bytesReceived: Int64 = 0
    public var bytesSent: Int64 = 0
    public var duration = Duration.zero
    public var remoteAddress: String
    /// The response reached the daemon's end of the socket as a whole.
    public var isComplete = false
    /// ``HTTPResponse/logNote``.
    public var note: String?
    /// ``HTTPResponse/isProbe``.
    public var isProbe = false
    /// The trace that the request belongs to.
    public var trace: TraceContext?

    init(remoteAddress: String) { self.remoteAddress = remoteAddress }

    mutating func note(_ response: HTTPResponse) {
        status = response.status
        route = response.route ?? route
        note = response.logNote
        isProbe = response.isProbe
    }

    /// One line with a constant message.
    func write(to log: Logger) {
        let level: Logger.Level = status >= 500 ? .error : isProbe && status < 400 ? .debug : .info
        guard log.logLevel <= level else { return }
        let (seconds, attoseconds) = duration.components
        let microseconds = seconds * 1_000_000 + attoseconds / 1_000_000_000_000
        var metadata: Logger.Metadata = [
            "request_id": .string(id), "method": .string(method), "route": .string(route),
            "status": .stringConvertible(status),
            "bytes_in": .stringConvertible(bytesReceived), "bytes_out": .stringConvertible(bytesSent),
            "duration_ms": .stringConvertible(Double(microseconds) / 1000), "remote": .string(remoteAddress),
        ]
        if !isComplete { metadata["complete"] = .stringConvertible(false) }
        if let note { metadata["note"] = "\(note)" }
        if let trace {
            metadata["trace_id"] = "\(trace.traceID)"
            metadata["parent_id"] = "\(trace.parentID)"
        }
        log.log(level: level, "request", metadata: metadata)
    }
}
