import Jobs

/// A schema in a few words: `integer 1 … 6, 3 by default`.
struct SchemaText {
    let schema: JSONValue

    init(_ schema: JSONValue) { self.schema = schema }

    /// As HTML.
    var html: String {
        if let name = Self.component(schema) { return "<a href=\"#schema-\(name)\">\(HTML.escaped(name))</a>" }
        for key in ["anyOf", "oneOf"] {
            if let choices = schema[key]?.arrayValue { return Self.alternatives(choices.map { SchemaText($0).html }) }
        }
        if let values = schema["enum"]?.arrayValue {
            return Self.alternatives(values.map { HTML.code($0.stringValue ?? Self.text($0)) }) + suffix
        }
        return Self.alternatives(types.map(typed)) + suffix
    }

    private var types: [String] {
        let types = schema["type"]?.arrayValue?.compactMap(\.stringValue)
        return types ?? schema["type"]?.stringValue.map { [$0] } ?? ["any value"]
    }

    private func typed(_ type: String) -> String {
        switch type {
        case "array": array
        case "object": object
        case "string" where schema["contentMediaType"] == "application/json": "JSON"
        case "string" where schema["contentMediaType"] != nil: "bytes"
        default: HTML.escaped(type + bounds)
        }
    }

    private var array: String {
        if let elements = schema["prefixItems"]?.arrayValue {
            return "[" + elements.map { SchemaText($0).html }.joined(separator: ", ") + "]"
        }
        return "list of " + SchemaText(schema["items"] ?? [:]).html
    }

    private var object: String {
        guard let properties = schema["properties"]?.objectValue else { return "object" }
        return "{" + properties.members.map { HTML.code($0.key) }.joined(separator: ", ") + "}"
    }

    private var bounds: String {
        switch (schema["minimum"], schema["maximum"]) {
        case (let low?, let high?): " \(Self.text(low)) … \(Self.text(high))"
        case (let low?, nil): " from \(Self.text(low))"
        case (nil, let high?): " up to \(Self.text(high))"
        case (nil, nil): schema["format"]?.stringValue.map { " (\($0))" } ?? ""
        }
    }

    private var suffix: String {
        guard let value = schema["default"] else { return "" }
        return ", " + HTML.code(value.stringValue ?? Self.text(value)) + " by default"
    }

    private static func alternatives(_ parts: [String]) -> String { parts.joined(separator: " or ") }

    private static func text(_ value: JSONValue) -> String { String(decoding: value.encoded(), as: UTF8.self) }

    /// The name that a reference ends in.
    static func component(_ value: JSONValue) -> String? {
        value["$ref"]?.stringValue?.split(separator: "/").last.map(String.init)
    }
}
