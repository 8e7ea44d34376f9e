import Jobs

/// Schemas of JSON Schema 2020-12, which is OpenAPI 3.1's, put together from pieces.
///
/// Ranges and choices come from the constants that requests are checked against, so that the two cannot differ.
enum Schema {
    /// A member of an object.
    struct Property {
        var name: String
        var schema: JSONValue
        var isRequired: Bool

        init(_ name: String, _ schema: JSONValue, isRequired: Bool = true) {
            self.name = name
            self.schema = schema
            self.isRequired = isRequired
        }

        static func optional(_ name: String, _ schema: JSONValue) -> Property {
            Property(name, schema, isRequired: false)
        }
    }

    static let boolean: JSONValue = ["type": "boolean"]
    static let number: JSONValue = ["type": "number"]
    static let string: JSONValue = ["type": "string"]
    /// Bytes that are no JSON (OpenAPI 3.1 §4.8.14.3: a schema has nothing to say of them).
    static let binary: JSONValue = ["type": "string", "contentMediaType": "application/octet-stream"]
    static let time: JSONValue = ["type": "string", "format": "date-time"]
    static let count: JSONValue = ["type": "integer", "minimum": 0]
    /// A UUIDv7 in lower case, as ``JobID`` reads it.
    static let id: JSONValue = [
        "type": "string", "pattern": "^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$",
        "examples": ["0197f3a0-5b7c-7d3e-9a41-2c6e8f0b1d24"],
    ]
    /// What a target's id and a label's name are made of.
    static let name: JSONValue = ["type": "string", "pattern": "^[A-Za-z0-9._-]{1,64}$"]

    static func ref(_ name: String) -> JSONValue { ["$ref": .string("#/components/schemas/\(name)")] }

    static func text(pattern: String) -> JSONValue { ["type": "string", "pattern": .string(pattern)] }

    static func choice(_ values: [String]) -> JSONValue {
        ["type": "string", "enum": .array(values.map { .string($0) })]
    }

    static func choice<Choice>(_: Choice.Type) -> JSONValue
    where Choice: CaseIterable & RawRepresentable, Choice.RawValue == String {
        choice(Choice.allCases.map(\.rawValue))
    }

    static func integer(_ range: ClosedRange<Int>) -> JSONValue {
        ["type": "integer", "minimum": .int(range.lowerBound), "maximum": .int(range.upperBound)]
    }

    static func number(_ range: ClosedRange<Double>) -> JSONValue {
        ["type": "number", "minimum": .number(range.lowerBound), "maximum": .number(range.upperBound)]
    }

    static func array(_ items: JSONValue, _ count: ClosedRange<Int>? = nil) -> JSONValue {
        let schema: JSONValue = ["type": "array", "items": items]
        guard let count else { return schema }
        return schema.with("minItems", .int(count.lowerBound)).with("maxItems", .int(count.upperBound))
    }

    /// An array with a schema for each of its elements.
    static func tuple(_ elements: [JSONValue]) -> JSONValue {
        [
            "type": "array", "prefixItems": .array(elements), "items": false, "minItems": .int(elements.count),
            "maxItems": .int(elements.count),
        ]
    }

    /// - Parameter isClosed: no other members; for what is sent to the service, which refuses them.
    static func object(isClosed: Bool = false, _ properties: [Property]) -> JSONValue {
        var schema: JSONValue = [
            "type": "object",
            "properties": .object(JSONObject(properties.map { ($0.name, $0.schema) })),
        ]
        let required = properties.filter(\.isRequired).map { JSONValue.string($0.name) }
        if !required.isEmpty { schema = schema.with("required", .array(required)) }
        return isClosed ? schema.with("additionalProperties", false) : schema
    }
}

extension JSONValue {
    /// An object with a member more, or another value of one.
    func with(_ key: String, _ value: JSONValue) -> JSONValue {
        var object = objectValue ?? JSONObject()
        object[key] = value
        return .object(object)
    }

    func described(_ text: String) -> JSONValue { with("description", .string(text)) }

    func byDefault(_ value: JSONValue) -> JSONValue { with("default", value) }

    func example(_ value: JSONValue) -> JSONValue { with("examples", [value]) }

    /// A schema that takes `null`, too.
    var orNull: JSONValue {
        guard let type = self["type"]?.stringValue, self["enum"] == nil else {
            return ["anyOf": [self, ["type": "null"]]]
        }
        return with("type", [.string(type), "null"])
    }
}
