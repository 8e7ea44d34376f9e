import Jobs

/// Response headers that several answers have.
enum SharedHeaders {
    private static let digest = "^sha-256=:[A-Za-z0-9+/]{43}=:$"

    private static let entries: [(name: String, description: String, schema: JSONValue)] = [
        ("Accept", "What would have been taken (RFC 9110 §15.5.16).", Schema.string),
        ("Accept-Encoding", "What would have been taken (RFC 9110 §12.5.3).", Schema.string),
        (
            "Accept-Ranges", "Whether `Range` can be asked for: not of what is made while it is sent.",
            Schema.choice(["bytes", "none"])
        ),
        ("Cache-Control", "RFC 9111 §5.2", Schema.string),
        (
            "Content-Disposition", "Names for the file: after the job, and after what was submitted (RFC 6266 §4.3).",
            Schema.text(pattern: "^attachment; filename=\"[^\"]+\"(; filename\\*=UTF-8''[A-Za-z0-9._~%-]+)?$")
        ),
        ("Content-Encoding", "RFC 9110 §8.4", Schema.choice(["gzip"])),
        ("Content-Range", "RFC 9110 §14.4", Schema.text(pattern: "^bytes ([0-9]+-[0-9]+|\\*)/[0-9]+$")),
        ("Content-Security-Policy", "What the page may load, and who may frame it.", Schema.string),
        ("ETag", "Strong (RFC 9110 §8.8.3).", Schema.text(pattern: "^\"[^\"]*\"$")),
        (
            "Idempotency-Replayed", "This is the first answer again; the request did nothing.",
            Schema.choice(["true"])
        ),
        ("Link", "The next page, where there is one (RFC 8288).", Schema.text(pattern: "^<.+>; rel=\"next\"$")),
        ("Location", "Where it is (RFC 9110 §10.2.2).", Schema.text(pattern: "^/")),
        (
            "Preference-Applied", "The answer was held, and no longer than this (RFC 7240 §3).",
            Schema.text(pattern: "^wait=[0-9]+$")
        ),
        (
            "RateLimit",
            "What is left of the key's bucket, and of a quota that is used up (draft-ietf-httpapi-ratelimit-headers).",
            Schema.text(pattern: "^(\"requests\";r=[0-9]+;t=[0-9]+)?(, )?(\"[a-z-]+\";r=0)?$")
        ),
        (
            "RateLimit-Policy", "The bucket's size and the seconds in which it fills up; a quota that is used up.",
            Schema.text(pattern: "^(\"requests\";q=[0-9]+;w=[0-9]+)?(, )?(\"[a-z-]+\";q=[0-9]+)?$")
        ),
        ("Repr-Digest", "SHA-256 of the whole representation (RFC 9530 §3).", Schema.text(pattern: digest)),
        ("Retry-After", "Seconds to wait (RFC 9110 §10.2.3).", Schema.integer(0...86_400)),
        ("Tus-Resumable", "The version of tus that is spoken.", Schema.choice([Tus.version])),
        ("Tus-Version", "The versions of tus that are spoken.", Schema.string),
        ("Upload-Defer-Length", "The length is not known yet.", Schema.choice(["1"])),
        ("Upload-Expires", "When the upload is removed, unless bytes or a job come before.", Schema.string),
        ("Upload-Length", "Bytes in all.", Schema.count),
        ("Upload-Metadata", "As the client sent it.", Schema.string),
        ("Upload-Offset", "How many bytes are there.", Schema.count),
        ("Vary", "RFC 9110 §12.5.5", Schema.string),
        ("WWW-Authenticate", "RFC 6750 §3", Schema.text(pattern: "^Bearer")),
        ("X-Accel-Buffering", "Keeps a proxy from holding back what is sent bit by bit.", Schema.choice(["no"])),
    ]

    /// `components/headers`. Each is there twice, because a header says itself whether it always comes.
    static var json: JSONValue {
        .object(
            JSONObject(
                entries.flatMap { entry -> [(String, JSONValue)] in
                    let header: JSONValue = ["description": .string(entry.description), "schema": entry.schema]
                    return [(entry.name, header.with("required", true)), (entry.name + optional, header)]
                }))
    }

    private static let optional = ".optional"

    static func references(_ names: [String]) -> JSONValue {
        .object(
            JSONObject(
                names.map { name in
                    let isOptional = name.hasSuffix("?")
                    let name = isOptional ? String(name.dropLast()) : name
                    let key = isOptional ? name + optional : name
                    return (name, ["$ref": .string("#/components/headers/\(key)")])
                }))
    }
}
