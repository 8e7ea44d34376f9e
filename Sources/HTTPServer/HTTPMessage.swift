/// Header fields in the order they came; names compare without case (RFC 9110 §5.1).
public struct HTTPFields: Sendable, Hashable {
    public private(set) var fields: [(name: String, value: String)]

    public init(_ fields: [(name: String, value: String)] = []) { self.fields = fields }

    /// The first value of a field. Setting replaces every field of that name; `nil` removes them.
    public subscript(name: String) -> String? {
        get { fields.first { Self.equal($0.name, name) }?.value }
        set {
            fields.removeAll { Self.equal($0.name, name) }
            if let newValue { fields.append((name, newValue)) }
        }
    }

    public func all(_ name: String) -> [String] {
        // Mostly there are none, which costs no array.
        var values: [String] = []
        for field in fields where Self.equal(field.name, name) { values.append(field.value) }
        return values
    }

    public mutating func append(_ name: String, _ value: String) { fields.append((name, value)) }

    static func equal(_ a: String, _ b: String) -> Bool {
        a.utf8.count == b.utf8.count && a.utf8.elementsEqual(b.utf8) { lower($0) == lower($1) }
    }

    private static func lower(_ byte: UInt8) -> UInt8 { byte >= 65 && byte <= 90 ? byte | 32 : byte }

    public static func == (a: HTTPFields, b: HTTPFields) -> Bool {
        a.fields.elementsEqual(b.fields) { $0.name == $1.name && $0.value == $1.value }
    }

    public func hash(into hasher: inout Hasher) {
        for field in fields {
            hasher.combine(field.name)
            hasher.combine(field.value)
        }
    }
}

/// The head of a request, checked by the protocol guard.
///
/// Two references: it goes through a dozen hands, and to copy all that a head has for each of them would show.
public struct HTTPRequest: Sendable {
    final class Head: Sendable {
        let method: String
        let target: String
        let path: [String]
        let query: [(name: String, value: String)]
        let fields: HTTPFields
        let remoteAddress: String
        let isHead: Bool
        let hasClientLeft: @Sendable () -> Bool

        init(
            method: String, target: String, path: [String], query: [(name: String, value: String)],
            fields: HTTPFields, remoteAddress: String, isHead: Bool, hasClientLeft: @escaping @Sendable () -> Bool
        ) {
            self.method = method
            self.target = target
            self.path = path
            self.query = query
            self.fields = fields
            self.remoteAddress = remoteAddress
            self.isHead = isHead
            self.hasClientLeft = hasClientLeft
        }
    }

    /// What all copies refer to.
    let head: Head
    /// Made by the server (or the client's `X-Request-Id` where that is 1-64 characters of `[A-Za-z0-9._-]`).
    public internal(set) var id: String

    /// - Parameters:
    ///   - isHead: a HEAD request. Its `method` is `GET`.
    ///   - hasClientLeft: see ``hasClientLeft``.
    public init(
        method: String, target: String, path: [String], query: [(name: String, value: String)] = [],
        fields: HTTPFields = HTTPFields(), remoteAddress: String = "", id: String = "", isHead: Bool = false,
        hasClientLeft: @escaping @Sendable () -> Bool = { false }
    ) {
        head = Head(
            method: method, target: target, path: path, query: query, fields: fields, remoteAddress: remoteAddress,
            isHead: isHead, hasClientLeft: hasClientLeft)
        self.id = id
    }

    public var method: String { head.method }
    /// As it stood on the request line, before any decoding.
    public var target: String { head.target }
    /// Percent-decoded segments of the path: `/v1/jobs/` is `["v1", "jobs", ""]`.
    public var path: [String] { head.path }
    /// Percent-decoded, in order.
    public var query: [(name: String, value: String)] { head.query }
    public var fields: HTTPFields { head.fields }
    /// The client's address, without the port.
    public var remoteAddress: String { head.remoteAddress }
    /// A HEAD request. Its `method` is `GET`: it is answered as that would be, and the server leaves out the body.
    public var isHead: Bool { head.isHead }
    /// Whether nobody waits for the response any more, as far as the server has noticed: for work that takes long. May be
    /// asked from any thread.
    public var hasClientLeft: @Sendable () -> Bool { head.hasClientLeft }

    /// The same with another method, for protocols that let a client say it in a field. `HEAD` is asked as `GET`
    /// (``isHead``).
    public func asked(by method: String) -> HTTPRequest {
        HTTPRequest(
            method: method == "HEAD" ? "GET" : method, target: target, path: path, query: query, fields: fields,
            remoteAddress: remoteAddress, id: id, isHead: method == "HEAD", hasClientLeft: hasClientLeft)
    }

    /// The first value of a query parameter.
    public func query(_ name: String) -> String? { query.first { $0.name == name }?.value }

    /// From `Content-Length`; `nil` where the body is chunked or there is none.
    public var contentLength: Int64? { fields["Content-Length"].flatMap { Int64($0) } }
}

/// A response. `Content-Length`, `Date`, `Connection` and `X-Request-Id` are set by the server.
///
/// One reference, copied when it is changed: what is answered again and again is the same response each time, which the
/// server notices (``isSame(as:)``).
public struct HTTPResponse: Sendable {
    final class Content: @unchecked Sendable {
        // @unchecked Sendable: written only while no other response refers to it.
        var status: Int
        var fields: HTTPFields
        var body: HTTPBody
        var logNote: String?
        var route: String?
        var isProbe = false

        init(status: Int, fields: HTTPFields, body: HTTPBody) {
            self.status = status
            self.fields = fields
            self.body = body
        }

        func copy() -> Content {
            let copy = Content(status: status, fields: fields, body: body)
            copy.logNote = logNote
            copy.route = route
            copy.isProbe = isProbe
            return copy
        }
    }

    /// What all copies refer to that were not changed.
    private(set) var content: Content

    public init(status: Int, fields: HTTPFields = HTTPFields(), body: HTTPBody = .empty) {
        content = Content(status: status, fields: fields, body: body)
    }

    public var status: Int {
        get { content.status }
        set { own().status = newValue }
    }
    public var fields: HTTPFields {
        get { content.fields }
        _modify { yield &own().fields }
    }
    public var body: HTTPBody {
        get { content.body }
        set { own().body = newValue }
    }
    /// What the log gets and the client does not.
    public var logNote: String? {
        get { content.logNote }
        set { own().logNote = newValue }
    }
    /// A constant name of the route for logs and metrics: `/v1/jobs/{id}`.
    public var route: String? {
        get { content.route }
        // Mostly it is there: a response that is kept need not be copied for it.
        set { if newValue != content.route { own().route = newValue } }
    }
    /// An answer that monitoring asks for every few seconds: the log has it at level debug, where it is a success.
    public var isProbe: Bool {
        get { content.isProbe }
        set { own().isProbe = newValue }
    }

    /// Whether the other is a copy of this one, and neither was changed since.
    func isSame(as other: HTTPResponse) -> Bool { content === other.content }

    private mutating func own() -> Content {
        if !isKnownUniquelyReferenced(&content) { content = content.copy() }
        return content
    }
}

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
    /// so this must not block. It may close and remove a local file; what may take longer (a database, another machine,
    /// making bytes durable) belongs on another thread.
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
