import Jobs

/// Parameter Objects.
enum Parameter {
    static func query(_ name: String, _ description: String, _ schema: JSONValue) -> JSONValue {
        ["name": .string(name), "in": "query", "description": .string(description), "schema": schema]
    }

    /// A value in JSON.
    static func json(_ name: String, _ description: String, _ schema: JSONValue) -> JSONValue {
        [
            "name": .string(name), "in": "query", "description": .string(description),
            "content": ["application/json": ["schema": schema]],
        ]
    }

    static func header(
        _ name: String, _ description: String, _ schema: JSONValue, isRequired: Bool = false
    ) -> JSONValue {
        let parameter: JSONValue = [
            "name": .string(name), "in": "header", "description": .string(description), "schema": schema,
        ]
        return isRequired ? parameter.with("required", true) : parameter
    }

    static func path(_ name: String, _ description: String, _ schema: JSONValue) -> JSONValue {
        [
            "name": .string(name), "in": "path", "required": true, "description": .string(description),
            "schema": schema,
        ]
    }

    /// Query parameters whose names start alike: an exploded object's members (OpenAPI 3.1 §4.8.12.3).
    ///
    /// - Parameter members: by the pattern of their names.
    static func prefixed(
        _ prefix: String, _ description: String, _ members: (pattern: String, schema: JSONValue)
    ) -> JSONValue {
        return query(
            prefix, description,
            [
                "type": "object",
                "patternProperties": .object(JSONObject([members])), "additionalProperties": false,
            ]
        ).with("style", "form").with("explode", true)
    }

    static let jobID = reference("JobID")
    static let uploadID = reference("UploadID")
    static let tusResumable = reference("TusResumable")
    /// Of what has a strong entity tag.
    static let conditions = [reference("IfMatch"), reference("IfNoneMatch")]
    /// Of what is changed or removed.
    static let precondition = [reference("IfMatch")]
    /// Of a file.
    static let transfer = conditions + [reference("Range"), reference("IfRange"), reference("WantReprDigest")]

    private static func reference(_ name: String) -> JSONValue {
        ["$ref": .string("#/components/parameters/\(name)")]
    }

    /// `components/parameters`.
    static let shared: JSONValue = [
        "JobID": path("id", "The job's id.", Schema.id),
        "UploadID": path("id", "The upload's id.", Schema.id),
        "TusResumable": header(
            "Tus-Resumable", "The version of tus that the client speaks.", Schema.choice([Tus.version]),
            isRequired: true),
        "IfMatch": header(
            "If-Match", "Entity tags; 412 where this is none of them (RFC 9110 §13.1.1).", Schema.string.example("*")),
        "IfNoneMatch": header(
            "If-None-Match", "Entity tags; 304 where this is one of them (RFC 9110 §13.1.2).",
            Schema.string.example("\"0.1.0-3\"")),
        "Range": header(
            "Range", "One range of bytes; others are answered with the whole (RFC 9110 §14.2).",
            Schema.string.example("bytes=0-1023")),
        "IfRange": header(
            "If-Range", "An entity tag; the whole comes where this is another (RFC 9110 §13.1.5).", Schema.string),
        "WantReprDigest": header(
            "Want-Repr-Digest", "Which digests are welcome (RFC 9530 §4).", Schema.string.example("sha-256=10")),
    ]
}
