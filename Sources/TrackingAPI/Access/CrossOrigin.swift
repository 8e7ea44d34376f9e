import HTTPServer

/// Lets pages of other origins read answers (the CORS protocol, WHATWG Fetch §3.3): those of configured origins, and
/// nobody else's. Keys are sent by `Authorization`, never by cookies, so that nothing is allowed that a browser does of
/// itself.
struct CrossOrigin: Sendable {
    /// `https://site.example`, as browsers send them in `Origin`.
    let origins: Set<String>

    /// Whatever answers have for clients beyond what any script may read (§4.6, CORS-safelisted response headers).
    private static let exposed = [
        "Accept", "Accept-Encoding", "Accept-Ranges", "Allow", "Content-Disposition", "Content-Range", "ETag",
        "Idempotency-Replayed", "Link", "Location", "Preference-Applied", "RateLimit", "RateLimit-Policy",
        "Repr-Digest", "Retry-After", "Tus-Checksum-Algorithm", "Tus-Extension", "Tus-Max-Size", "Tus-Resumable",
        "Tus-Version", "Upload-Defer-Length", "Upload-Expires", "Upload-Length", "Upload-Metadata", "Upload-Offset",
        "WWW-Authenticate", "X-Request-Id",
    ].joined(separator: ", ")
    /// Whatever requests may have.
    private static let allowed = [
        "Accept", "Authorization", "Content-Type", "Idempotency-Key", "If-Match", "If-None-Match", "If-Range",
        "Last-Event-ID", "Prefer", "Range", "Tus-Resumable", "Upload-Checksum", "Upload-Defer-Length", "Upload-Length",
        "Upload-Metadata", "Upload-Offset", "Want-Repr-Digest", "X-HTTP-Method-Override", "traceparent",
    ].joined(separator: ", ")

    func disposition(of request: HTTPRequest, _ base: HTTPDisposition) -> HTTPDisposition {
        guard !origins.isEmpty else { return base }
        let origin = request.fields["Origin"].flatMap { origins.contains($0) ? $0 : nil }
        let isPreflight = request.method == "OPTIONS" && request.fields["Access-Control-Request-Method"] != nil
        return base.mappingResponses { response in
            var response = response
            response.fields.append("Vary", "Origin")
            guard let origin else { return response }
            response.fields["Access-Control-Allow-Origin"] = origin
            response.fields["Access-Control-Expose-Headers"] = Self.exposed
            if isPreflight {
                response.fields["Access-Control-Allow-Methods"] = response.fields["Allow"]
                response.fields["Access-Control-Allow-Headers"] = Self.allowed
                response.fields["Access-Control-Max-Age"] = "600"
            }
            return response
        }
    }
}
