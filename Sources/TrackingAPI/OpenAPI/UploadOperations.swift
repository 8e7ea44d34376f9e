import Jobs

/// `/v1/uploads`, by tus 1.0.0.
enum UploadOperations {
    static let all = [create, get, head, append, delete, frame]

    static let schemas: [(String, JSONValue)] = [("Upload", upload)]

    private static let upload = Schema.object([
        .init("id", Schema.id),
        .init("length", Schema.count.orNull.described("null while it is not known.")),
        .init("offset", Schema.count.described("How many bytes are there.")),
        .init("complete", Schema.boolean),
        .init(
            "metadata",
            [
                "type": "object", "additionalProperties": Schema.string.orNull,
                "description": "What is no text is null.",
            ]),
        .init("created_at", Schema.time),
        .init("expires_at", Schema.time),
        .init("links", Schema.object([.init("self", Schema.string.with("format", "uri-reference"))])),
    ])

    private static let bytes = Schema.integer(0...9_007_199_254_740_991)
    private static let checksum = Parameter.header(
        "Upload-Checksum", "What the bytes must come to: sha1 or sha256, and the digest in Base64.",
        Schema.text(pattern: "^(sha1 [A-Za-z0-9+/]{27}=|sha256 [A-Za-z0-9+/]{43}=)$"))
    private static let length = Parameter.header("Upload-Length", "Bytes in all.", bytes)
    private static let content: [(type: String, content: JSONValue)] = [
        (Tus.contentType.description, ["schema": Schema.binary])
    ]
    private static let state = ["Tus-Resumable", "Upload-Offset", "Upload-Expires", "Cache-Control"]
    private static let description =
        state + [
            "Upload-Length?", "Upload-Defer-Length?", "Upload-Metadata?",
        ]

    private static let create = Operation(
        method: "post", path: UploadRoutes.path, id: "createUpload", tag: .uploads, summary: "Begin an upload",
        description: """
            Either `Upload-Length` or `Upload-Defer-Length` is needed. The first bytes may come along. `OPTIONS` tells the \
            extensions and the largest size.
            """,
        parameters: [
            Parameter.tusResumable, length,
            Parameter.header("Upload-Defer-Length", "The length is not known yet.", Schema.choice(["1"])),
            Parameter.header(
                "Upload-Metadata", "Pairs of a key and a value in Base64, joined by commas; `filename` is kept.",
                Schema.text(pattern: "^[!-+\\--~]{1,64} ([A-Za-z0-9+/]{4}){0,16}$").example("filename Y2xpcC5tcDQ=")),
            checksum,
        ],
        body: content, isBodyRequired: false,
        responses: [
            Response(201, "The upload has begun.", headers: ["Location"] + state)
        ] + Response.always + Response.problems(412, 413, 415, 460, 503, 507),
        curl: """
            curl -i -X POST localhost:8080/v1/uploads -H 'Tus-Resumable: 1.0.0' -H "Upload-Length: $(stat -c %s clip.mp4)"
            """)

    private static let get = Operation(
        method: "get", path: UploadRoutes.pattern, id: "getUpload", tag: .uploads, summary: "Read an upload",
        parameters: [Parameter.uploadID],
        responses: [
            Response(
                200, "The upload.", headers: description, content: [("application/json", Schema.ref("Upload"))],
                links: [
                    Link("headUpload"), Link("appendToUpload", [("Upload-Offset", "$response.body#/offset")]),
                    Link("deleteUpload"),
                ])
        ] + Response.always + Response.problems(404, 410, 503),
        curl: "curl localhost:8080/v1/uploads/$UPLOAD")

    private static let head = Operation(
        method: "head", path: UploadRoutes.pattern, id: "headUpload", tag: .uploads,
        summary: "Ask how far an upload is",
        parameters: [Parameter.uploadID, Parameter.tusResumable],
        responses: [
            Response(200, "The upload's state.", headers: description)
        ] + [400, 404, 410, 412, 414, 422, 431, 500, 503].map { Response($0, "As for GET, without the document.") },
        curl: "curl -I localhost:8080/v1/uploads/$UPLOAD -H 'Tus-Resumable: 1.0.0'")

    private static let append = Operation(
        method: "patch", path: UploadRoutes.pattern, id: "appendToUpload", tag: .uploads, summary: "Send more bytes",
        description: """
            Whatever arrives is kept, also where the connection breaks; not so with `Upload-Checksum`. A client that cannot \
            send PATCH sends POST with `X-HTTP-Method-Override: PATCH`.
            """,
        parameters: [
            Parameter.uploadID, Parameter.tusResumable,
            Parameter.header("Upload-Offset", "Where the bytes belong.", bytes, isRequired: true),
            length, checksum,
        ],
        body: content,
        responses: [
            Response(204, "They are on the disk.", headers: state)
        ] + Response.always + Response.problems(404, 409, 410, 412, 413, 415, 423, 460, 503, 507),
        curl: """
            tail -c +$((OFFSET + 1)) clip.mp4 | curl -X PATCH localhost:8080/v1/uploads/$UPLOAD \
            -H 'Tus-Resumable: 1.0.0' -H "Upload-Offset: $OFFSET" \
            -H 'Content-Type: application/offset+octet-stream' --data-binary @-
            """)

    private static let delete = Operation(
        method: "delete", path: UploadRoutes.pattern, id: "deleteUpload", tag: .uploads, summary: "Give an upload up",
        parameters: [Parameter.uploadID, Parameter.tusResumable],
        responses: [
            Response(204, "It is gone.", headers: ["Tus-Resumable"])
        ] + Response.always + Response.problems(404, 410, 412, 503),
        curl: "curl -X DELETE localhost:8080/v1/uploads/$UPLOAD -H 'Tus-Resumable: 1.0.0'")

    private static let frame = Operation(
        method: "get", path: UploadFrameRoute.pattern, id: "getUploadFrame", tag: .uploads,
        summary: "Read a single frame of an upload",
        description: "Of one that is complete and that no job has taken: what boxes are drawn on.",
        parameters: [
            Parameter.uploadID, Parameter.path("n", "Counts from 0.", Schema.integer(SpecLimits.frame).example(0)),
        ] + Parameter.conditions,
        responses: [
            Response(
                200, "The frame, as `Accept` asks for it.", headers: ["ETag", "Vary", "Cache-Control"],
                content: FrameFormat.allCases.map { ($0.mediaType, Schema.binary) }),
            Response(304, "The client has it already.", headers: ["ETag"]),
        ] + Response.always + Response.problems(404, 406, 409, 410, 412, 415, 503, 507),
        curl: "curl -o first.png localhost:8080/v1/uploads/$UPLOAD/frames/0")
}
