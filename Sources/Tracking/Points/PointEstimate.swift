/// Where one point of a target is in one frame (``TrackerOptions/Mode/points``).
public struct PointEstimate: Hashable, Sendable {
    public enum State: String, CaseIterable, Sendable {
        /// Followed from the frame before and back again.
        case tracked
        /// The way back ended elsewhere, or there is nothing to hold on to. It stays lost until the next keyframe.
        case lost
        /// It has left the frame. It stays out until the next keyframe.
        case outOfFrame = "out_of_frame"
    }

    /// In the coordinates of ``Box``; of a point that is not tracked, where it was last.
    public var position: Point
    /// From the frame before to this one, in pixels; 0 for a point that is not tracked.
    public var dx, dy: Double
    /// How far from its start the way back ends, in pixels (Kalal, Mikolajczyk & Matas, "Forward-backward error", ICPR
    /// 2010). `nil` where the point was given rather than followed, or could not be followed there and back.
    public var forwardBackwardError: Double?
    public var state: State

    public init(
        position: Point, dx: Double = 0, dy: Double = 0, forwardBackwardError: Double? = nil, state: State = .tracked
    ) {
        self.position = position
        self.dx = dx
        self.dy = dy
        self.forwardBackwardError = forwardBackwardError
        self.state = state
    }
}
