/// What a client would like of an answer, in `Prefer` (RFC 7240). What is malformed or unknown is passed over: a
/// preference is no demand (§2).
public struct RequestPreferences: Sendable, Hashable {
    /// By name, in lower case; of a name that comes twice, the first counts (§2).
    private let preferences: [String: String]

    public init(_ fields: HTTPFields) {
        let all = fields.all("Prefer").flatMap(Self.list).map { ($0.name, $0.value) }
        preferences = Dictionary(all, uniquingKeysWith: { first, _ in first })
    }

    /// The value of a preference; empty where it has none, `nil` where it was not given.
    public subscript(name: String) -> String? { preferences[name.lowercased()] }

    /// How many seconds an answer may take (§4.3); `nil` where the client does not say, or says no number.
    public var wait: Int? {
        guard let text = self["wait"], !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            return nil
        }
        return Int(text) ?? .max
    }

    /// `1#( token [ BWS "=" BWS word ] *( OWS ";" [ OWS parameter ] ) )`. What stands behind a malformed preference, up
    /// to the next comma, is passed over.
    private static func list(_ field: String) -> [FieldParameter] {
        var scanner = FieldScanner(field)
        var preferences: [FieldParameter] = []
        while !scanner.isAtEnd {
            scanner.skipWhitespace()
            if let preference = preference(&scanner), skipParameters(&scanner) { preferences.append(preference) }
            _ = scanner.run { $0 != UInt8(ascii: ",") }
            _ = scanner.take(",")
        }
        return preferences
    }

    /// No preference that is looked for has any. False where something else stands there.
    private static func skipParameters(_ scanner: inout FieldScanner) -> Bool {
        while true {
            scanner.skipWhitespace()
            guard scanner.take(";") else { return scanner.isAtEnd || scanner.rest.first == UInt8(ascii: ",") }
            scanner.skipWhitespace()
            _ = preference(&scanner)
        }
    }

    private static func preference(_ scanner: inout FieldScanner) -> FieldParameter? {
        guard let name = scanner.token() else { return nil }
        scanner.skipWhitespace()
        guard scanner.take("=") else { return FieldParameter(name: name, value: "") }
        scanner.skipWhitespace()
        guard let value = scanner.quotedString() ?? scanner.token() else { return nil }
        return FieldParameter(name: name, value: value)
    }
}
