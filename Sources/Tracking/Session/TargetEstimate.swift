/// Where one target is in one frame, and how sure that is.
public struct TargetEstimate: Hashable, Sendable {
    public enum State: String, CaseIterable, Sendable {
        /// Found, and verified against its template.
        case tracked
        /// Not found in this frame or the few before it. The box follows the last known velocity, in mode `robust` also
        /// responses close by that are too weak to be sure of.
        case coasting
        /// Not found for longer than the mode's `coastingFrames`
        /// (``RobustTrackerParameters/coastingFrames``, ``TemplateTrackerParameters/coastingFrames``).
        case lost
        /// Its centre has left the frame, found there or not; or it was missed where it was about to leave.
        case outOfFrame = "out_of_frame"
    }

    /// Centre ± size · scale; see ``AffineMap/uprightBox(of:)``.
    public var box: Box
    /// The corners of the first (or last keyframe's) box, mapped by ``affine``.
    public var quad: Quad
    /// The first (or last keyframe's) frame's pixels to this frame's.
    public var affine: AffineMap
    public var state: State
    /// 0 … 1: of the frames with at least this confidence, at least this share has an overlap of 0.5 or more with the
    /// truth.
    public var confidence: Double
    /// Zero-mean normalised cross-correlation of the frame with the template in use where it was found, −1 … 1; 0 where
    /// the target was not found, and in ``TrackerOptions/Mode/points``, which has no template.
    public var zncc: Double
    /// Root mean square of what the first template leaves unexplained under ``affine`` (after gain and bias where the
    /// illumination model has them), in grey levels; 0 where the target was not found. In ``TrackerOptions/Mode/points``
    /// the mean absolute difference of the points' windows from the frame before.
    public var residual: Double
    /// Aligner iterations over all levels and starts.
    public var iterations: Int
    /// Whether the box of this frame was given rather than found.
    public var isKeyframe: Bool
    /// Each of the target's points, in the order they were given, or row by row of the grid; `nil` in other modes than
    /// ``TrackerOptions/Mode/points``.
    public var points: [PointEstimate]?
    /// How far the response of a filter stands out where the target was found; `nil` in modes without a filter.
    public var peakRatio: Double?
    /// How far from its start the way from the frame before and back again ends, in pixels (the median of all points
    /// that were followed); `nil` where nothing was followed so.
    public var forwardBackwardError: Double?

    public init(
        box: Box, quad: Quad, affine: AffineMap, state: State, confidence: Double, zncc: Double, residual: Double,
        iterations: Int, isKeyframe: Bool, points: [PointEstimate]? = nil, peakRatio: Double? = nil,
        forwardBackwardError: Double? = nil
    ) {
        self.box = box
        self.quad = quad
        self.affine = affine
        self.state = state
        self.confidence = confidence
        self.zncc = zncc
        self.residual = residual
        self.iterations = iterations
        self.isKeyframe = isKeyframe
        self.points = points
        self.peakRatio = peakRatio
        self.forwardBackwardError = forwardBackwardError
    }
}
