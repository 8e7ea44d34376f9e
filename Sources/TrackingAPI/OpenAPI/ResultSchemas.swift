import Jobs

/// Results in JSON.
enum ResultSchemas {
    static let all: [(String, JSONValue)] = [
        ("Results", results), ("Frame", frame), ("TargetInFrame", target), ("PointInFrame", point),
        ("COCOVideo", coco), ("LabelStudioTasks", labelStudio), ("Rendering", rendering),
    ]

    /// A number that could not be told is `null`.
    private static let measured = Schema.number.orNull

    private static let results = Schema.object([
        .init("version", Schema.string.described("Of the program that tracked.")),
        .init("job", Schema.id.orNull),
        .init("source", Schema.ref("Source").orNull),
        .init("spec", Schema.ref("JobSpec")),
        .init("frames", Schema.array(Schema.ref("Frame")).described("Every frame that was tracked.")),
    ])

    private static let frame = Schema.object([
        .init("frame", Schema.count.described("Counts from 0 in the source.")),
        .init("pts", ["type": "integer", "description": "The presentation time stamp, in units of the time base."]),
        .init("time", measured.described("pts in seconds.")),
        .init("targets", Schema.array(Schema.ref("TargetInFrame")).described("In the order of the spec.")),
    ])

    private static let target = Schema.object([
        .init("id", Schema.name),
        .init("box", list(4).described("`[x, y, width, height]` in pixels.")),
        .init("quad", list(8).described("The warped corners, clockwise from the top left: x, y, x, y …")),
        .init("affine", list(6).described("`[a, b, tx, c, d, ty]`: x' = a·x + b·y + tx, y' = c·x + d·y + ty.")),
        .init("state", Schema.choice(TargetRecord.State.self)),
        .init("confidence", measured.with("minimum", 0).with("maximum", 1)),
        .init("zncc", measured.described("Correlation with the template, −1 … 1; 0 without one, as in mode points.")),
        .init("residual", measured.described("In grey levels; 0 without iterations.")),
        .init("iterations", Schema.count.described("Of all alignments; 0: none took part in this frame.")),
        .init("keyframe", Schema.boolean.described("Whether the box was given rather than found.")),
        .optional("peak_ratio", measured.described("How far the filter's response stands out.")),
        .optional("forward_backward", measured.described("Pixels between the start and the end of there and back.")),
        .optional("points", Schema.array(Schema.ref("PointInFrame"))),
    ])

    private static let point = Schema.object([
        .init("x", measured), .init("y", measured), .init("dx", measured), .init("dy", measured),
        .optional("forward_backward", measured), .init("state", Schema.choice(PointRecord.State.self)),
    ])

    private static func list(_ count: Int) -> JSONValue { Schema.array(measured, count...count) }

    private static let objects = Schema.array(["type": "object"])

    private static let coco = Schema.object([
        .init("videos", objects), .init("images", objects), .init("annotations", objects), .init("categories", objects),
    ]).with("additionalProperties", true).described("COCO-VID, of `format=coco`.")

    private static let labelStudio = Schema.array(
        Schema.object([.init("data", ["type": "object"]), .init("predictions", objects)])
            .with("additionalProperties", true)
    ).described("Of `format=labelstudio`.")

    private static let rendering = Schema.object([
        .init("status", Schema.choice(["rendering"])), .init("detail", Schema.string),
    ])
}
