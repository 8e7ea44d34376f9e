import Jobs

/// The spec in form fields and query parameters, as ``SpecForm`` reads it.
enum SpecFields {
    private static let coordinate = "-?[0-9]+(\\.[0-9]+)?"
    private static let boxText = "\(coordinate)(,\(coordinate)){3}"

    static let roi = Schema.text(pattern: "^\(boxText)$").example("70,51,107,87")
    private static let keyframe = Schema.text(pattern: "^[A-Za-z0-9._-]{1,64}:[0-9]{1,9}:\(boxText)$")
        .example("target-1:50:64,52,103,81")

    private static let single: [(name: String, description: String, schema: JSONValue)] = [
        ("tracker", "`tracker.mode`", Schema.choice(TrackerSpec.Mode.self)),
        ("motion", "`tracker.motion`", Schema.choice(TrackerSpec.Motion.self)),
        ("aligner", "`tracker.aligner`", Schema.choice(TrackerSpec.Aligner.self)),
        ("levels", "`tracker.levels`", Schema.integer(SpecLimits.levels)),
        ("max_iterations", "`tracker.max_iterations`", Schema.integer(SpecLimits.maxIterations)),
        ("epsilon", "`tracker.epsilon`", Schema.number(SpecLimits.epsilon)),
        ("illumination", "`tracker.illumination`", Schema.choice(TrackerSpec.Illumination.self)),
        ("gamma", "`tracker.gamma`", Schema.number(SpecLimits.gamma)),
        ("on_lost", "`tracker.on_lost`", Schema.choice(TrackerSpec.OnLost.self)),
        ("start_frame", "The first frame that is tracked.", Schema.integer(SpecLimits.frame)),
        ("stop_frame", "The first frame that is no longer tracked.", Schema.integer(SpecLimits.frame)),
        ("frame_step", "Every n-th frame is tracked.", Schema.integer(SpecLimits.frameStep)),
        ("crops", "`output.crops`", Schema.choice(["true", "false"])),
        (
            "deadline_seconds", "Seconds from the submission after which the job fails.",
            Schema.number(SpecLimits.deadlineSeconds)
        ),
        ("priority", "Higher is claimed first.", Schema.integer(SpecLimits.priority)),
    ]

    /// Written as JSON.
    private static let objects: [(name: String, description: String, schema: JSONValue)] = [
        ("targets", "`targets` of the spec.", Schema.array(Schema.ref("TargetRequest"), SpecLimits.targets)),
        ("output", "`output` of the spec.", Schema.ref("OutputRequest")),
        ("labels", "`labels` of the spec.", Schema.ref("Labels")),
        ("webhook", "`webhook` of the spec.", Schema.ref("WebhookRequest")),
    ]

    private static let video = (
        name: "video", description: "`output.video`; a file in the field of this name is the video itself.",
        schema: Schema.choice(OutputSpec.Video.self)
    )

    /// Fields of a form beside its files and `spec`.
    static var form: [(name: String, schema: JSONValue)] {
        [
            ("roi", Schema.array(roi, 1...SpecLimits.targets.upperBound).described("A box x,y,width,height each.")),
            ("keyframe", Schema.array(keyframe).described("ID:FRAME:x,y,width,height each.")),
        ] + single.map { ($0.name, $0.schema.described($0.description)) }
            + objects.map { ($0.name, $0.schema) }
    }

    static var parameters: [JSONValue] {
        let repeated = [
            Parameter.query(
                "roi", "A box x,y,width,height to follow; for each target one.",
                Schema.array(roi, 1...SpecLimits.targets.upperBound)),
            Parameter.query("keyframe", "A box given anew: ID:FRAME:x,y,width,height.", Schema.array(keyframe, 1...64)),
        ].map { $0.with("style", "form").with("explode", true) }
        let rest = (single + [video]).map { Parameter.query($0.name, $0.description, $0.schema) }
        let json = objects.map {
            Parameter.json($0.name, $0.description + " As JSON.", $0.schema)
        }
        return repeated + rest + json + [
            Parameter.prefixed(
                "label.", "A label: `label.camera=7`.", ("^label\\.[A-Za-z0-9._-]{1,64}$", JobSchemas.labelValue))
        ]
    }
}
