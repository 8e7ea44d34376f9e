import Glibc
import Synchronization

/// What names a request in answers and logs.
enum RequestID {
    private static let longest = 64

    private static let source = Mutex(RandomBytes())

    /// 32 random hexadecimal digits.
    static func random() -> String {
        let bytes = source.withLock { $0.next() }
        return String(unsafeUninitializedCapacity: 2 * RandomBytes.count) { text in
            for k in 0..<RandomBytes.count {
                text[2 * k] = digit(bytes[k] >> 4)
                text[2 * k + 1] = digit(bytes[k] & 15)
            }
            return 2 * RandomBytes.count
        }
    }

    private static func digit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
    }

    /// The client's own `X-Request-Id`, where it is fit for a log (``HTTPRequest/id``).
    static func sent(with head: RawHead) -> String? {
        guard let value = head.fields.first(where: { HTTPFields.equal($0.name, "x-request-id") })?.value else {
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

/// The system's randomness, fetched for several requests at a time: a system call for each would show.
private struct RandomBytes {
    /// Of one request.
    static let count = 16
    /// As much as there is in one piece (getentropy(3)).
    private static let fetched = 256

    private var bytes: [UInt8] = []

    mutating func next() -> InlineArray<16, UInt8> {
        if bytes.count < Self.count { bytes = Self.fetch() }
        var next = InlineArray<16, UInt8>(repeating: 0)
        for k in 0..<Self.count { next[k] = bytes[bytes.count - Self.count + k] }
        bytes.removeLast(Self.count)
        return next
    }

    private static func fetch() -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        return [UInt8](unsafeUninitializedCapacity: fetched) { buffer, filled in
            if getentropy(buffer.baseAddress, fetched) != 0 {
                for k in 0..<fetched { buffer[k] = generator.next() }
            }
            filled = fetched
        }
    }
}
