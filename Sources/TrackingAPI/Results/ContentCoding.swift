import HTTPServer

/// How a result's representation is coded (RFC 9110 §8.4).
enum ContentCoding: String, Sendable {
    case identity, gzip

    /// `gzip` where the client takes it.
    init(_ request: HTTPRequest) {
        let fields = request.fields.all("Accept-Encoding")
        let accepted = fields.isEmpty ? nil : fields.joined(separator: ", ")
        self = ContentNegotiation.accepts(encoding: "gzip", acceptEncoding: accepted) ? .gzip : .identity
    }
}
