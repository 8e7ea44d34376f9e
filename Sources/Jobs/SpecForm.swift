/// Turns form fields and query parameters into a spec, so that one line of `curl` is enough:
/// `roi=70,51,107,87`, `tracker=template`, `motion=affine`, `keyframe=target-1:50:64,52,103,81`, `label.camera=7`,
/// `webhook=https://example.com/hook`.
///
/// Beside these, every top-level field of the spec is a field: numbers as they are, objects and arrays as JSON text.
public enum SpecForm {
    /// The fields there are; one that ends in `.` stands for every name that starts with it.
    public static let fields: [String] = SpecFormBuilder.known

    /// Whether a field says again what one before it said, which no later field can make right.
    public static func isRepeated(
        _ name: String, _ value: String, after earlier: [(name: String, value: String)]
    ) -> Bool {
        guard SpecFormBuilder.isSingle(name) else { return false }
        let isWhole = SpecFormBuilder.isWholeObject(name, value)
        return earlier.contains { $0.name == name && SpecFormBuilder.isWholeObject($0.name, $0.value) == isWhole }
    }

    /// - Parameters:
    ///   - fields: in the order they came. `roi` and `keyframe` may repeat, nothing else may.
    ///   - base: the `spec` that came along, which the fields complete; what both give is a problem.
    /// - Returns: JSON for ``SpecReader/read(_:)``, which checks what the values mean.
    public static func json(
        fields: [(name: String, value: String)], base: JSONValue?
    ) throws(SpecErrors) -> JSONValue {
        let problems = SpecProblems()
        guard let object = SpecObject(base ?? [:], at: .root, problems: problems) else {
            throw SpecErrors(problems.list)
        }
        var builder = SpecFormBuilder(spec: object.members, problems: problems)
        // Whole objects first, so that single fields complete them in whichever order they came.
        for field in fields where SpecFormBuilder.isWholeObject(field.name, field.value) {
            builder.add(field.name, field.value)
        }
        for field in fields where !SpecFormBuilder.isWholeObject(field.name, field.value) {
            builder.add(field.name, field.value)
        }
        builder.addTargets()
        try problems.check()
        return .object(builder.spec)
    }
}

private struct SpecFormBuilder {
    var spec: JSONObject
    let problems: SpecProblems
    private var boxes: [JSONValue] = []
    private var keyframes: [(target: String, frame: Int, box: JSONValue)] = []

    init(spec: JSONObject, problems: SpecProblems) {
        self.spec = spec
        self.problems = problems
    }

    private enum Kind { case number, text, json }

    /// Fields with one value: where it goes, and how it is written.
    private static let places: [String: (path: [String], kind: Kind)] = [
        "targets": (["targets"], .json),
        "output": (["output"], .json),
        "labels": (["labels"], .json),
        "source": (["source"], .json),
        "start_frame": (["start_frame"], .number),
        "stop_frame": (["stop_frame"], .number),
        "frame_step": (["frame_step"], .number),
        "priority": (["priority"], .number),
        "deadline_seconds": (["deadline_seconds"], .number),
        "motion": (["tracker", "motion"], .text),
        "aligner": (["tracker", "aligner"], .text),
        "levels": (["tracker", "levels"], .number),
        "max_iterations": (["tracker", "max_iterations"], .number),
        "epsilon": (["tracker", "epsilon"], .number),
        "illumination": (["tracker", "illumination"], .text),
        "gamma": (["tracker", "gamma"], .number),
        "on_lost": (["tracker", "on_lost"], .text),
        "video": (["output", "video"], .text),
        "crops": (["output", "crops"], .json),
    ]

    /// Objects of which one member may stand for the whole, as plain text.
    private static let shorthands = ["tracker": "mode", "webhook": "url"]

    /// Fields of the interface that this version refuses: taken, so that ``SpecReader`` says so, and not offered.
    private static let unsupported: Set = ["source"]

    private static let labelPrefix = "label."

    static let known: [String] =
        (places.keys.filter { !unsupported.contains($0) } + ["roi", "keyframe", "tracker", "webhook", labelPrefix])
        .sorted()

    /// Whether it is a field with one value, rather than one of several or none at all.
    static func isSingle(_ name: String) -> Bool {
        places[name] != nil || shorthands[name] != nil || name.hasPrefix(labelPrefix)
    }

    static func isWholeObject(_ name: String, _ value: String) -> Bool {
        if shorthands[name] != nil { return value.hasPrefix("{") }
        return places[name].map { $0.kind == .json && $0.path.count == 1 } ?? false
    }

    mutating func add(_ name: String, _ value: String) {
        let pointer = JSONPointer.root.appending(name)
        switch name {
        case "roi":
            if let box = box(value, pointer) { boxes.append(box) }
        case "keyframe": addKeyframe(value, pointer)
        case _ where Self.shorthands[name] != nil:
            if Self.isWholeObject(name, value) {
                set([name], json(value, pointer), field: name)
            } else {
                set([name, Self.shorthands[name] ?? ""], .string(value), field: name)
            }
        case _ where name.hasPrefix(Self.labelPrefix):
            set(["labels", String(name.dropFirst(Self.labelPrefix.count))], .string(value), field: name)
        default:
            guard let place = Self.places[name] else {
                let known = Self.known.map { $0 == Self.labelPrefix ? $0 + "NAME" : $0 }.joined(separator: ", ")
                return problems.add(pointer, "unknown field; known here: \(known)")
            }
            switch place.kind {
            case .text: set(place.path, .string(value), field: name)
            case .json: set(place.path, json(value, pointer), field: name)
            case .number: set(place.path, number(value, pointer), field: name)
            }
        }
    }

    // MARK: Values

    private func json(_ text: String, _ pointer: JSONPointer) -> JSONValue? {
        do throws(JSONError) {
            return try JSONValue(parsing: text.utf8, maximumBytes: .max)
        } catch {
            problems.add(pointer, "is not JSON: \(error)")
            return nil
        }
    }

    private func number(_ text: String, _ pointer: JSONPointer) -> JSONValue? {
        if let value = try? JSONValue(parsing: text.utf8), value.doubleValue != nil || value.isNull { return value }
        problems.add(pointer, "must be a number")
        return nil
    }

    private func box(_ text: String, _ pointer: JSONPointer) -> JSONValue? {
        guard let box = BoxText.json(text) else {
            problems.add(pointer, BoxText.fault)
            return nil
        }
        return box
    }

    private mutating func addKeyframe(_ text: String, _ pointer: JSONPointer) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 3, let frame = Int(parts[1]), SpecLimits.frame.contains(frame) else {
            return problems.add(pointer, "must be ID:FRAME:x,y,width,height, such as target-1:50:64,52,103,81")
        }
        guard let box = box(String(parts[2]), pointer) else { return }
        keyframes.append((String(parts[0]), frame, box))
    }

    // MARK: Putting together

    /// Sets a member at a path of one or two keys. What is there already stays, with a problem.
    private mutating func set(_ path: [String], _ value: JSONValue?, field: String) {
        guard let value, let key = path.last else { return }
        let pointer = JSONPointer.root.appending(field)
        guard path.count == 2 else {
            if spec[key] != nil { return refuseTwice(path, pointer) }
            return spec[key] = value
        }
        guard var object = (spec[path[0]] ?? [:]).objectValue else {
            return problems.add(JSONPointer.root.appending(path[0]), "must be an object")
        }
        if object[key] != nil { return refuseTwice(path, pointer) }
        object[key] = value
        spec[path[0]] = .object(object)
    }

    private func refuseTwice(_ path: [String], _ pointer: JSONPointer) {
        problems.add(pointer, "\(path.joined(separator: ".")) is given twice, in two fields or in spec and a field")
    }

    mutating func addTargets() {
        if !boxes.isEmpty {
            if spec["targets"] != nil {
                problems.add(
                    JSONPointer.root.appending("roi"), "give the boxes either as roi fields or as targets, not both")
            } else {
                spec["targets"] = .array(boxes.map { ["box": $0] })
            }
        }
        guard !keyframes.isEmpty else { return }
        var targets = spec["targets"]?.arrayValue ?? []
        let ids = targets.enumerated().map { $1["id"]?.stringValue ?? TargetSpec.defaultID($0) }
        for (id, frame, box) in keyframes.sorted(by: { $0.frame < $1.frame }) {
            guard let index = ids.firstIndex(of: id), var target = targets[index].objectValue else {
                let known = ids.isEmpty ? "there is none" : "there are \(ids.joined(separator: ", "))"
                problems.add(JSONPointer.root.appending("keyframe"), "no target is called \"\(id)\"; \(known)")
                continue
            }
            let others = target["keyframes"]?.arrayValue ?? []
            target["keyframes"] = .array(others + [["frame": .int(frame), "box": box]])
            targets[index] = .object(target)
        }
        spec["targets"] = .array(targets)
    }
}
