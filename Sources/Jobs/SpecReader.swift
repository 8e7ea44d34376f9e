/// Reads a spec from JSON and checks everything that the spec alone can tell.
public enum SpecReader {
    /// Fills in the defaults.
    ///
    /// - Parameter json: the `spec` object of docs/http.md, without `source`.
    /// - Throws: every problem there is, each with its place.
    public static func read(_ json: JSONValue) throws(SpecErrors) -> JobSpec {
        let problems = SpecProblems()
        let spec = SpecObject(json, at: .root, problems: problems).map { read($0) }
        try problems.check()
        guard let spec else { throw SpecErrors([SpecProblem(pointer: "#", detail: "must be an object")]) }
        return spec
    }

    private static let fields = [
        "targets", "tracker", "start_frame", "stop_frame", "frame_step", "output", "deadline_seconds", "priority",
        "labels", "webhook", "source",
    ]

    private static func read(_ object: SpecObject) -> JobSpec {
        object.refuseUnknown(except: fields)
        object.refuseUnsupported("source")
        let range = FrameRange(object)
        return JobSpec(
            targets: TargetReader(range: range, mode: mode(object), problems: object.problems).targets(object),
            tracker: object.object("tracker").map(tracker) ?? TrackerSpec(),
            startFrame: range.start, stopFrame: range.stop, frameStep: range.step,
            output: object.object("output").map(output) ?? OutputSpec(),
            deadlineSeconds: object.optionalNumber("deadline_seconds", in: SpecLimits.deadlineSeconds),
            priority: object.integer("priority", in: SpecLimits.priority, default: 0),
            labels: object.object("labels").map(labels) ?? [:],
            webhook: object.optionalObject("webhook").flatMap { WebhookSpec($0) })
    }

    /// The mode that targets are checked for; `nil` where it is none, which is a problem of its own.
    private static func mode(_ object: SpecObject) -> TrackerSpec.Mode? {
        guard let mode = object.members["tracker"]?["mode"] else { return TrackerSpec().mode }
        return mode.stringValue.flatMap { TrackerSpec.Mode(rawValue: $0) }
    }

    private static func tracker(_ object: SpecObject) -> TrackerSpec {
        object.refuseUnknown(except: [
            "mode", "motion", "aligner", "levels", "max_iterations", "epsilon", "illumination", "gamma", "on_lost",
        ])
        let defaults = TrackerSpec()
        return TrackerSpec(
            mode: object.choice("mode", default: defaults.mode),
            motion: object.choice("motion", default: defaults.motion),
            aligner: object.choice("aligner", default: defaults.aligner),
            levels: object.integer("levels", in: SpecLimits.levels, default: defaults.levels),
            maxIterations: object.integer(
                "max_iterations", in: SpecLimits.maxIterations, default: defaults.maxIterations),
            epsilon: object.number("epsilon", in: SpecLimits.epsilon, default: defaults.epsilon),
            illumination: object.choice("illumination", default: defaults.illumination),
            gamma: object.number("gamma", in: SpecLimits.gamma, default: defaults.gamma),
            onLost: object.choice("on_lost", default: defaults.onLost))
    }

    private static func output(_ object: SpecObject) -> OutputSpec {
        object.refuseUnknown(except: ["video", "crops"])
        let crops = object.members["crops"] ?? .bool(false)
        if crops.boolValue == nil { object.problems.add(object.pointer.appending("crops"), "must be true or false") }
        return OutputSpec(video: object.choice("video", default: .none), crops: crops.boolValue ?? false)
    }

    private static func labels(_ object: SpecObject) -> [String: String] {
        if object.members.members.count > SpecLimits.labels {
            object.problems.add(object.pointer, "there may be up to \(SpecLimits.labels) labels")
        }
        var labels: [String: String] = [:]
        for member in object.members.members {
            let pointer = object.pointer.appending(member.key)
            if !SpecName.isValid(member.key, length: SpecLimits.labelKeyLength) {
                object.problems.add(
                    pointer, "a label's name must be \(SpecName.rule(length: SpecLimits.labelKeyLength))")
            }
            guard let value = member.value.stringValue, value.utf8.count <= SpecLimits.labelValueLength,
                value.unicodeScalars.allSatisfy({ $0.properties.generalCategory != .control })
            else {
                object.problems.add(
                    pointer,
                    "must be a string of up to \(SpecLimits.labelValueLength) bytes without control characters")
                continue
            }
            labels[member.key] = value
        }
        return labels
    }
}

/// What a target's id and a label's name are made of: characters that need no escape in a path, a query or a file name.
enum SpecName {
    static func isValid(_ name: String, length: ClosedRange<Int>) -> Bool {
        length.contains(name.utf8.count)
            && name.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
                    true
                default: false
                }
            }
    }

    static func rule(length: ClosedRange<Int>) -> String {
        "\(length.lowerBound) to \(length.upperBound) characters of A-Z, a-z, 0-9, '.', '_' and '-'"
    }
}

/// Which frames are tracked: `start_frame`, `stop_frame` and `frame_step`.
struct FrameRange {
    let start: Int
    let stop: Int?
    let step: Int

    init(_ object: SpecObject) {
        start = object.integer("start_frame", in: SpecLimits.frame, default: 0)
        step = object.integer("frame_step", in: SpecLimits.frameStep, default: 1)
        let stop = object.optionalInteger("stop_frame", in: SpecLimits.frame)
        // One that is wrong is told once, and not again for each target.
        self.stop = stop.flatMap { [start] in $0 > start ? $0 : nil }
        if stop != self.stop {
            object.problems.add(
                object.pointer.appending("stop_frame"),
                "must be greater than start_frame (\(start)); the stop frame itself is left out")
        }
    }

    /// Why a frame is not among those that are tracked, `nil` where it is.
    func problem(with frame: Int) -> String? {
        if frame < start { return "must not be before the job's start_frame (\(start))" }
        if let stop, frame >= stop { return "must be before the job's stop_frame (\(stop))" }
        if (frame - start) % step != 0 {
            return "is not tracked: with start_frame \(start) and frame_step \(step) it must be "
                + "\(start), \(start + step), \(start + 2 * step) …"
        }
        return nil
    }
}
