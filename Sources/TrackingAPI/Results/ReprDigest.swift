import Foundation
import HTTPServer

/// `Repr-Digest` (RFC 9530 §3): the digest of the selected representation, with its content coding, whole also where a
/// range of it is sent.
enum ReprDigest {
    /// The field's value, `sha-256=:…:`; `nil` where the client says that it does not want it (`Want-Repr-Digest`).
    ///
    /// - Parameter hex: SHA-256 in hexadecimal.
    static func value(sha256 hex: String, for request: HTTPRequest) -> String? {
        guard DigestPreference.welcomes("sha-256", fields: request.fields.all("Want-Repr-Digest")),
            let bytes = bytes(hex)
        else { return nil }
        return "sha-256=:\(Data(bytes).base64EncodedString()):"
    }

    private static func bytes(_ hex: String) -> [UInt8]? {
        let digits = hex.compactMap(\.hexDigitValue)
        guard digits.count == hex.count, digits.count % 2 == 0 else { return nil }
        return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }
}
