import HTTPServer

/// One line of the route table. (A class, because every request passes all of them by.)
final class Route: Sendable {
    /// On which thread an answer is made.
    enum Place: Sendable {
        /// On the connection's own, which must not block.
        case inline
        /// On the handler queue, while the connection is suspended.
        case queue
        /// Likewise, but by ``BlobRequests``: it looks for blobs.
        case blobs
    }

    enum Action: Sendable {
        case answer(Place, @Sendable (RequestContext) throws -> HTTPResponse)
        /// The same, where the request decides on which thread.
        case answerWhere(@Sendable (RequestContext) -> Place, @Sendable (RequestContext) throws -> HTTPResponse)
        /// Takes a body, or answers later.
        case intake(@Sendable (RequestContext) throws -> HTTPDisposition)
    }

    let method: String
    /// `/v1/jobs/{id}`; the name of the route in logs and metrics.
    let pattern: String
    /// Names of the query parameters it knows; one that ends in `.` stands for every name that starts with it. `nil`:
    /// the action looks at them itself.
    let query: [String]?
    let action: Action
    private let segments: [Segment]

    private enum Segment: Sendable {
        case literal(String)
        case parameter(String)
    }

    init(_ method: String, _ pattern: String, query: [String]? = [], _ action: Action) {
        self.method = method
        self.pattern = pattern
        self.query = query
        self.action = action
        segments = pattern.split(separator: "/").map { part in
            part.first == "{" ? .parameter(String(part.dropFirst().dropLast())) : .literal(String(part))
        }
    }

    var segmentCount: Int { segments.count }

    /// Whether a path of so many segments may fit the pattern. The root is the empty path, or one empty segment.
    func canFit(segments count: Int) -> Bool { segments.isEmpty ? count <= 1 : count == segments.count }

    /// Whether the path fits the pattern.
    func fits(_ path: [String]) -> Bool {
        if segments.isEmpty { return path.isEmpty || path == [""] }
        guard path.count == segments.count else { return false }
        for k in segments.indices {
            if case .literal(let text) = segments[k], text != path[k] { return false }
        }
        return true
    }

    /// The parameters where the path fits the pattern, else `nil`. The root is the empty path, or one empty segment.
    func match(_ path: [String]) -> [(name: String, value: String)]? {
        if segments.isEmpty { return path.isEmpty || path == [""] ? [] : nil }
        guard path.count == segments.count else { return nil }
        var parameters: [(name: String, value: String)] = []
        for (segment, value) in zip(segments, path) {
            switch segment {
            case .literal(let text): guard text == value else { return nil }
            case .parameter(let name): parameters.append((name, value))
            }
        }
        return parameters
    }

    /// The first query parameter that the route does not know.
    func unknownParameter(in query: [(name: String, value: String)]) -> String? {
        guard let known = self.query else { return nil }
        return query.first { parameter in
            !known.contains { $0.hasSuffix(".") ? parameter.name.hasPrefix($0) : parameter.name == $0 }
        }?.name
    }
}
