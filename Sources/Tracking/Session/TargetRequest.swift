/// One thing to follow.
public struct TargetRequest: Hashable, Sendable {
    /// Shorter sides cannot be tracked; in pixels.
    public static let smallestSide = 4.0

    /// Unique in a session.
    public var id: String
    /// Where the target is in the frame in which it was drawn; it may reach outside the frame.
    public var box: Box
    /// The frame in which `box` was drawn. Where that frame is skipped, the next one that is processed counts.
    public var startFrame: Int
    /// Boxes drawn anew in later frames, ordered by frame; each restarts the target there.
    public var keyframes: [Keyframe]

    public struct Keyframe: Hashable, Sendable {
        public var frame: Int
        public var box: Box

        public init(frame: Int, box: Box) {
            self.frame = frame
            self.box = box
        }
    }

    public init(id: String, box: Box, startFrame: Int = 0, keyframes: [Keyframe] = []) {
        self.id = id
        self.box = box
        self.startFrame = startFrame
        self.keyframes = keyframes
    }
}
