/// One thing to follow.
public struct TargetRequest: Hashable, Sendable {
    /// Shorter sides cannot be tracked; in pixels.
    public static let smallestSide = 4.0
    /// A target has at most this many points.
    public static let mostPoints = 4096

    /// Unique in a session.
    public var id: String
    /// Where the target is in the frame in which it was drawn; it may reach outside the frame.
    public var box: Box
    /// The frame in which `box` was drawn. Where that frame is skipped, the next one that is processed counts.
    public var startFrame: Int
    /// Boxes drawn anew in later frames, ordered by frame; each restarts the target there.
    public var keyframes: [Keyframe]
    /// What is followed in ``TrackerOptions/Mode/points``, where it is in the frame in which `box` was drawn; a keyframe's
    /// box moves and scales it along. None stand for a grid over the box, and no other mode takes any.
    public var points: [Point]

    public struct Keyframe: Hashable, Sendable {
        public var frame: Int
        public var box: Box

        public init(frame: Int, box: Box) {
            self.frame = frame
            self.box = box
        }
    }

    public init(id: String, box: Box, startFrame: Int = 0, keyframes: [Keyframe] = [], points: [Point] = []) {
        self.id = id
        self.box = box
        self.startFrame = startFrame
        self.keyframes = keyframes
        self.points = points
    }

    /// A target that has points only; its box is their bounds, widened to ``smallestSide`` where they are smaller.
    ///
    /// - Parameters:
    ///   - id: unique in a session.
    ///   - points: at least one.
    ///   - startFrame: the frame in which the points were drawn.
    ///   - keyframes: boxes drawn anew in later frames, ordered by frame.
    public init(id: String, points: [Point], startFrame: Int = 0, keyframes: [Keyframe] = []) {
        let bounds = Box(bounding: points) ?? Box(x: 0, y: 0, width: 0, height: 0)
        let box = Box(
            center: bounds.center, width: max(bounds.width, Self.smallestSide),
            height: max(bounds.height, Self.smallestSide))
        self.init(id: id, box: box, startFrame: startFrame, keyframes: keyframes, points: points)
    }

    /// The points where a box that was drawn anew puts them.
    func points(in drawn: Box) -> [Point] {
        // Not to be rounded where nothing moves.
        if drawn == box { return points }
        return points.map { point in
            Point(
                x: drawn.x + (point.x - box.x) * drawn.width / box.width,
                y: drawn.y + (point.y - box.y) * drawn.height / box.height)
        }
    }
}
