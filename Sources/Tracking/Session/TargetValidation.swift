/// Whether targets can be tracked at all, as far as that can be told without pixels.
enum TargetValidation {
    /// What the requests alone tell.
    static func check(_ targets: [TargetRequest], mode: TrackerOptions.Mode) throws(TrackingError) {
        guard !targets.isEmpty else { throw TrackingError(.invalidTargets, "there is no target; give at least one") }
        var seen: Set<String> = []
        for (index, target) in targets.enumerated() {
            guard seen.insert(target.id).inserted else {
                throw TrackingError(
                    .invalidTargets, "two targets have the id \"\(target.id)\"; ids must differ", target: index)
            }
            guard target.startFrame >= 0 else {
                throw TrackingError(
                    .invalidStartFrame, "the start frame \(target.startFrame) is below 0", target: index)
            }
            try check(target.points, mode: mode, target: index)
            try check(target.box, target: index, keyframe: nil)
            var last = target.startFrame
            for (number, keyframe) in target.keyframes.enumerated() {
                guard keyframe.frame > last else {
                    throw TrackingError(
                        .invalidKeyframe,
                        "keyframe at frame \(keyframe.frame) does not come after frame \(last); order keyframes by frame",
                        target: index, keyframe: number, frame: keyframe.frame)
                }
                last = keyframe.frame
                try check(keyframe.box, target: index, keyframe: number)
            }
        }
    }

    /// What the frame's size tells.
    static func check(_ targets: [TargetRequest], width: Int, height: Int) throws(TrackingError) {
        for (index, target) in targets.enumerated() {
            // Points first: a box that was derived from them is not what was asked for.
            try check(target.points, width: width, height: height, target: index)
            try check(target.box, width: width, height: height, target: index, keyframe: nil)
            for (number, keyframe) in target.keyframes.enumerated() {
                try check(keyframe.box, width: width, height: height, target: index, keyframe: number)
            }
        }
    }

    private static func check(_ box: Box, target: Int, keyframe: Int?) throws(TrackingError) {
        let smallest = TargetRequest.smallestSide
        guard box.isFinite, abs(box.x) <= largestCoordinate, abs(box.y) <= largestCoordinate,
            box.width <= largestCoordinate, box.height <= largestCoordinate
        else {
            throw TrackingError(
                .invalidBox, "the box \(text(box)) must have finite numbers", target: target, keyframe: keyframe)
        }
        guard box.width >= smallest, box.height >= smallest else {
            throw TrackingError(
                .invalidBox, "the box \(text(box)) is too small; its sides must be at least \(smallest) px",
                target: target, keyframe: keyframe)
        }
    }

    private static func check(
        _ box: Box, width: Int, height: Int, target: Int, keyframe: Int?
    ) throws(TrackingError) {
        let frame = Box(x: 0, y: 0, width: Double(width), height: Double(height))
        guard box.intersectionArea(frame) > 0 else {
            throw TrackingError(
                .boxOutsideFrame, "the box \(text(box)) lies outside the frame of \(width)×\(height) pixels",
                target: target, keyframe: keyframe)
        }
    }

    private static func check(_ points: [Point], mode: TrackerOptions.Mode, target: Int) throws(TrackingError) {
        guard points.isEmpty || mode == .points else {
            throw TrackingError(
                .invalidPoint, "points are followed in mode \"points\" only, and this is \"\(mode.rawValue)\"",
                target: target)
        }
        guard points.count <= TargetRequest.mostPoints else {
            throw TrackingError(
                .invalidPoint, "there are \(points.count) points; a target may have \(TargetRequest.mostPoints)",
                target: target)
        }
        if let index = points.firstIndex(where: {
            !(abs($0.x) <= largestCoordinate && abs($0.y) <= largestCoordinate)
        }) {
            throw TrackingError(
                .invalidPoint, "the point \(text(points[index])) must have finite numbers", target: target, point: index
            )
        }
    }

    private static func check(_ points: [Point], width: Int, height: Int, target: Int) throws(TrackingError) {
        let frame = Box(x: 0, y: 0, width: Double(width), height: Double(height))
        if let index = points.firstIndex(where: { !frame.contains($0) }) {
            throw TrackingError(
                .pointOutsideFrame,
                "the point \(text(points[index])) lies outside the frame of \(width)×\(height) pixels", target: target,
                point: index)
        }
    }

    /// Beyond any image; larger numbers are mistakes and could not be converted to pixels.
    private static let largestCoordinate = 1e6

    private static func text(_ point: Point) -> String { "[\(point.x), \(point.y)]" }

    private static func text(_ box: Box) -> String { "[\(box.x), \(box.y), \(box.width), \(box.height)]" }
}
