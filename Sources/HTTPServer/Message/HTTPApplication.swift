/// What is to become of a request, decided when its head is there.
public enum HTTPDisposition: Sendable {
    /// At once, on the connection's thread: must not block.
    case respond(HTTPResponse)
    /// On the handler queue, while the connection is suspended; may block. A body, if there is one, is drained first.
    case work(@Sendable () -> HTTPResponse)
    /// Later, from any thread, while the connection is suspended and no thread waits: for requests that wait for
    /// something to happen. The closure is called on the connection's thread and must not block. A body is drained first.
    case later(@Sendable (HTTPResponder) -> Void)
    /// The body streams to the sink; more than `limit` bytes are answered with `tooLarge`.
    case receive(any HTTPBodySink, limit: Int64, tooLarge: HTTPResponse)
}

/// What the server serves.
public protocol HTTPApplication: Sendable {
    /// Decides what is to become of a request, once its head is there and none of its body.
    ///
    /// Called on the connection's thread, and on several threads at the same time. Each serves many connections, so this
    /// must not block: what asks a store, a disk or another machine is done in the closures and sinks of the
    /// ``HTTPDisposition``. Heads that the server itself refuses do not come here, but to
    /// ``error(status:detail:requestID:target:)``.
    func begin(_ request: HTTPRequest) -> HTTPDisposition

    /// The body of an error that the server itself found: a malformed request (400), a head that is too large (431),
    /// too many connections (503). `detail` is a sentence for the client.
    func error(status: Int, detail: String, requestID: String) -> HTTPResponse

    /// The same, for a protocol whose answers have fields of their own.
    ///
    /// - Parameter target: as it stood on the request line, unchecked.
    func error(status: Int, detail: String, requestID: String, target: String) -> HTTPResponse
}

extension HTTPApplication {
    public func error(status: Int, detail: String, requestID: String, target: String) -> HTTPResponse {
        error(status: status, detail: detail, requestID: requestID)
    }
}
