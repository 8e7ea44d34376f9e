/// Reads the grammar that header field values share (RFC 9110 §5.6) from left to right. Every method takes what it names
/// and leaves the rest, or takes nothing.
struct FieldScanner {
    /// Which `\x` pairs of a quoted string stand for `x`.
    enum QuotedPairs {
        /// All of them (RFC 9110 §5.6.4).
        case all
        /// `\"` and `\\` only: browsers once sent file names as raw Windows paths, whose backslashes must survive.
        case quoteAndBackslash
    }

    private(set) var rest: ArraySlice<UInt8>

    init(_ text: some StringProtocol) { rest = ArraySlice(text.utf8) }

    init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func skipWhitespace() {
        rest = rest.drop { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
    }

    /// Takes one given byte.
    mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard rest.first == UInt8(ascii: character) else { return false }
        rest.removeFirst()
        return true
    }

    /// Takes the longest run of bytes that satisfy the predicate; `nil` where there is none.
    mutating func run(where isIncluded: (UInt8) -> Bool) -> ArraySlice<UInt8>? {
        let taken = rest.prefix(while: isIncluded)
        guard !taken.isEmpty else { return nil }
        rest = rest[taken.endIndex...]
        return taken
    }

    /// A token (RFC 9110 §5.6.2).
    mutating func token() -> String? {
        run(where: Self.isTokenByte).map { String(decoding: $0, as: UTF8.self) }
    }

    /// A quoted string without its quotes (RFC 9110 §5.6.4).
    mutating func quotedString(_ pairs: QuotedPairs = .all) -> String? {
        guard rest.first == UInt8(ascii: "\"") else { return nil }
        var text: [UInt8] = []
        var index = rest.startIndex + 1
        while index < rest.endIndex {
            let byte = rest[index]
            index += 1
            switch byte {
            case UInt8(ascii: "\""):
                rest = rest[index...]
                return String(decoding: text, as: UTF8.self)
            case UInt8(ascii: "\\"):
                guard index < rest.endIndex else { return nil }
                let next = rest[index]
                let isPair = next == UInt8(ascii: "\"") || next == UInt8(ascii: "\\")
                if pairs == .quoteAndBackslash, !isPair {
                    text.append(byte)
                } else {
                    text.append(next)
                    index += 1
                }
            default:
                text.append(byte)
            }
        }
        return nil
    }

    /// The rest as `*( OWS ";" OWS [ name "=" value ] )` (RFC 9110 §5.6.6), up to a comma or the end. `nil` where it is
    /// something else, where a name comes twice (readers disagree on which of the two counts), or where there are more
    /// than anybody sends.
    mutating func parameters(_ pairs: QuotedPairs = .all) -> [FieldParameter]? {
        var parameters: [FieldParameter] = []
        while true {
            skipWhitespace()
            if isAtEnd || rest.first == UInt8(ascii: ",") { return parameters }
            guard take(";") else { return nil }
            skipWhitespace()
            if isAtEnd || rest.first == UInt8(ascii: ";") || rest.first == UInt8(ascii: ",") { continue }
            guard let name = token()?.lowercased(), take("="), let value = quotedString(pairs) ?? token(),
                !parameters.contains(where: { $0.name == name }), parameters.count < Self.mostParameters
            else { return nil }
            parameters.append(FieldParameter(name: name, value: value))
        }
    }

    /// Each is compared with those before.
    private static let mostParameters = 64

    /// `tchar` of RFC 9110 §5.6.2.
    static func isTokenByte(_ byte: UInt8) -> Bool { tokenBytes.contains(byte) }

    private static let tokenBytes = ASCIISet.alphanumerics.union("!#$%&'*+-.^_`|~")
}

/// Some of the ASCII characters, a bit each: every byte of every head is looked up.
struct ASCIISet: Sendable {
    private var low: UInt64 = 0
    private var high: UInt64 = 0

    static let alphanumerics = ASCIISet()
        .union("0123456789").union("ABCDEFGHIJKLMNOPQRSTUVWXYZ").union("abcdefghijklmnopqrstuvwxyz")

    /// These characters and others.
    func union(_ characters: StaticString) -> ASCIISet {
        var all = self
        characters.withUTF8Buffer { bytes in
            for byte in bytes {
                let bit: UInt64 = 1 << UInt64(byte & 63)
                if byte < 64 { all.low |= bit } else { all.high |= bit }
            }
        }
        return all
    }

    func contains(_ byte: UInt8) -> Bool {
        byte < 128 && (byte < 64 ? low : high) >> UInt64(byte & 63) & 1 == 1
    }
}

/// A `name=value` after a semicolon in a header field.
public struct FieldParameter: Sendable, Hashable {
    /// In lower case: names compare without case.
    public let name: String
    /// Without quotes and escapes.
    public let value: String

    public init(name: String, value: String) {
        self.name = name.lowercased()
        self.value = value
    }
}
