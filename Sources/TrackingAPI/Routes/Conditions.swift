import HTTPServer

/// Conditional and range requests (RFC 9110 §13 and §14).
enum Conditions {
    /// The answer where the request's conditions settle it: 304 to a client that has this representation already.
    ///
    /// - Throws: 412 where the client asked for another one (`If-Match`).
    static func answer(_ tag: EntityTag, _ request: HTTPRequest) throws(Problem) -> HTTPResponse? {
        switch Precondition.evaluate(request, current: tag) {
        case .proceed: return nil
        case .notModified:
            return HTTPResponse(
                status: 304, fields: HTTPFields([("ETag", tag.description), ("Cache-Control", "private, no-cache")]))
        case .failed:
            throw Problem(.preconditionFailed, "This is not the version that the request asks for; it is \(tag).")
        }
    }

    /// Which bytes are wanted. A range of another version than this is none (`If-Range`), and HEAD has none.
    static func range(_ tag: EntityTag, _ count: Int64, _ request: HTTPRequest) -> ByteRange {
        guard !request.isHead, Precondition.allowsRange(request, current: tag) else { return .whole }
        return ByteRange(request.fields["Range"], count: count)
    }
}
