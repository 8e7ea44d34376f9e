extension JSONValue {
    /// The value as one line of JSON without spaces; the same value gives the same bytes. A number that is not finite,
    /// which JSON has no word for, is written as `null`.
    public func encoded() -> [UInt8] {
        var bytes: [UInt8] = []
        append(to: &bytes)
        return bytes
    }

    /// Appends what ``encoded()`` gives.
    public func append(to bytes: inout [UInt8]) {
        switch self {
        case .null: bytes.append("null")
        case .bool(let value): bytes.append(value ? "true" : "false")
        case .number(let value): bytes.appendNumber(value)
        case .string(let value): bytes.appendJSONString(value)
        case .array(let elements):
            bytes.append(UInt8(ascii: "["))
            for (index, element) in elements.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                element.append(to: &bytes)
            }
            bytes.append(UInt8(ascii: "]"))
        case .object(let object):
            bytes.append(UInt8(ascii: "{"))
            for (index, member) in object.members.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                bytes.appendJSONString(member.key)
                bytes.append(UInt8(ascii: ":"))
                member.value.append(to: &bytes)
            }
            bytes.append(UInt8(ascii: "}"))
        }
    }
}

extension [UInt8] {
    /// Appends the characters of a literal.
    mutating func append(_ text: StaticString) {
        text.withUTF8Buffer { append(contentsOf: $0) }
    }

    /// Appends a string in quotes, escaping what RFC 8259 §7 demands and nothing else.
    public mutating func appendJSONString(_ text: String) {
        append(UInt8(ascii: "\""))
        // Nearly every text has nothing to escape.
        let isPlain: Bool? = text.utf8.withContiguousStorageIfAvailable { bytes in
            guard Self.isPlain(bytes) else { return false }
            append(contentsOf: bytes)
            return true
        }
        guard isPlain != true else { return append(UInt8(ascii: "\"")) }
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                append(UInt8(ascii: "\\"))
                append(byte)
            case 0x0A: append("\\n")
            case 0x0D: append("\\r")
            case 0x09: append("\\t")
            case 0..<0x20:
                append("\\u00")
                append(Hexadecimal.digits[Int(byte >> 4)])
                append(Hexadecimal.digits[Int(byte & 15)])
            default: append(byte)
            }
        }
        append(UInt8(ascii: "\""))
    }

    /// Whether nothing in it is to be escaped; looks at eight bytes at a time.
    private static func isPlain(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        func isToEscape(_ byte: UInt8) -> Bool {
            byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
        }
        let raw = UnsafeRawBufferPointer(bytes)
        var offset = 0
        while offset + 8 <= raw.count {
            let eight = raw.loadUnaligned(fromByteOffset: offset, as: SIMD8<UInt8>.self)
            let isPlain = eight .>= 0x20 .& eight .!= UInt8(ascii: "\"") .& eight .!= UInt8(ascii: "\\")
            guard all(isPlain) else { return false }
            offset += 8
        }
        return !bytes[offset...].contains(where: isToEscape)
    }

    /// Appends the shortest text that reads back as the same number; integers without a point.
    public mutating func appendNumber(_ value: Double) {
        guard value.isFinite else { return append("null") }
        if value.magnitude <= JSONValue.largestExactInteger, let integer = Int64(exactly: value) {
            appendInteger(integer)
        } else {
            append(contentsOf: value.description.utf8)
        }
    }

    /// Appends an integer in decimal.
    public mutating func appendInteger(_ value: Int64) {
        if value < 0 { append(UInt8(ascii: "-")) }
        appendMagnitude(value.magnitude)
    }

    private mutating func appendMagnitude(_ value: UInt64) {
        let start = count
        var rest = value
        repeat {
            append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10))
            rest /= 10
        } while rest > 0
        self[start...].reverse()
    }

    /// Appends a number rounded to a fixed number of decimals (halves away from zero), without trailing zeros, whatever
    /// the locale: `70`, `-0.25`. `null` where it is not finite.
    ///
    /// - Parameter places: 0 … 9.
    mutating func appendDecimal(_ value: Double, places: Int) {
        let scale = Self.powersOfTen[places]
        let scaled = (value * scale).rounded()
        // Up to here, what is read back is rounded to the same decimals again.
        guard scaled.magnitude <= JSONValue.largestExactInteger / 8 else { return appendNumber(value) }
        if scaled < 0 { append(UInt8(ascii: "-")) }
        let (whole, fraction) = UInt64(scaled.magnitude).quotientAndRemainder(dividingBy: UInt64(scale))
        appendMagnitude(whole)
        guard fraction > 0 else { return }
        append(UInt8(ascii: "."))
        var rest = fraction
        var unit = UInt64(scale) / 10
        while rest > 0 {
            append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest / unit))
            rest %= unit
            unit /= 10
        }
    }

    private static let powersOfTen: [Double] = [1, 10, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9]
}
