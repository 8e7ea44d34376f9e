/// A media type as in `Content-Type` (RFC 9110 §8.3.1).
public struct MediaType: Sendable, Hashable, CustomStringConvertible {
    /// In lower case, `*` in a range.
    public let type: String
    /// In lower case, `*` in a range.
    public let subtype: String
    public let parameters: [FieldParameter]

    public init(_ type: String, _ subtype: String, parameters: [FieldParameter] = []) {
        self.type = type.lowercased()
        self.subtype = subtype.lowercased()
        self.parameters = parameters
    }

    /// `nil` where the text is no media type.
    public init?(_ text: some StringProtocol) {
        var scanner = FieldScanner(text)
        scanner.skipWhitespace()
        guard let name = Self.name(&scanner), let parameters = scanner.parameters(), scanner.isAtEnd else { return nil }
        self.init(name.type, name.subtype, parameters: parameters)
    }

    /// The value of a parameter: `MediaType("text/csv; charset=utf-8")?["charset"]` is `utf-8`.
    public subscript(parameter: String) -> String? {
        let name = parameter.lowercased()
        return parameters.first { $0.name == name }?.value
    }

    /// `type/subtype`, without parameters.
    public var essence: String { type + "/" + subtype }

    public var description: String {
        parameters.reduce(essence) { text, parameter in
            let isToken = !parameter.value.isEmpty && parameter.value.utf8.allSatisfy(FieldScanner.isTokenByte)
            return text + "; " + parameter.name + "=" + (isToken ? parameter.value : Self.quoted(parameter.value))
        }
    }

    static func name(_ scanner: inout FieldScanner) -> (type: String, subtype: String)? {
        guard let type = scanner.token(), scanner.take("/"), let subtype = scanner.token() else { return nil }
        return (type, subtype)
    }

    private static func quoted(_ text: String) -> String {
        var quoted = "\""
        // Not by `Character`s, one of which is a quote with the accent that follows it.
        for scalar in text.unicodeScalars {
            if scalar == "\"" || scalar == "\\" { quoted.append("\\") }
            quoted.unicodeScalars.append(scalar)
        }
        return quoted + "\""
    }
}
