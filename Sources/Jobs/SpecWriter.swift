/// Writes a spec as the `spec` object of docs/http.md, every default filled in. ``SpecReader/read(_:)`` gives the same spec back.
/// Secrets are in what the store gets only.
public enum SpecWriter {
    /// With the webhook's secret.
    public static func storedJSON(_ spec: JobSpec) -> JSONValue {
        var object = json(spec).objectValue ?? JSONObject()
        object["webhook"] = spec.webhook?.storedJSON ?? .null
        return .object(object)
    }

    public static func json(_ spec: JobSpec) -> JSONValue {
        let labels = spec.labels.sorted { $0.key < $1.key }.map { ($0.key, JSONValue.string($0.value)) }
        return [
            "targets": .array(spec.targets.map(target)),
            "tracker": tracker(spec.tracker),
            "start_frame": .int(spec.startFrame),
            "stop_frame": spec.stopFrame.map { .int($0) } ?? .null,
            "frame_step": .int(spec.frameStep),
            "output": ["video": .string(spec.output.video.rawValue), "crops": .bool(spec.output.crops)],
            "deadline_seconds": spec.deadlineSeconds.map { .number($0) } ?? .null,
            "priority": .int(spec.priority),
            "labels": .object(JSONObject(labels)),
            "webhook": spec.webhook?.json ?? .null,
        ]
    }

    private static func target(_ target: TargetSpec) -> JSONValue {
        let keyframes = target.keyframes.map { ["frame": .int($0.frame), "box": box($0.box)] as JSONValue }
        var members: [(String, JSONValue)] = [("id", .string(target.id))]
        if let drawn = target.box { members.append(("box", box(drawn))) }
        members += [("start_frame", .int(target.startFrame)), ("keyframes", .array(keyframes))]
        if !target.points.isEmpty {
            members.append(("points", .array(target.points.map { [.number($0.x), .number($0.y)] })))
        }
        return .object(JSONObject(members))
    }

    private static func tracker(_ tracker: TrackerSpec) -> JSONValue {
        [
            "mode": .string(tracker.mode.rawValue), "motion": .string(tracker.motion.rawValue),
            "aligner": .string(tracker.aligner.rawValue), "levels": .int(tracker.levels),
            "max_iterations": .int(tracker.maxIterations), "epsilon": .number(tracker.epsilon),
            "illumination": .string(tracker.illumination.rawValue), "gamma": .number(tracker.gamma),
            "on_lost": .string(tracker.onLost.rawValue),
        ]
    }

    private static func box(_ box: PixelBox) -> JSONValue {
        [.number(box.x), .number(box.y), .number(box.width), .number(box.height)]
    }
}
