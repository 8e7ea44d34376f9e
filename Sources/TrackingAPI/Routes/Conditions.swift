import HTTPServer

/// Conditional and range requests (RFC 9110 §13 and §14).
enum Conditions {
    /// Whether the client has this representation already: 304 is the answer then.
    static func isNotModified(_ tag: EntityTag, _ request: HTTPRequest) -> Bool {
        let field = request.fields.all("If-None-Match").joined(separator: ", ")
        return !field.isEmpty && EntityTag.matches(ifNoneMatch: field, tag)
    }

    static func notModified(_ tag: EntityTag) -> HTTPResponse {
        HTTPResponse(
            status: 304, fields: HTTPFields([("ETag", tag.description), ("Cache-Control", "private, no-cache")]))
    }

    /// Which bytes are wanted. A range of another version than this is none (`If-Range`).
    static func range(_ tag: EntityTag, _ count: Int64, _ request: HTTPRequest) -> ByteRange.Outcome {
        guard let field = request.fields["Range"] else { return .whole }
        if let condition = request.fields["If-Range"], !EntityTag.matches(ifRange: condition, tag) { return .whole }
        return ByteRange.parse(field, count: count)
    }
}
