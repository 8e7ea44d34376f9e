import Foundation

/// A symmetric key as Standard Webhooks writes it: `whsec_` and base64. Does not show itself where it is printed.
public struct WebhookSecret: Hashable, Sendable, CustomStringConvertible, CustomReflectable {
    /// As it was given.
    public let text: String
    /// The key of the HMAC.
    public let key: [UInt8]

    private static let prefix = "whsec_"
    /// Bytes of the key: Standard Webhooks, "Signature scheme", symmetric.
    private static let keyLength = 24...64

    /// For an error: what it has to be.
    public static let rule =
        "\"\(prefix)\" and \(keyLength.lowerBound) to \(keyLength.upperBound) random bytes in base64"

    /// `nil` where it is none.
    public init?(_ text: String) {
        guard text.hasPrefix(Self.prefix), let key = Data(base64Encoded: String(text.dropFirst(Self.prefix.count))),
            Self.keyLength.contains(key.count)
        else { return nil }
        self.text = text
        self.key = Array(key)
    }

    public var description: String { Self.prefix + "…" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}
