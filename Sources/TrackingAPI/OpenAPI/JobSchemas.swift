import Jobs

/// Jobs and their specs.
enum JobSchemas {
    static let all: [(String, JSONValue)] = [
        ("Job", job), ("JobList", list), ("JobStatus", Schema.choice(JobStatus.self)), ("Progress", progress),
        ("Source", source), ("JobError", error), ("JobLinks", links), ("Event", event), ("JobSpec", acceptedSpec),
        ("JobRequest", jobRequest), ("JobForm", jobForm), ("SpecRequest", specRequest), ("Target", target),
        ("TargetRequest", targetRequest), ("Keyframe", keyframe), ("Tracker", tracker),
        ("TrackerRequest", trackerRequest), ("Output", output), ("OutputRequest", outputRequest), ("Box", box),
        ("Point", point), ("Labels", labels),
    ]

    // MARK: The job

    private static let job = Schema.object([
        .init("id", Schema.id),
        .init("status", Schema.ref("JobStatus")),
        .init("created_at", Schema.time),
        .init("started_at", Schema.time.orNull),
        .init("finished_at", Schema.time.orNull),
        .init(
            "expires_at", Schema.time.orNull.described("When its video and results go; null: not before it is deleted.")
        ),
        .init("attempt", Schema.count.described("How often a worker has begun it.")),
        .init("progress", Schema.ref("Progress")),
        .init("source", Schema.ref("Source")),
        .init("spec", Schema.ref("JobSpec")),
        .init("error", Schema.ref("JobError").orNull.described("Why it failed; null otherwise.")),
        .init("links", Schema.ref("JobLinks")),
    ])

    private static let list = Schema.object([
        .init("jobs", Schema.array(Schema.ref("Job"), 0...APILimits.pageSize.upperBound).described("Newest first."))
    ])

    private static let progress = Schema.object([
        .init("frames_done", Schema.count),
        .init("frames_total", Schema.count.orNull.described("null while it is not known.")),
        .init("frames_per_second", Schema.number.with("minimum", 0)),
    ])

    private static let source = Schema.object([
        .init("kind", Schema.choice(JobSource.Kind.self)),
        .init("file_name", Schema.string.orNull.described("As the client called it; for display only.")),
        .init("bytes", Schema.count),
        .init("sha256", Schema.text(pattern: "^[0-9a-f]{64}$")),
        .init("width", Schema.count.orNull.described("null before it was decoded, as the rest is.")),
        .init("height", Schema.count.orNull),
        .init("frame_rate", Schema.number.orNull),
        .init("codec", Schema.string.orNull),
        .init(
            "frame_count", Schema.count.orNull.described("As the container has it; null also where it does not tell.")),
    ])

    private static let error = Schema.object([
        .init(
            "code",
            Schema.string.described(
                "An open set: worker_lost, undecodable, decoder_crashed, decoder_timeout, limit_exceeded, invalid_spec, "
                    + "deadline_exceeded, storage_full, internal.")),
        .init("message", Schema.string),
        .optional("frame", Schema.count.described("The frame it happened in.")),
        .optional("pointer", Schema.text(pattern: "^#").described("A JSON pointer into the spec that was at fault.")),
    ])

    private static let links = Schema.object([
        .init("self", Schema.string.with("format", "uri-reference")),
        .init("events", Schema.string.with("format", "uri-reference")),
        .init("results", Schema.string.with("format", "uri-reference")),
        .init("video", Schema.string.orNull.described("null where nothing was tracked.")),
        .init("deliveries", Schema.string.orNull.described("null where nobody is called back.")),
        .init("source", Schema.string.with("format", "uri-reference")),
    ])

    private static let event = Schema.object([
        .init("id", Schema.string.described("For `Last-Event-ID`.")),
        .init("event", Schema.choice(["status", "progress", "frame", "end"])),
        .init(
            "data",
            Schema.string.with("contentMediaType", "application/json").described(
                "The state and the attempt, the `Progress`, the `Frame`, or the `Job` as it ended.")),
    ]).described("Of an event stream (WHATWG HTML §9.2).")

    // MARK: Coordinates

    private static let box = Schema.tuple([
        Schema.number(SpecLimits.boxCorner), Schema.number(SpecLimits.boxCorner), Schema.number(SpecLimits.boxSide),
        Schema.number(SpecLimits.boxSide),
    ]).described(
        "`[x, y, width, height]` in pixels from the image's top-left corner; it may reach outside of the image."
    ).example([70, 51, 107, 87])

    private static let point = Schema.tuple([
        Schema.number(SpecLimits.pointCoordinate), Schema.number(SpecLimits.pointCoordinate),
    ]).described("`[x, y]` in pixels from the image's top-left corner.").example([12.5, 40])

    // MARK: The spec, as it is sent and as it is accepted

    /// Up to 256 bytes of UTF-8 without control characters.
    static let labelValue: JSONValue = [
        "type": "string", "pattern": "^[^\\u0000-\\u001f\\u007f-\\u009f]*$",
        "maxLength": .int(SpecLimits.labelValueLength),
    ]

    private static let labels: JSONValue = [
        "type": "object", "propertyNames": Schema.name, "additionalProperties": labelValue,
        "maxProperties": .int(SpecLimits.labels), "examples": [["camera": "7"]],
    ]

    private static let keyframe = Schema.object(
        isClosed: true, [.init("frame", Schema.integer(SpecLimits.frame)), .init("box", Schema.ref("Box"))])

    private static let points = Schema.array(Schema.ref("Point"), 0...SpecLimits.points)
    private static let keyframes = Schema.array(Schema.ref("Keyframe"), 0...SpecLimits.keyframes)

    private static let target = Schema.object([
        .init("id", Schema.name),
        .optional("box", Schema.ref("Box")),
        .init("start_frame", Schema.integer(SpecLimits.frame)),
        .init("keyframes", keyframes),
        .optional("points", points),
    ])

    private static let targetRequest = Schema.object(
        isClosed: true,
        [
            .optional("id", Schema.name.described("Unique in the job; target-1, target-2 … where it is left out.")),
            .optional("box", Schema.ref("Box").described("Left out only where there are points.")),
            .optional(
                "start_frame",
                Schema.integer(SpecLimits.frame).described(
                    "The frame in which box and points were drawn; the job's start_frame where it is left out.")),
            .optional("keyframes", keyframes.described("Boxes given anew at later frames, in their order.")),
            .optional("points", points.orNull.described("What is followed in mode points; none: a grid over the box.")),
        ])

    private static let trackerMembers: [(name: String, schema: JSONValue)] = {
        let defaults = TrackerSpec()
        return [
            ("mode", Schema.choice(TrackerSpec.Mode.self).byDefault(.string(defaults.mode.rawValue))),
            ("motion", Schema.choice(TrackerSpec.Motion.self).byDefault(.string(defaults.motion.rawValue))),
            ("aligner", Schema.choice(TrackerSpec.Aligner.self).byDefault(.string(defaults.aligner.rawValue))),
            (
                "levels",
                Schema.integer(SpecLimits.levels).byDefault(.int(defaults.levels)).described("Of the image pyramid.")
            ),
            (
                "max_iterations",
                Schema.integer(SpecLimits.maxIterations).byDefault(.int(defaults.maxIterations))
                    .described("On each level.")
            ),
            (
                "epsilon",
                Schema.number(SpecLimits.epsilon).byDefault(.number(defaults.epsilon)).described(
                    "A level ends when no corner moves further than this, in pixels.")
            ),
            (
                "illumination",
                Schema.choice(TrackerSpec.Illumination.self).byDefault(.string(defaults.illumination.rawValue))
            ),
            (
                "gamma",
                Schema.number(SpecLimits.gamma).byDefault(.number(defaults.gamma)).described(
                    "The exponent of illumination gamma.")
            ),
            (
                "on_lost",
                Schema.choice(TrackerSpec.OnLost.self).byDefault(.string(defaults.onLost.rawValue)).described(
                    "What becomes of a target that is lost.")
            ),
        ]
    }()

    private static let tracker = Schema.object(trackerMembers.map { .init($0.name, $0.schema) })
    private static let trackerRequest = Schema.object(
        isClosed: true, trackerMembers.map { .optional($0.name, $0.schema) })

    private static let outputMembers: [(name: String, schema: JSONValue)] = [
        ("video", Schema.choice(OutputSpec.Video.self).byDefault("none").described("The annotated video.")),
        ("crops", Schema.boolean.byDefault(false).described("Whether crops are made with the job.")),
    ]
    private static let output = Schema.object(outputMembers.map { .init($0.name, $0.schema) })
    private static let outputRequest = Schema.object(
        isClosed: true, outputMembers.map { .optional($0.name, $0.schema) })

    static let startFrame = Schema.integer(SpecLimits.frame).byDefault(0).described("The first frame that is tracked.")
    static let stopFrame = Schema.integer(SpecLimits.frame).orNull.byDefault(nil).described(
        "The first frame that is no longer tracked; after start_frame. null: to the end.")
    static let frameStep = Schema.integer(SpecLimits.frameStep).byDefault(1).described("Every n-th frame is tracked.")
    static let deadline = Schema.number(SpecLimits.deadlineSeconds).orNull.byDefault(nil).described(
        "Seconds from the submission after which the job fails, queued or running; attempts do not begin anew.")
    static let priority = Schema.integer(SpecLimits.priority).byDefault(0).described("Higher is claimed first.")

    private static let rest: [(name: String, schema: JSONValue)] = [
        ("start_frame", startFrame), ("stop_frame", stopFrame), ("frame_step", frameStep),
        ("deadline_seconds", deadline), ("priority", priority), ("labels", Schema.ref("Labels")),
    ]

    private static let acceptedSpec = Schema.object(
        [
            .init("targets", Schema.array(Schema.ref("Target"), SpecLimits.targets)),
            .init("tracker", Schema.ref("Tracker")),
            .init("output", Schema.ref("Output")),
        ] + rest.map { .init($0.name, $0.schema) } + [.init("webhook", Schema.ref("Webhook").orNull)]
    ).described("As accepted, every default filled in.")

    private static let specMembers: [Schema.Property] =
        [
            .optional(
                "targets",
                Schema.array(Schema.ref("TargetRequest"), SpecLimits.targets).described(
                    "Needed, unless the boxes come as roi.")),
            .optional("tracker", Schema.ref("TrackerRequest")),
            .optional("output", Schema.ref("OutputRequest")),
        ] + rest.map { .optional($0.name, $0.schema) } + [.optional("webhook", Schema.ref("WebhookRequest").orNull)]

    private static let specRequest = Schema.object(isClosed: true, specMembers).described(
        "What is asked of a job. Rules among several fields (frames in their order, points in mode points only) are "
            + "checked, too, and named in the answer.")

    private static let sourceReference: JSONValue = [
        "description": "A finished upload, which becomes the job's, or an earlier job, whose video is tracked again.",
        "oneOf": [
            Schema.object(isClosed: true, [.init("upload", Schema.id)]),
            Schema.object(isClosed: true, [.init("job", Schema.id)]),
        ],
    ]

    private static let jobRequest = Schema.object(
        isClosed: true, [.init("source", sourceReference)] + specMembers)

    /// The form's fields; every top-level field of the spec is one, and so are those of its tracker.
    private static let jobForm = Schema.object(
        [
            .optional("video", Schema.binary.described("One video: MP4, MOV, Matroska, WebM or AVI.")),
            .optional(
                "frame",
                Schema.array(Schema.binary).described(
                    "Images, in the natural order of their file names, or as they came where there are none.")),
            .optional("archive", Schema.binary.described("A zip or tar of images.")),
            .optional("spec", Schema.ref("SpecRequest")),
        ] + SpecFields.form.map { .optional($0.name, $0.schema) }
    ).with("additionalProperties", false)
        .with("patternProperties", ["^label\\.[A-Za-z0-9._-]{1,64}$": labelValue])
        .described("Exactly one of video, frame and archive; what is asked as spec, in fields, or in the query.")
}
