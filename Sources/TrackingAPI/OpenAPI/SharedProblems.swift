import Jobs

/// Answers that are problem documents (RFC 9457), for each status one.
enum SharedProblems {
    private struct Entry {
        var status: Int
        var name: String
        var description: String
        var headers: [String] = []
    }

    private static let entries = [
        Entry(status: 400, name: "Malformed", description: "The request is malformed."),
        Entry(
            status: 401, name: "Unauthorized", description: "This needs a key that is not revoked.",
            headers: ["WWW-Authenticate"]),
        Entry(status: 404, name: "NotFound", description: "There is no such thing, or it is somebody else's."),
        Entry(
            status: 406, name: "NotAcceptable", description: "None of the accepted formats can be made."),
        Entry(
            status: 409, name: "Conflict", description: "The state of what is there does not allow this, or not yet.",
            headers: ["Retry-After?", "Upload-Offset?"]),
        Entry(status: 410, name: "Gone", description: "This is not kept any more."),
        Entry(status: 411, name: "LengthRequired", description: "The body's length is missing."),
        Entry(
            status: 412, name: "PreconditionFailed",
            description: "This is another version than the one that the request asks for.", headers: ["Tus-Version?"]),
        Entry(status: 413, name: "TooLarge", description: "The body is larger than is taken."),
        Entry(status: 414, name: "TargetTooLong", description: "The request's target is too long."),
        Entry(
            status: 415, name: "UnsupportedMediaType",
            description: "The content, or what it says that it is, cannot be tracked.",
            headers: ["Accept?", "Accept-Encoding?"]),
        Entry(
            status: 416, name: "RangeNotSatisfiable", description: "The range lies outside the content.",
            headers: ["Content-Range"]),
        Entry(
            status: 422, name: "Invalid",
            description: "The request does not make sense; `errors` names each field that is wrong."),
        Entry(
            status: 423, name: "Locked", description: "Another request is writing to it.", headers: ["Retry-After"]),
        Entry(
            status: 429, name: "TooManyRequests",
            description:
                "Too many requests for a while, or too much of the tenant's at a time: jobs that wait, uploads, streams.",
            headers: ["Retry-After", "RateLimit?", "RateLimit-Policy?"]),
        Entry(status: 431, name: "HeadTooLarge", description: "The request's header is too long."),
        Entry(
            status: 460, name: "ChecksumMismatch",
            description: "The bytes that came are others than those announced; they were dropped."),
        Entry(
            status: 500, name: "InternalError",
            description: "The service is at fault. The log knows more by `instance`."),
        Entry(
            status: 503, name: "Unavailable",
            description: "The service cannot do this now: the queue is full, it is busy, or it is stopping.",
            headers: ["Retry-After"]),
        Entry(
            status: 507, name: "StorageFull",
            description: "The storage is full, or the tenant's jobs and uploads keep as much as they may "
                + "(`stored-quota-exceeded`).",
            headers: ["Retry-After", "RateLimit?", "RateLimit-Policy?"]),
    ]

    static func name(_ status: Int) -> String {
        entries.first { $0.status == status }?.name ?? "Status\(status)"
    }

    /// `components/responses`.
    static var json: JSONValue {
        .object(
            JSONObject(
                entries.map { entry in
                    let response = Response(
                        entry.status, entry.description, headers: entry.headers,
                        content: [("application/problem+json", Schema.ref("Problem"))])
                    return (entry.name, response.json)
                }))
    }

    /// `components/schemas/Problem`.
    static let schema = Schema.object([
        .init(
            "type", Schema.text(pattern: "^urn:lktrack:problem:[a-z0-9-]+$").described("What kind of problem it is.")),
        .init("title", Schema.string.described("The same for every problem of this type.")),
        .init("status", Schema.integer(400...599)),
        .init("detail", Schema.string.described("What was wrong, where, and what to do.")),
        .init("instance", Schema.string.described("The request's id, also in `X-Request-Id` and in the log.")),
        .optional(
            "errors",
            Schema.array(
                Schema.object([
                    .init(
                        "pointer",
                        Schema.text(pattern: "^#").described(
                            "A JSON pointer into the spec, or into the form or the query as an object.")),
                    .init("detail", Schema.string),
                ])
            ).described("Each field that is wrong.")),
        .optional("violated-policies", Schema.array(Schema.string).described("What is used up, of 429 and 507.")),
        .optional("checks", Schema.array(Schema.ref("Check")).described("Of `/readyz`.")),
    ]).described("RFC 9457").example([
        "type": "urn:lktrack:problem:invalid", "title": "The request does not make sense", "status": 422,
        "detail": "#/targets/0/box must be four numbers [x, y, width, height] in pixels",
        "instance": "0197f3a0-6c1d-7a52-8e0b-91c4d7a3f5e6",
        "errors": [
            ["pointer": "#/targets/0/box", "detail": "must be four numbers [x, y, width, height] in pixels"]
        ],
    ])
}
