/// A validator of a representation (RFC 9110 §8.8.3): `"abc"`, or `W/"abc"` where equal tags do not mean equal bytes.
public struct EntityTag: Sendable, Hashable, CustomStringConvertible {
    /// Without the quotes.
    public let value: String
    public let isWeak: Bool

    /// - Parameter value: of the characters that RFC 9110 allows, which is all of a hexadecimal digest's.
    public init(_ value: String, isWeak: Bool = false) {
        self.value = value
        self.isWeak = isWeak
    }

    /// The field value of `ETag`.
    public var description: String { (isWeak ? "W/" : "") + "\"" + value + "\"" }

    /// Equal, and both strong: the bytes are the same (§8.8.3.2).
    public func matchesStrongly(_ other: EntityTag) -> Bool { !isWeak && !other.isWeak && value == other.value }

    /// The same, whatever their strength.
    public func matchesWeakly(_ other: EntityTag) -> Bool { value == other.value }

    fileprivate static func take(_ scanner: inout FieldScanner) -> EntityTag? {
        var attempt = scanner
        let isWeak = attempt.take("W") && attempt.take("/")
        guard attempt.take("\"") else { return nil }
        let value = attempt.run { $0 == 0x21 || $0 >= 0x23 && $0 != 0x7f } ?? []
        guard attempt.take("\"") else { return nil }
        scanner = attempt
        return EntityTag(String(decoding: value, as: UTF8.self), isWeak: isWeak)
    }
}

/// What the conditions of a request come to (RFC 9110 §13).
public enum Precondition: Sendable, Hashable {
    case proceed
    /// 304, with the fields that the 200 would have had.
    case notModified
    /// 412.
    case failed

    /// Evaluates `If-Match` and `If-None-Match` in the order of §13.2.2. Conditions on dates are ignored, as they may be
    /// where there is an entity tag.
    /// - Parameter current: of the representation that the request would get; `nil` where there is none.
    public static func evaluate(_ request: HTTPRequest, current: EntityTag?) -> Precondition {
        let ifMatch = request.fields.all("If-Match")
        if !ifMatch.isEmpty, !matches(ifMatch, current, { $0.matchesStrongly($1) }) { return .failed }
        let ifNoneMatch = request.fields.all("If-None-Match")
        if !ifNoneMatch.isEmpty, matches(ifNoneMatch, current, { $0.matchesWeakly($1) }) {
            return request.method == "GET" ? .notModified : .failed
        }
        return .proceed
    }

    /// Whether `Range` is to be honoured: there is no `If-Range`, or it names the current representation (§13.1.5).
    public static func allowsRange(_ request: HTTPRequest, current: EntityTag?) -> Bool {
        guard let field = request.fields["If-Range"] else { return true }
        var scanner = FieldScanner(field)
        guard let current, let tag = EntityTag.take(&scanner), scanner.isAtEnd else { return false }
        return tag.matchesStrongly(current)
    }

    /// What stands behind a malformed tag is not read.
    private static func matches(
        _ fields: [String], _ current: EntityTag?, _ match: (EntityTag, EntityTag) -> Bool
    ) -> Bool {
        guard let current else { return false }
        return fields.contains { field in
            var scanner = FieldScanner(field)
            while true {
                scanner.skipWhitespace()
                if scanner.take(",") { continue }
                if scanner.take("*") { return true }
                guard let tag = EntityTag.take(&scanner) else { return false }
                if match(tag, current) { return true }
            }
        }
    }
}
