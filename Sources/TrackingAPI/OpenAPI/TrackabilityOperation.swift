import Jobs

/// `POST /v1/trackability`.
enum TrackabilityOperation {
    static let schemas: [(String, JSONValue)] = [
        ("Trackability", answer), ("BoxTrackability", box), ("TrackabilityForm", form),
        ("TrackabilityRequest", request),
    ]

    static let judge = Operation(
        method: "post", path: TrackabilityRoute.path, id: "judgeBoxes", tag: .jobs,
        summary: "Ask how well boxes can be tracked",
        description: """
            One image and boxes on it, or a frame of a finished upload or of a job: for each box how well it can be \
            tracked, before a job is paid for. Judged as the trackers look at it; what comes later in the video, no single \
            picture tells.
            """,
        parameters: [
            Parameter.query("roi", "A box x,y,width,height; repeated for each.", Schema.array(roi, SpecLimits.targets))
                .with("style", "form").with("explode", true),
            Parameter.json("boxes", "The boxes as JSON.", boxes),
        ],
        body: [
            (
                "multipart/form-data",
                [
                    "schema": Schema.ref("TrackabilityForm"),
                    "encoding": [
                        "image": ["contentType": "image/*"], "roi": ["style": "form", "explode": true],
                        "boxes": ["contentType": "application/json"],
                    ],
                ]
            ),
            (
                "application/json",
                [
                    "schema": Schema.ref("TrackabilityRequest"),
                    "example": [
                        "upload": "0197f3a0-5b7c-7d3e-9a41-2c6e8f0b1d24", "boxes": [[70, 51, 107, 87]],
                    ],
                ]
            ),
            ("image/*", ["schema": Schema.binary]), ("application/octet-stream", ["schema": Schema.binary]),
        ],
        responses: [
            Response(
                200, "A judgement of each box, in their order.",
                content: [("application/json", Schema.ref("Trackability"))])
        ] + Response.always + Response.problems(409, 410, 411, 413, 415, 503, 507),
        curl: "curl -F image=@frame.png -F roi=70,51,107,87 localhost:8080/v1/trackability")

    private static let roi = SpecFields.roi
    private static let boxes = Schema.array(Schema.ref("Box"), SpecLimits.targets)

    private static let form = Schema.object(
        isClosed: true,
        [
            .init("image", Schema.binary.described("JPEG, PNG, BMP, WebP or TIFF.")),
            .optional("roi", Schema.array(roi, SpecLimits.targets).described("A box x,y,width,height each.")),
            .optional("boxes", boxes.described("In place of `roi`.")),
        ])

    private static let request = Schema.object(
        isClosed: true,
        [
            .optional("upload", Schema.id.described("A complete upload that no job has taken.")),
            .optional("job", Schema.id.described("A job, in place of `upload`.")),
            .optional("frame", Schema.integer(SpecLimits.frame).byDefault(0).described("Of the video; counts from 0.")),
            .optional("boxes", boxes.described("Or in the query.")),
        ]
    ).with("oneOf", [["required": ["upload"]], ["required": ["job"]]])

    private static let answer = Schema.object([
        .init("width", Schema.count.described("Of the picture.")), .init("height", Schema.count),
        .init("boxes", Schema.array(Schema.ref("BoxTrackability"))),
    ])

    private static let eigenvalue = Schema.number.described(
        """
        Of the structure tensor over the box, without what noise adds to it, in (grey levels / pixel)² at the resolution \
        that is looked at. The lesser is small beside the greater where the box holds an edge only: the aperture problem.
        """)

    private static let box = Schema.object([
        .init("box", Schema.ref("Box")),
        .init(
            "verdict",
            Schema.choice(BoxTrackability.Verdict.self).described(
                "`untrackable`: lost in the next frame. `poor`: likely to be lost, or to slide.")),
        .init(
            "findings",
            Schema.array(Schema.choice(BoxTrackability.Finding.self)).described(
                """
                What speaks against it, the gravest first. `flat`: nothing to tell it by. `edge`: it looks the same along \
                an edge. `faint`: it hardly stands out of the noise. `color_only`: told by its colours alone. `small`: few \
                pixels. `cut_off`: part of it lies outside.
                """)),
        .init("advice", Schema.string.described("What to do, for a person.")),
        .init("least_eigenvalue", eigenvalue), .init("greatest_eigenvalue", eigenvalue),
        .init(
            "contrast",
            Schema.number.described("How much brightness and colours vary over the box, coarsely, in grey levels.")),
        .init("texture", Schema.number.described("Standard deviation of the brightness in the box, in grey levels.")),
        .init("noise", Schema.number.described("Standard deviation of the noise around the box, in grey levels.")),
        .init(
            "least_error",
            Schema.number.orNull.described(
                "The error of the position that noise leaves at best, in pixels, from a frame to the next; null where it is not bounded."
            )),
        .init("size", Schema.number.described("Geometric mean of the sides, in pixels.")),
        .init("visible", Schema.number(0...1).described("Share of the box that lies in the picture.")),
        .init(
            "pixel_size",
            Schema.number.described("Pixels that make one of those that are looked at: large boxes are reduced.")),
        .init("levels", Schema.integer(SpecLimits.levels).described("The most pyramid levels that the box bears.")),
    ])
}
