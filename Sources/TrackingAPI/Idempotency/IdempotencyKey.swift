import HTTPServer
import Jobs

/// What a client calls a submission, so that it may send it again without doubling the job (IETF
/// draft-ietf-httpapi-idempotency-key-header).
package struct IdempotencyKey: Hashable, Sendable {
    private static let lengths = 1...255

    package let text: String

    /// - Returns: `nil` where the request names none.
    /// - Throws: 400 where the field is neither a string of RFC 9651 §3.3.3 (`"8e03978e"`) nor the bare text of one,
    ///   which many clients send.
    package static func of(_ request: HTTPRequest) throws(Problem) -> IdempotencyKey? {
        let values = request.fields.all("Idempotency-Key")
        guard let value = values.first else { return nil }
        let bytes = trimmed(value)
        guard values.count == 1, let text = bytes.first == UInt8(ascii: "\"") ? unquoted(bytes) : Array(bytes),
            lengths.contains(text.count), text.allSatisfy({ (0x20...0x7E).contains($0) })
        else {
            throw Problem(
                .malformed,
                "Idempotency-Key must be one string of \(lengths.lowerBound) to \(lengths.upperBound) printable ASCII "
                    + "characters: \"8e03978e-40d5-43dd-bc93-6894a57f9324\".")
        }
        return IdempotencyKey(text: String(decoding: text, as: UTF8.self))
    }

    private static func trimmed(_ value: String) -> ArraySlice<UInt8> {
        let isSpace = { (byte: UInt8) in byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
        let bytes = Array(value.utf8).drop(while: isSpace)
        return bytes[..<((bytes.lastIndex { !isSpace($0) } ?? bytes.startIndex - 1) + 1)]
    }

    /// Without its quotes and escapes; `nil` where something is wrong with them, or something follows.
    private static func unquoted(_ bytes: ArraySlice<UInt8>) -> [UInt8]? {
        var text: [UInt8] = []
        var rest = bytes.dropFirst()
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "\""): return rest.isEmpty ? text : nil
            case UInt8(ascii: "\\"):
                guard let next = rest.popFirst(), next == UInt8(ascii: "\"") || next == UInt8(ascii: "\\") else {
                    return nil
                }
                text.append(next)
            default: text.append(byte)
            }
        }
        return nil
    }
}
