import Crypto
import Foundation
import Jobs

/// AWS Signature Version 4 for S3, in the `Authorization` field ("Authenticating Requests: Using the Authorization
/// Header", Amazon S3 API Reference).
///
/// libcurl signs by itself (`CURLOPT_AWS_SIGV4`), but not well enough in the version that Debian 12 has, 7.88.1: it takes
/// the query as it stands, unsorted and unencoded (curl issues 9717 and 11794), it signs a field that was only named to
/// keep it out, such as `Expect:` (11664), and it hashes no body that is streamed; botocore's code refuses each of these.
/// What is left of its work, were all that done for it, are four lines of HMAC; and with them here the clock can be set
/// right and known answers be tested.
struct SignatureV4: Sendable {
    var credentials: S3Credentials
    var region: String

    /// What is signed. Names of fields are in lower case; `host` and all that begin with `x-amz-` must be among them.
    struct Request {
        var method: String
        /// Encoded.
        var path: String
        /// Neither encoded nor sorted.
        var query: [(name: String, value: String)] = []
        var fields: [(name: String, value: String)]
        /// SHA-256 of the body in lower-case hexadecimal.
        var payloadHash: String
    }

    /// Sorted by the encoded names, then values; each with its `=`.
    static func canonicalQuery(_ query: [(name: String, value: String)]) -> String {
        query.map { (PercentEncoding.query($0.name), PercentEncoding.query($0.value)) }.sorted { $0 < $1 }
            .map { "\($0)=\($1)" }.joined(separator: "&")
    }

    /// The value of `Authorization`.
    ///
    /// - Parameter time: that of `x-amz-date`, as ``timestamp(_:)`` gives it.
    func authorization(_ request: Request, time: String) -> String {
        let fields = request.fields.sorted { $0.name < $1.name }
        let signed = fields.map(\.name).joined(separator: ";")
        let canonical = [
            request.method, request.path, Self.canonicalQuery(request.query),
            fields.map { "\($0.name):\(Self.trimmed($0.value))\n" }.joined(), signed, request.payloadHash,
        ].joined(separator: "\n")
        let day = String(time.prefix(8))
        let scope = "\(day)/\(region)/s3/aws4_request"
        let text = ["AWS4-HMAC-SHA256", time, scope, Hexadecimal.sha256(Array(canonical.utf8))].joined(separator: "\n")
        var key = Self.hmac(day, SymmetricKey(data: Array("AWS4\(credentials.secretKey)".utf8)))
        for part in [region, "s3", "aws4_request"] { key = Self.hmac(part, SymmetricKey(data: key)) }
        let signature = Hexadecimal.text(Self.hmac(text, SymmetricKey(data: key)))
        return "AWS4-HMAC-SHA256 Credential=\(credentials.accessKey)/\(scope),SignedHeaders=\(signed),"
            + "Signature=\(signature)"
    }

    /// `20130524T000000Z`
    static func timestamp(_ date: Date) -> String {
        var seconds = time_t(date.timeIntervalSince1970)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        func padded(_ value: Int32, _ width: Int) -> String {
            let text = String(value)
            return String(repeating: "0", count: max(0, width - text.count)) + text
        }
        let day = [(parts.tm_year + 1900, 4), (parts.tm_mon + 1, 2), (parts.tm_mday, 2)].map(padded).joined()
        return day + "T" + [(parts.tm_hour, 2), (parts.tm_min, 2), (parts.tm_sec, 2)].map(padded).joined() + "Z"
    }

    private static func hmac(_ text: String, _ key: SymmetricKey) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: Array(text.utf8), using: key))
    }

    /// Without white space around, and with single spaces between.
    private static func trimmed(_ value: String) -> String {
        value.split(whereSeparator: { $0 == " " || $0 == "\t" }).joined(separator: " ")
    }
}

extension Hexadecimal {
    static func sha256(_ bytes: [UInt8]) -> String { text(SHA256.hash(data: bytes)) }
}

/// SHA-256 of bytes that come in pieces.
struct RunningDigest {
    private var hash = SHA256()
    mutating func update(_ bytes: UnsafeRawBufferPointer) { hash.update(bufferPointer: bytes) }
    /// In lower-case hexadecimal.
    var text: String { Hexadecimal.text(hash.finalize()) }
}
