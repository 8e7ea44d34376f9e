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
    /// ``HTTPResponse/logNote``, or else why the body broke off.
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

    // MARK: For the log

    /// What a line of the log says by a name.
    public enum LogValue: Sendable {
        case text(String)
        case integer(Int64)
        case number(Double)
        case flag(Bool)
    }

    /// The constant message of its line.
    public static let logMessage = "request"

    public var logLevel: Logger.Level { status >= 500 ? .error : isProbe && status < 400 ? .debug : .info }

    /// Everything that its line says beside the message, in the order of the names.
    public func describe(_ field: (_ name: StaticString, _ value: LogValue) -> Void) {
        field("bytes_in", .integer(bytesReceived))
        field("bytes_out", .integer(bytesSent))
        if !isComplete { field("complete", .flag(false)) }
        field("duration_ms", .number(Double(duration.nanoseconds / 1000) / 1000))
        field("method", .text(method))
        if let note { field("note", .text(note)) }
        if let trace { field("parent_id", .text(trace.parentID)) }
        field("remote", .text(remoteAddress))
        field("request_id", .text(id))
        field("route", .text(route))
        field("status", .integer(Int64(status)))
        if let trace { field("trace_id", .text(trace.traceID)) }
    }

    func write(to log: Logger) {
        let level = logLevel
        guard log.logLevel <= level else { return }
        var metadata: Logger.Metadata = [:]
        describe { name, value in
            metadata[name.description] =
                switch value {
                case .text(let text): .string(text)
                case .integer(let number): .stringConvertible(number)
                case .number(let number): .stringConvertible(number)
                case .flag(let flag): .stringConvertible(flag)
                }
        }
        log.log(level: level, "\(Self.logMessage)", metadata: metadata)
    }
}
