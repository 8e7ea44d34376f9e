/// An absolute `http` or `https` URL without user, password and fragment, in the characters of RFC 3986.
///
/// It is stricter than URL parsers are, so that all of them find the same host in it: no numbers that only some take for
/// an address (`0x7f.1`, `2130706433`), no escapes in the host, no zone.
public struct WebhookURL: Hashable, Sendable {
    /// Says what is wrong, for a person.
    public struct Invalid: Error, Hashable, Sendable {
        public let detail: String
    }

    /// As it was given.
    public let text: String
    /// Whether it is `https`.
    public let isSecure: Bool
    /// A name in lower case, or an address without brackets.
    public let host: String
    /// The host, where it is an address.
    public let address: IPAddress?
    public let port: UInt16

    /// Bytes of the text.
    public static let lengthLimit = 2048

    public init(_ text: String) throws(Invalid) {
        guard text.utf8.count <= Self.lengthLimit else {
            throw Invalid(detail: "must have at most \(Self.lengthLimit) bytes")
        }
        guard text.utf8.allSatisfy(Self.isURLByte) else {
            throw Invalid(detail: "must be a URL in ASCII, everything else percent-encoded (RFC 3986)")
        }
        guard !text.utf8.contains(UInt8(ascii: "#")) else { throw Invalid(detail: "must not have a fragment") }
        let scheme = ["https://", "http://"].first { text.lowercased().hasPrefix($0) }
        guard let scheme else { throw Invalid(detail: "must be an absolute URL that starts with https://") }
        let authority = text.dropFirst(scheme.count).prefix { $0 != "/" && $0 != "?" }
        guard !authority.contains("@") else {
            throw Invalid(detail: "must not have a user name or a password")
        }
        let (host, port) = try Self.parts(authority)
        self.text = text
        isSecure = scheme == "https://"
        (self.host, address) = try Self.host(host)
        self.port = try port.map { port throws(Invalid) in try Self.number(port) } ?? (isSecure ? 443 : 80)
    }

    /// What lies between `[` and `]`, or before the colon; and what follows the colon.
    private static func parts(_ authority: Substring) throws(Invalid) -> (host: Substring, port: Substring?) {
        let end = authority.first == "[" ? authority.firstIndex(of: "]").map(authority.index(after:)) : nil
        let host = end.map { authority[..<$0] } ?? authority.prefix { $0 != ":" }
        let rest = authority[host.endIndex...]
        guard rest.isEmpty || rest.first == ":" else { throw Invalid(detail: "must have a valid host and port") }
        return (host, rest.isEmpty ? nil : rest.dropFirst())
    }

    private static func number(_ text: Substring) throws(Invalid) -> UInt16 {
        guard (1...5).contains(text.count), text.allSatisfy(\.isNumber), let port = UInt16(text), port > 0 else {
            throw Invalid(detail: "must have a port from 1 to 65535, or none")
        }
        return port
    }

    private static func host(_ text: Substring) throws(Invalid) -> (String, IPAddress?) {
        if text.first == "[" {
            let inner = String(text.dropFirst().dropLast())
            guard let address = IPAddress(inner), address.bytes.count == 16 else {
                throw Invalid(detail: "must have a valid IPv6 address between [ and ]")
            }
            return (address.description, address)
        }
        let labels = text.lowercased().split(separator: ".", omittingEmptySubsequences: false)
        guard text.utf8.count <= 253, labels.allSatisfy(isLabel) else {
            throw Invalid(detail: "must have a host: a DNS name (an international one in Punycode) or an address")
        }
        // The WHATWG URL standard's "ends in a number": then it is an IPv4 address or nothing.
        guard let last = labels.last, last.allSatisfy(\.isNumber) || last.hasPrefix("0x") else {
            return (text.lowercased(), nil)
        }
        guard let address = IPAddress(String(text)), address.bytes.count == 4 else {
            throw Invalid(detail: "must have a DNS name, or an IPv4 address as four decimal numbers")
        }
        return (address.description, address)
    }

    private static func isLabel(_ label: Substring) -> Bool {
        (1...63).contains(label.utf8.count)
            && label.utf8.allSatisfy { byte in
                isLetterOrDigit(byte) || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
            }
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: false
        }
    }

    /// RFC 3986 §2: unreserved, reserved and percent.
    private static func isURLByte(_ byte: UInt8) -> Bool {
        isLetterOrDigit(byte) || "-._~:/?#[]@!$&'()*+,;=%".utf8.contains(byte)
    }
}
