import HTTPServer

/// The words of tus 1.0.0, the protocol for resumable uploads (https://tus.io/protocols/resumable-upload).
package enum Tus {
    static let version = "1.0.0"
    static let extensions = [
        "creation", "creation-with-upload", "creation-defer-length", "termination", "expiration", "checksum",
    ]
    /// Of every body that belongs to an upload.
    static let contentType = MediaType("application", "offset+octet-stream")

    /// A field that holds a number of bytes; `nil` where it is not there.
    package static func bytes(_ name: String, _ request: HTTPRequest) throws(Problem) -> Int64? {
        guard let text = try single(name, request) else { return nil }
        let isDecimal = text.utf8.allSatisfy { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
        guard isDecimal, let count = Int64(text) else {
            throw Problem(.malformed, "\(name) must be a number of bytes, not \(ClientText.quoted(text)).")
        }
        return count
    }

    /// A field that may come once.
    static func single(_ name: String, _ request: HTTPRequest) throws(Problem) -> String? {
        let values = request.fields.all(name)
        guard values.count <= 1 else { throw Problem(.malformed, "\(name) came \(values.count) times.") }
        return values.first
    }

    /// Whether a body comes with the request, which then must be of tus's content type.
    package static func hasBody(_ request: HTTPRequest) throws -> Bool {
        guard request.fields["Transfer-Encoding"] != nil || (request.contentLength ?? 0) > 0 else { return false }
        try requireContentType(request)
        return true
    }

    static func requireContentType(_ request: HTTPRequest) throws {
        let text = request.fields["Content-Type"] ?? ""
        guard MediaType(text)?.essence == contentType.essence else {
            throw Problem(
                .unsupportedMediaType,
                "The content type of an upload's bytes is \(contentType), not \(ClientText.quoted(text)).",
                // RFC 9110 §15.5.16: what would have been taken.
                fields: HTTPFields([("Accept", contentType.description)]))
        }
        try SubmitRoute.requireUncoded(request)
    }
}
