/// What names a request in answers and logs.
enum RequestID {
    private static let longest = 64

    /// 32 random hexadecimal digits.
    static func random() -> String {
        (0..<2).map { _ in
            let digits = String(UInt64.random(in: .min ... .max), radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }.joined()
    }

    /// The client's own `X-Request-Id`, where it is fit for a log (``HTTPRequest/id``).
    static func sent(with head: RawHead) -> String? {
        guard let value = head.fields.first(where: { $0.name.lowercased() == "x-request-id" })?.value else {
            return nil
        }
        let id = value.utf8.drop { $0 == UInt8(ascii: " ") }
        return (1...longest).contains(id.count) && id.allSatisfy(isFit) ? String(Substring(id)) : nil
    }

    private static func isFit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
            true
        default:
            false
        }
    }
}
