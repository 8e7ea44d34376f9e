/// The identifier of a job: a UUIDv7 in lower case (RFC 9562 §5.7), so that ids sort by the time they were made.
public struct JobID: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// 36 characters, `xxxxxxxx-xxxx-7xxx-xxxx-xxxxxxxxxxxx`, lower case.
    public let description: String

    /// Takes a text that a client sent. `nil` where it is no UUIDv7 in lower case.
    public init?(_ text: some StringProtocol) {
        let bytes = Array(text.utf8)
        guard bytes.count == 36 else { return nil }
        for (index, byte) in bytes.enumerated() {
            switch index {
            case 8, 13, 18, 23: guard byte == UInt8(ascii: "-") else { return nil }
            case 14: guard byte == UInt8(ascii: "7") else { return nil }
            default:
                let digit = byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
                let letter = byte >= UInt8(ascii: "a") && byte <= UInt8(ascii: "f")
                guard digit || letter else { return nil }
            }
        }
        description = String(text)
    }

    /// Builds the id for a moment and ten random bytes.
    ///
    /// - Parameters:
    ///   - milliseconds: since 1970-01-01T00:00:00Z; the low 48 bits are used.
    ///   - random: ten bytes; version and variant bits are overwritten.
    public init(milliseconds: UInt64, random: [UInt8]) {
        precondition(random.count == 10, "a UUIDv7 holds ten random bytes")
        var bytes = (0..<6).map { UInt8(truncatingIfNeeded: milliseconds >> (40 - 8 * UInt64($0))) } + random
        bytes[6] = 0x70 | (bytes[6] & 0x0F)
        bytes[8] = 0x80 | (bytes[8] & 0x3F)
        var text: [UInt8] = []
        for (index, byte) in bytes.enumerated() {
            if [4, 6, 8, 10].contains(index) { text.append(UInt8(ascii: "-")) }
            text.append(Hexadecimal.digits[Int(byte >> 4)])
            text.append(Hexadecimal.digits[Int(byte & 15)])
        }
        description = String(decoding: text, as: UTF8.self)
    }

    /// When the id was made, in milliseconds since 1970-01-01T00:00:00Z: its first 48 bits.
    public var unixMilliseconds: Int64 {
        Int64(description.prefix(13).filter { $0 != "-" }, radix: 16) ?? 0
    }

    public static func < (a: JobID, b: JobID) -> Bool { a.description < b.description }
}
