/// Whether targets can be tracked at all, as far as that can be told without pixels.
enum TargetValidation {
    /// What the requests alone tell.
    static func check(_ targets: [TargetRequest]) throws(TrackingError) {
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

    /// Beyond any image; larger numbers are mistakes and could not be converted to pixels.
    private static let largestCoordinate = 1e6

    private static func text(_ box: Box) -> String { "[\(box.x), \(box.y), \(box.width), \(box.height)]" }
}
