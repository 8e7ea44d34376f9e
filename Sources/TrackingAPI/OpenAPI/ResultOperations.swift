import Jobs

/// What came of a job, and what it came from.
enum ResultOperations {
    static let all = [results, video, crops, source, frame]

    private static let file = ["ETag", "Accept-Ranges", "Repr-Digest?", "Content-Disposition", "Cache-Control"]
    private static let notModified = Response(304, "The client has it already.", headers: ["ETag"])

    // MARK: Boxes

    private static let resultTypes: [(type: String, schema: JSONValue?)] = [
        (
            "application/json",
            ["anyOf": [Schema.ref("Results"), Schema.ref("COCOVideo"), Schema.ref("LabelStudioTasks")]]
        ),
        ("application/x-ndjson", Schema.string.described("A `Frame` a line.")),
        ("text/csv", Schema.string.described("A header line, then a row a frame and target.")),
        ("text/plain", Schema.string.described("mot or otb, by `format` only.")),
        ("application/xml", Schema.string.described("CVAT XML 1.1")),
        ("text/vtt", Schema.string.described("WebVTT; each cue's text is a `Frame`.")),
    ]

    private static let results = Operation(
        method: "get", path: "/v1/jobs/{id}/results", id: "getResults", tag: .results, summary: "Read the boxes",
        description: """
            A box for every frame and target, in the format that `format` names, or that `Accept` asks for: \
            `application/json` (json), `application/x-ndjson`, `text/csv`, `text/vtt`, `application/xml` or `text/xml` \
            (cvat). Whole results have ranges and digests; slices, and what there is of an unfinished job, are made while \
            they are sent.
            """,
        parameters: [
            Parameter.jobID,
            Parameter.query("format", "Comes before `Accept`.", Schema.choice(ResultFormat.self)),
            Parameter.query(
                "partial", "Also of a job that has not ended: what there is so far.", Schema.boolean.byDefault(false)),
            Parameter.query(
                "follow", "With `format=ndjson` and `partial=true`: also what comes, until the job has ended.",
                Schema.boolean.byDefault(false)),
            Parameter.query("from", "The first frame.", Schema.integer(SpecLimits.frame)),
            Parameter.query(
                "to", "The first frame that is left out; not before `from`.", Schema.integer(SpecLimits.frame)),
            Parameter.query("target", "Only this target.", Schema.name),
            Parameter.header(
                "Accept-Encoding", "gzip is made (RFC 9110 §12.5.3).", Schema.string.example("gzip")),
        ] + Parameter.transfer,
        responses: [
            Response(
                200, "The result.",
                headers: [
                    "ETag?", "Accept-Ranges?", "Repr-Digest?", "Content-Encoding?", "Vary", "Cache-Control",
                    "X-Accel-Buffering?",
                ], content: resultTypes),
            Response(
                206, "A range of it.",
                headers: ["ETag", "Content-Range", "Accept-Ranges", "Content-Encoding?", "Vary", "Cache-Control"],
                content: resultTypes.map { ($0.type, nil) }),
            notModified,
        ] + Response.always + Response.problems(404, 406, 409, 410, 412, 416, 503),
        curl: "curl 'localhost:8080/v1/jobs/$ID/results?format=csv'")

    // MARK: Videos

    private static func rendered(_ types: [String]) -> [Response] {
        [
            Response(
                200, "The video.", headers: file, content: types.map { ($0, Schema.binary) }),
            Response(
                202, "It is being made. Ask again for the same path.", headers: ["Location", "Retry-After"],
                content: [("application/json", Schema.ref("Rendering"))]),
            Response(
                206, "A range of it.", headers: file + ["Content-Range"], content: types.map { ($0, nil) }),
            notModified,
        ] + Response.always + Response.problems(404, 409, 410, 412, 416, 503, 507)
    }

    private static let video = Operation(
        method: "get", path: "/v1/jobs/{id}/video", id: "getVideo", tag: .results, summary: "Watch the annotated video",
        description: "Made when it is first asked for, unless the job was asked for it, and kept.",
        parameters: [Parameter.jobID] + Parameter.transfer, responses: rendered(["video/mp4", "video/x-msvideo"]),
        curl: "curl -o annotated.mp4 localhost:8080/v1/jobs/$ID/video")

    private static let crops = Operation(
        method: "get", path: "/v1/jobs/{id}/targets/{t}/crops", id: "getCrops", tag: .results,
        summary: "Watch a target, stabilised",
        description: "The target alone, by the inverse of its warp. Made when it is first asked for, and kept.",
        parameters: [Parameter.jobID, Parameter.path("t", "The target's id.", Schema.name)] + Parameter.transfer,
        responses: rendered(["video/mp4"]),
        curl: "curl -o crops.mp4 localhost:8080/v1/jobs/$ID/targets/target-1/crops")

    // MARK: The source

    private static let source = Operation(
        method: "get", path: "/v1/jobs/{id}/source", id: "getSource", tag: .results, summary: "Read what was uploaded",
        description: "Byte for byte; frames that were sent one by one come as a tar.",
        parameters: [Parameter.jobID] + Parameter.transfer,
        responses: [
            Response(200, "The file.", headers: file, content: sourceTypes),
            Response(206, "A range of it.", headers: file + ["Content-Range"], content: sourceTypes),
            notModified,
        ] + Response.always + Response.problems(404, 410, 412, 416, 503),
        curl: "curl -o source.mp4 localhost:8080/v1/jobs/$ID/source")

    private static let sourceTypes = ["video/*", "application/zip", "application/x-tar", "application/octet-stream"]
        .map { (type: $0, schema: JSONValue?.some(Schema.binary)) }

    private static let frame = Operation(
        method: "get", path: "/v1/jobs/{id}/frames/{n}", id: "getFrame", tag: .results, summary: "Read a single frame",
        description: """
            The very pixels that it was tracked on. A frame that cannot be decoded within a minute, as one far into a long \
            video, is answered with 503 (`decode-timeout`).
            """,
        parameters: [
            Parameter.jobID, Parameter.path("n", "Counts from 0.", Schema.integer(SpecLimits.frame).example(0)),
        ] + Parameter.conditions,
        responses: [
            Response(
                200, "The frame, as `Accept` asks for it.", headers: ["ETag", "Vary", "Cache-Control"],
                content: FrameFormat.allCases.map { ($0.mediaType, Schema.binary) }),
            notModified,
        ] + Response.always + Response.problems(404, 406, 409, 410, 412, 503, 507),
        curl: "curl -o frame.png localhost:8080/v1/jobs/$ID/frames/0")
}
