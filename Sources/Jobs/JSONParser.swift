import StreamSafe

extension JSONValue {
    /// Reads one JSON text (RFC 8259), strictly: UTF-8 only, no duplicate keys, no lone surrogates, no string that is not
    /// stream-safe, no `NaN` or `Infinity`, no number that overflows a `Double`, nothing but white space around the value.
    ///
    /// - Parameters:
    ///   - maximumDepth: how deep arrays and objects may nest.
    ///   - maximumBytes: how long the text may be.
    public init(
        parsing text: some Collection<UInt8>, maximumDepth: Int = 32, maximumBytes: Int = 1 << 20
    ) throws(JSONError) {
        guard text.count <= maximumBytes else { throw JSONError("is longer than \(maximumBytes) bytes") }
        var parser = JSONParser(bytes: Array(text), maximumDepth: maximumDepth)
        self = try parser.document()
    }
}

/// A recursive-descent parser over a text that is in memory.
private struct JSONParser {
    let bytes: [UInt8]
    let maximumDepth: Int
    var index = 0
    var depth = 0

    init(bytes: [UInt8], maximumDepth: Int) {
        self.bytes = bytes
        self.maximumDepth = maximumDepth
    }

    mutating func document() throws(JSONError) -> JSONValue {
        skipSpace()
        let value = try value()
        skipSpace()
        guard index == bytes.count else { throw error("has something after its end") }
        return value
    }

    private mutating func value() throws(JSONError) -> JSONValue {
        guard let byte = peek else { throw error("ends where a value is expected") }
        switch byte {
        case UInt8(ascii: "{"): return .object(try object())
        case UInt8(ascii: "["): return .array(try array())
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number(try number())
        case UInt8(ascii: "t"): return try literal("true", .bool(true))
        case UInt8(ascii: "f"): return try literal("false", .bool(false))
        case UInt8(ascii: "n"): return try literal("null", .null)
        default: throw error("a value is expected here")
        }
    }

    // MARK: Objects and arrays

    private mutating func object() throws(JSONError) -> JSONObject {
        try enter()
        var members: [JSONObject.Member] = []
        var keys: Set<String> = []
        skipSpace()
        if take(UInt8(ascii: "}")) { return leave(JSONObject()) }
        while true {
            skipSpace()
            guard peek == UInt8(ascii: "\"") else { throw error("a key in double quotes is expected here") }
            let start = index
            let key = try string()
            let isKnown =
                members.count < Self.smallObject
                ? members.contains { $0.key == key } : !Self.insert(key, into: &keys, after: members)
            guard !isKnown else {
                index = start
                throw error("the key \"\(key.prefix(64))\" is there twice")
            }
            skipSpace()
            guard take(UInt8(ascii: ":")) else { throw error("a colon is expected after a key") }
            skipSpace()
            members.append(JSONObject.Member(key: key, value: try value()))
            skipSpace()
            if take(UInt8(ascii: "}")) { return leave(JSONObject(unique: members)) }
            guard take(UInt8(ascii: ",")) else { throw error("a comma or } is expected here") }
        }
    }

    /// Members up to which keys are compared one by one, which is faster than a set.
    private static let smallObject = 16

    /// Whether the key is new. The set is filled when it is first needed.
    private static func insert(_ key: String, into keys: inout Set<String>, after members: [JSONObject.Member]) -> Bool
    {
        if keys.isEmpty { keys.formUnion(members.map(\.key)) }
        return keys.insert(key).inserted
    }

    private mutating func array() throws(JSONError) -> [JSONValue] {
        try enter()
        var elements: [JSONValue] = []
        skipSpace()
        if take(UInt8(ascii: "]")) { return leave(elements) }
        while true {
            skipSpace()
            elements.append(try value())
            skipSpace()
            if take(UInt8(ascii: "]")) { return leave(elements) }
            guard take(UInt8(ascii: ",")) else { throw error("a comma or ] is expected here") }
        }
    }

    private mutating func enter() throws(JSONError) {
        guard depth < maximumDepth else { throw error("is nested deeper than \(maximumDepth)") }
        depth += 1
        index += 1
    }

    private mutating func leave<T>(_ result: T) -> T {
        depth -= 1
        return result
    }

    // MARK: Numbers and literals

    /// RFC 8259 §6: `-? (0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-]? [0-9]+)?`
    private mutating func number() throws(JSONError) -> Double {
        let start = index
        let isNegative = take(UInt8(ascii: "-"))
        var digits: UInt64 = 0
        let first = index
        if take(UInt8(ascii: "0")) {
            if isDigit(peek) { throw error("a number must not start with a needless 0") }
        } else {
            try readDigits(into: &digits)
        }
        var count = index - first
        var places = 0
        if take(UInt8(ascii: ".")) {
            let point = index
            try readDigits(into: &digits)
            places = index - point
            count += places
        }
        if peek != UInt8(ascii: "e"), peek != UInt8(ascii: "E"), count <= Self.exactDigits {
            let value = Double(digits) / Self.powersOfTen[places]
            return isNegative ? -value : value
        }
        if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
            if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
            try readDigits(into: &digits)
        }
        guard let value = Double(String(decoding: bytes[start..<index], as: UTF8.self)), value.isFinite else {
            index = start
            throw error("a number is too large")
        }
        return value
    }

    /// Up to so many digits a number and the power of ten below it are exact, so that one division rounds it correctly
    /// (Clinger, "How to read floating point numbers accurately", 1990).
    private static let exactDigits = 15
    private static let powersOfTen: [Double] = (0...exactDigits).map { (0..<$0).reduce(1.0) { value, _ in value * 10 } }

    /// Reads at least one digit; `value` wraps around where there are very many.
    private mutating func readDigits(into value: inout UInt64) throws(JSONError) {
        guard isDigit(peek) else { throw error("a digit is expected here") }
        while let byte = peek, isDigit(byte) {
            value = value &* 10 &+ UInt64(byte - UInt8(ascii: "0"))
            index += 1
        }
    }

    private func isDigit(_ byte: UInt8?) -> Bool {
        guard let byte else { return false }
        return byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
    }

    private mutating func literal(_ word: StaticString, _ value: JSONValue) throws(JSONError) -> JSONValue {
        let matches = word.withUTF8Buffer { bytes[index...].starts(with: $0) }
        guard matches else { throw error("a value is expected here") }
        index += word.utf8CodeUnitCount
        return value
    }

    // MARK: Strings

    private mutating func string() throws(JSONError) -> String {
        let start = index
        index += 1
        var content: [UInt8] = []
        var runStart = index
        while let byte = peek {
            switch byte {
            case UInt8(ascii: "\""):
                let run = bytes[runStart..<index]
                index += 1
                let text =
                    content.isEmpty
                    ? String(validating: run, as: UTF8.self) : String(validating: content + run, as: UTF8.self)
                guard let text else {
                    index = start
                    throw error("a string is not UTF-8")
                }
                guard text.isStreamSafe else {
                    index = start
                    throw error("a string has more than 30 combining marks in a row")
                }
                return text
            case UInt8(ascii: "\\"):
                content.append(contentsOf: bytes[runStart..<index])
                index += 1
                try escape(into: &content)
                runStart = index
            case 0..<0x20: throw error("a control character must be escaped")
            default: index += 1
            }
        }
        index = start
        throw error("a string is not closed")
    }

    private mutating func escape(into content: inout [UInt8]) throws(JSONError) {
        guard let byte = peek else { throw error("ends inside a string") }
        let short: UInt8
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): short = byte
        case UInt8(ascii: "b"): short = 0x08
        case UInt8(ascii: "f"): short = 0x0C
        case UInt8(ascii: "n"): short = 0x0A
        case UInt8(ascii: "r"): short = 0x0D
        case UInt8(ascii: "t"): short = 0x09
        case UInt8(ascii: "u"):
            index += 1
            content.append(contentsOf: String(try unicodeEscape()).utf8)
            return
        default: throw error("an unknown escape")
        }
        index += 1
        content.append(short)
    }

    /// The four digits after `\u`, and the second half of a surrogate pair.
    private mutating func unicodeEscape() throws(JSONError) -> Character {
        let start = index
        var code = try fourHexDigits()
        if code >= 0xD800 && code < 0xDC00, bytes[index...].starts(with: [UInt8(ascii: "\\"), UInt8(ascii: "u")]) {
            index += 2
            let low = try fourHexDigits()
            if low >= 0xDC00 && low < 0xE000 { code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00) }
        }
        guard let scalar = Unicode.Scalar(code) else {
            index = start
            throw error("half of a surrogate pair")
        }
        return Character(scalar)
    }

    private mutating func fourHexDigits() throws(JSONError) -> UInt32 {
        var code: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = peek, let digit = Character(Unicode.Scalar(byte)).hexDigitValue, byte < 0x80 else {
                throw error("\\u needs four hexadecimal digits")
            }
            code = code << 4 | UInt32(digit)
            index += 1
        }
        return code
    }

    // MARK: The text

    private var peek: UInt8? { index < bytes.count ? bytes[index] : nil }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard peek == byte else { return false }
        index += 1
        return true
    }

    private mutating func skipSpace() {
        while let byte = peek, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { index += 1 }
    }

    private func error(_ message: String) -> JSONError {
        let before = bytes[..<index]
        let lineStart = before.lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
        let line = before.reduce(into: 1) { if $1 == 0x0A { $0 += 1 } }
        return JSONError(message, offset: index, line: line, column: index - lineStart + 1)
    }
}
