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
