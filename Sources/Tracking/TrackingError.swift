/// What was wrong with what was asked of a tracker, in words for the person who asked.
public struct TrackingError: Error, Hashable, Sendable, CustomStringConvertible {
    /// An open set; the known ones are the constants below.
    public struct Code: Hashable, Sendable, RawRepresentable {
        public let rawValue: String
        public init(rawValue: String) { self.rawValue = rawValue }

        /// A box has a number that is not finite, or a side of less than ``TargetRequest/smallestSide`` pixels.
        public static let invalidBox = Code(rawValue: "invalid_box")
        /// A box has no overlap with the frame in which it was drawn.
        public static let boxOutsideFrame = Code(rawValue: "box_outside_frame")
        /// Points in another mode than ``TrackerOptions/Mode/points``, more than ``TargetRequest/mostPoints``, or one with
        /// a number that is not finite.
        public static let invalidPoint = Code(rawValue: "invalid_point")
        /// A point lies outside the frame.
        public static let pointOutsideFrame = Code(rawValue: "point_outside_frame")
        /// Keyframes that are out of order, doubled, or not after the target's start.
        public static let invalidKeyframe = Code(rawValue: "invalid_keyframe")
        /// A start frame below 0.
        public static let invalidStartFrame = Code(rawValue: "invalid_start_frame")
        /// Two targets have one id, or there is none.
        public static let invalidTargets = Code(rawValue: "invalid_targets")
        /// An option is out of its range.
        public static let invalidOption = Code(rawValue: "invalid_option")
        /// A frame has another size than the first, or comes out of order.
        public static let invalidFrame = Code(rawValue: "invalid_frame")
        /// A line of a ground-truth file that is not four numbers.
        public static let invalidGroundTruth = Code(rawValue: "invalid_ground_truth")
    }

    public var code: Code
    /// What was wrong, where, and what to do.
    public var message: String
    /// Which target, counted from 0 in the order they were given, where it was one.
    public var target: Int?
    /// Which of its keyframes, counted from 0, where it was one.
    public var keyframe: Int?
    /// Which of its points, counted from 0, where it was one.
    public var point: Int?
    /// Which option, by its name in ``TrackerOptions``, where it was one.
    public var option: String?
    /// The frame it happened in, where it was one.
    public var frame: Int?

    public init(
        _ code: Code, _ message: String, target: Int? = nil, keyframe: Int? = nil, point: Int? = nil,
        option: String? = nil, frame: Int? = nil
    ) {
        self.code = code
        self.message = message
        self.target = target
        self.keyframe = keyframe
        self.point = point
        self.option = option
        self.frame = frame
    }

    public var description: String { "\(code.rawValue): \(message)" }
}
