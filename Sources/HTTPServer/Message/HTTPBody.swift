public enum HTTPBody: Sendable {
    case empty
    case bytes([UInt8])
    /// Bytes made while they are sent.
    case stream(any HTTPBodyStream)
}

/// A body that is read piece by piece, on the server's own threads, by one at a time.
public protocol HTTPBodyStream: AnyObject, Sendable {
    /// Sent as `Content-Length`; `nil`: chunked.
    var count: Int64? { get }
    /// Fills as much of the buffer as can be had now. 0 ends the body; an error cuts the connection, so that the client
    /// sees that the body is not whole.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int
}

/// Where a request's body goes while it arrives. Calls come from one thread at a time. They may block on the disk, but
/// for ``abort()``.
public protocol HTTPBodySink: AnyObject, Sendable {
    /// A response ends the matter early: the rest of the body is drained (up to a cap) and the response sent.
    func receive(_ bytes: UnsafeRawBufferPointer) -> HTTPResponse?
    /// The body is whole. Runs on the handler queue and may block.
    func finish() -> HTTPResponse
    /// The client went away, or the server stops: clean up. Called once, instead of ``finish()``: also after an early
    /// response, and where not a byte came.
    ///
    /// Called on the connection's thread, and never while another call runs. That thread serves other connections, too,
    /// so this must not block: what waits for a disk, a database or another machine belongs on another thread.
    func abort()
}

/// A body whose bytes come when they come (an event stream): waiting for them holds no thread.
public protocol HTTPLiveBodyStream: HTTPBodyStream {
    /// Called once, before the first read. `wake` may be called from any thread, at any time, also too often; it makes
    /// the server read again after ``pending()`` was true.
    func attach(wake: @escaping @Sendable () -> Void)
    /// Asked where ``HTTPBodyStream/read(into:)`` returned 0: true means that there is nothing now, false that the body
    /// is over.
    func pending() -> Bool
    /// Whether the connection is closed after it. True unless a body says otherwise: between two requests libmicrohttpd
    /// zeroes all of a connection's memory, and so makes it resident, which is not for thousands of streams that end
    /// together.
    var endsConnection: Bool { get }
}

extension HTTPLiveBodyStream {
    public var endsConnection: Bool { true }
}
