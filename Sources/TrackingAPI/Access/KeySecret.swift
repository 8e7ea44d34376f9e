import Crypto
import Foundation
import Jobs

/// What the holder of a key sends: `lkt_` and 256 random bits in base64url (RFC 4648 §5). It is shown once and kept
/// nowhere; stores know its digest. Not printable by accident: it has no description.
public struct KeySecret: Sendable {
    private static let prefix = "lkt_"
    private static let randomBytes = 32
    /// 256 bits, 6 a character.
    private static let characters = 43

    public let text: String

    /// A new one. The bits are all there is to guess, so they have to come from a cryptographic source, which
    /// ``SystemEnvironment`` is.
    public init(environment: any Environment = SystemEnvironment()) {
        let encoded = Data(environment.randomBytes(Self.randomBytes)).base64EncodedString()
        text =
            Self.prefix
            + encoded.replacingOccurrences(of: "+", with: "-").replacingOccurrences(of: "/", with: "_")
            .replacingOccurrences(of: "=", with: "")
    }

    /// What a client sent. `nil` where it can be no key.
    init?(_ text: Substring) {
        guard text.hasPrefix(Self.prefix) else { return nil }
        let code = text.utf8.dropFirst(Self.prefix.utf8.count)
        guard code.count == Self.characters, code.allSatisfy(Self.isCode) else { return nil }
        self.text = String(text)
    }

    /// SHA-256, 32 bytes. Without a salt and fast: nothing is to be gained from guessing at 256 random bits.
    public var digest: [UInt8] { Array(SHA256.hash(data: Data(text.utf8))) }

    private static func isCode(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}
