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
