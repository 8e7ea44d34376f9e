/// Reads the `targets` of a spec.
struct TargetReader {
    let range: FrameRange
    /// `nil` where the spec's is none.
    let mode: TrackerSpec.Mode?
    let problems: SpecProblems

    func targets(_ spec: SpecObject) -> [TargetSpec] {
        let pointer = spec.pointer.appending("targets")
        guard let value = spec.members["targets"] else {
            problems.add(pointer, "is missing: a job needs at least one target with a box [x, y, width, height]")
            return []
        }
        guard let elements = value.arrayValue, SpecLimits.targets.contains(elements.count) else {
            problems.add(
                pointer,
                "must be an array of \(SpecLimits.targets.lowerBound) to \(SpecLimits.targets.upperBound) targets")
            return []
        }
        var ids: Set<String> = []
        return elements.enumerated().compactMap { index, element in
            guard let object = SpecObject(element, at: pointer.appending(index), problems: problems) else { return nil }
            let target = target(object, defaultID: TargetSpec.defaultID(index))
            if !ids.insert(target.id).inserted {
                problems.add(object.pointer.appending("id"), "\"\(target.id)\" is the id of an earlier target")
            }
            return target
        }
    }

    private func target(_ object: SpecObject, defaultID: String) -> TargetSpec {
        object.refuseUnknown(except: ["id", "box", "start_frame", "keyframes", "points"])
        let start = startFrame(object)
        let points = points(object)
        let isBoxless = object.members["box"] == nil && !(points?.isEmpty ?? false)
        return TargetSpec(
            id: id(object, defaultID: defaultID), box: isBoxless ? nil : box(object), startFrame: start,
            keyframes: keyframes(object, start: start), points: points ?? [])
    }

    private func id(_ object: SpecObject, defaultID: String) -> String {
        guard let value = object.members["id"] else { return defaultID }
        guard let id = value.stringValue, SpecName.isValid(id, length: SpecLimits.idLength) else {
            problems.add(object.pointer.appending("id"), "must be \(SpecName.rule(length: SpecLimits.idLength))")
            return defaultID
        }
        return id
    }

    private func startFrame(_ object: SpecObject) -> Int {
        let start = object.integer("start_frame", in: SpecLimits.frame, default: range.start)
        if let problem = range.problem(with: start) { problems.add(object.pointer.appending("start_frame"), problem) }
        return start
    }

    // MARK: Boxes

    private func box(_ object: SpecObject) -> PixelBox {
        let pointer = object.pointer.appending("box")
        guard let value = object.members["box"] else {
            let orPoints = mode == .points ? ", or points in its place" : ""
            problems.add(pointer, "is missing: four numbers [x, y, width, height] in pixels\(orPoints)")
            return .empty
        }
        switch Self.box(value) {
        case .success(let box): return box
        case .failure(let fault):
            problems.add(pointer, fault.detail)
            return .empty
        }
    }

    struct BoxFault: Error { let detail: String }

    static func box(_ value: JSONValue) -> Result<PixelBox, BoxFault> {
        guard let numbers = value.arrayValue, numbers.count == 4 else {
            return .failure(BoxFault(detail: "must be four numbers [x, y, width, height] in pixels"))
        }
        guard let x = numbers[0].doubleValue, let y = numbers[1].doubleValue, let width = numbers[2].doubleValue,
            let height = numbers[3].doubleValue, x.isFinite, y.isFinite, width.isFinite, height.isFinite
        else { return .failure(BoxFault(detail: "must be four finite numbers [x, y, width, height] in pixels")) }
        guard width >= SpecLimits.boxSide.lowerBound, height >= SpecLimits.boxSide.lowerBound else {
            let least = Int(SpecLimits.boxSide.lowerBound)
            return .failure(BoxFault(detail: "width and height must be at least \(least) px each"))
        }
        guard SpecLimits.boxSide.contains(width), SpecLimits.boxSide.contains(height),
            SpecLimits.boxCorner.contains(x), SpecLimits.boxCorner.contains(y)
        else {
            let most = Int(SpecLimits.boxSide.upperBound)
            return .failure(BoxFault(detail: "no number may be beyond \(most) px"))
        }
        guard x + width > 0, y + height > 0 else {
            return .failure(BoxFault(detail: "lies outside every frame: it ends left of or above the image"))
        }
        return .success(PixelBox(x: x, y: y, width: width, height: height))
    }

    // MARK: Points

    /// `nil`, with a problem, where there are points that cannot be followed.
    private func points(_ object: SpecObject) -> [PixelPoint]? {
        guard let value = object.members["points"], !value.isNull, value != [] else { return [] }
        let pointer = object.pointer.appending("points")
        guard let elements = value.arrayValue, elements.count <= SpecLimits.points else {
            problems.add(pointer, "must be an array of up to \(SpecLimits.points) points [x, y] in pixels")
            return nil
        }
        if let mode, mode != .points {
            problems.add(
                pointer, "are followed in tracker mode \"points\" only, and this job's is \"\(mode.rawValue)\"")
            return nil
        }
        let points = elements.enumerated().compactMap { point($1, pointer.appending($0)) }
        return points.count == elements.count ? points : nil
    }

    private func point(_ value: JSONValue, _ pointer: JSONPointer) -> PixelPoint? {
        guard let numbers = value.arrayValue, numbers.count == 2, let x = numbers[0].doubleValue,
            let y = numbers[1].doubleValue
        else {
            problems.add(pointer, "must be two numbers [x, y] in pixels")
            return nil
        }
        guard SpecLimits.pointCoordinate.contains(x), SpecLimits.pointCoordinate.contains(y) else {
            let most = Int(SpecLimits.pointCoordinate.upperBound)
            problems.add(pointer, "must lie in the image: both numbers from 0 to \(most) px")
            return nil
        }
        return PixelPoint(x: x, y: y)
    }

    // MARK: Keyframes

    private func keyframes(_ target: SpecObject, start: Int) -> [TargetSpec.Keyframe] {
        guard let value = target.members["keyframes"] else { return [] }
        let pointer = target.pointer.appending("keyframes")
        guard let elements = value.arrayValue, elements.count <= SpecLimits.keyframes else {
            problems.add(pointer, "must be an array of up to \(SpecLimits.keyframes) keyframes")
            return []
        }
        var previous = start
        return elements.enumerated().compactMap { index, element in
            guard let object = SpecObject(element, at: pointer.appending(index), problems: problems) else { return nil }
            object.refuseUnknown(except: ["frame", "box"])
            let box = box(object)
            guard let frame = frame(object, after: previous, isFirst: index == 0) else { return nil }
            previous = frame
            return TargetSpec.Keyframe(frame: frame, box: box)
        }
    }

    private func frame(_ object: SpecObject, after previous: Int, isFirst: Bool) -> Int? {
        let pointer = object.pointer.appending("frame")
        guard object.members["frame"] != nil else {
            problems.add(pointer, "is missing: the frame in which the box was drawn")
            return nil
        }
        let frame = object.integer("frame", in: SpecLimits.frame, default: -1)
        guard frame >= 0 else { return nil }
        if frame <= previous {
            let what = isFirst ? "the target's start_frame" : "the keyframe before it"
            problems.add(pointer, "must be after \(what) (\(previous))")
        } else if let problem = range.problem(with: frame) {
            problems.add(pointer, problem)
        }
        return frame
    }
}

extension PixelBox {
    fileprivate static let empty = PixelBox(x: 0, y: 0, width: 0, height: 0)
}

extension TargetSpec {
    /// `target-1` for the first target that has no id.
    static func defaultID(_ index: Int) -> String { "target-\(index + 1)" }
}
