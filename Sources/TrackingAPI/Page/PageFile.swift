import Crypto
import HTTPServer
import Jobs

/// A file of the page, ready to be sent: it does not change while the program runs.
struct PageFile: Sendable {
    private let identity: Content
    private let gzip: Content
    private let fields: [(name: String, value: String)]

    /// The bytes in one content coding.
    private struct Content: Sendable {
        let bytes: [UInt8]
        let tag: EntityTag

        init(_ bytes: [UInt8]) {
            self.bytes = bytes
            tag = EntityTag(Hexadecimal.text(SHA256.hash(data: bytes)))
        }
    }

    init(_ bytes: [UInt8], mediaType: String, fields: [(name: String, value: String)] = []) {
        identity = Content(bytes)
        gzip = Content(Self.compressed(bytes))
        self.fields = [("Content-Type", mediaType), ("X-Content-Type-Options", "nosniff")] + fields
    }

    /// - Parameters:
    ///   - cacheControl: of this address.
    ///   - vary: fields of the request that the answer depends on, beside `Accept-Encoding`.
    func response(
        to request: HTTPRequest, cacheControl: String, vary: [String] = [],
        fields more: [(name: String, value: String)] = []
    ) throws(Problem) -> HTTPResponse {
        let coding = ContentCoding(request)
        let content = coding == .gzip ? gzip : identity
        var response: HTTPResponse
        if let answer = try Conditions.answer(content.tag, request) {
            response = answer
        } else {
            response = HTTPResponse(status: 200, fields: HTTPFields(fields + more), body: .bytes(content.bytes))
            response.fields["ETag"] = content.tag.description
            if coding == .gzip { response.fields["Content-Encoding"] = coding.rawValue }
        }
        response.fields["Cache-Control"] = cacheControl
        response.fields["Vary"] = (vary + ["Accept-Encoding"]).joined(separator: ", ")
        return response
    }

    private static func compressed(_ bytes: [UInt8]) -> [UInt8] {
        guard let encoder = GzipEncoder() else { preconditionFailure("there is no memory at the start") }
        var result: [UInt8] = []
        bytes.withUnsafeBytes { encoder.append($0, into: &result) }
        encoder.finish(into: &result)
        return result
    }
}
