import HTTPServer

/// Conditional and range requests (RFC 9110 §13 and §14).
enum Conditions {
    /// `Cache-Control` of what is a tenant's own: kept by nobody else, and not used again unasked.
    static let privately = "private, no-cache"

    /// The answer where the request's conditions settle it: 304 to a client that has this representation already.
    ///
    /// - Parameters:
    ///   - cacheControl: as the 200 has it (§15.4.5).
    ///   - vary: what the representation was chosen by, likewise.
    /// - Throws: 412 where the client asked for another one (`If-Match`).
    static func answer(
        _ tag: EntityTag, _ request: HTTPRequest, cacheControl: String? = privately, vary: String? = nil
    ) throws(Problem) -> HTTPResponse? {
        switch Precondition.evaluate(request, current: tag) {
        case .proceed: return nil
        case .notModified:
            var fields = HTTPFields([("ETag", tag.description)])
            if let cacheControl { fields.append("Cache-Control", cacheControl) }
            if let vary { fields.append("Vary", vary) }
            return HTTPResponse(status: 304, fields: fields)
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
