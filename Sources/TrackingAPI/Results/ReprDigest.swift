import Foundation
import HTTPServer
import Jobs

/// `Repr-Digest` (RFC 9530 §3): the digest of the selected representation, with its content coding, whole also where a
/// range of it is sent.
enum ReprDigest {
    /// The field's value, `sha-256=:…:`; `nil` where the client says that it does not want it (`Want-Repr-Digest`).
    ///
    /// - Parameter hex: SHA-256 in hexadecimal.
    static func value(sha256 hex: String, for request: HTTPRequest) -> String? {
        guard DigestPreference.welcomes("sha-256", fields: request.fields.all("Want-Repr-Digest")),
            let bytes = Hexadecimal.bytes(hex)
        else { return nil }
        return "sha-256=:\(Data(bytes).base64EncodedString()):"
    }
}
