/// What was found in one frame: one line of a job's NDJSON result, one element of `frames` in its JSON result.
public struct FrameRecord: Hashable, Sendable {
    /// Counts from 0 in the source, also where `start_frame` or `frame_step` leave frames out.
    public var frame: Int
    /// The container's presentation time stamp, in units of the source's time base; the frame's number for images.
    public var pts: Int64
    /// `pts` in seconds.
    public var time: Double
    /// In the order of the spec; a target is missing before its `start_frame`.
    public var targets: [TargetRecord]

    public init(frame: Int, pts: Int64, time: Double, targets: [TargetRecord]) {
        self.frame = frame
        self.pts = pts
        self.time = time
        self.targets = targets
    }
}

/// Where one target is in one frame.
public struct TargetRecord: Hashable, Sendable {
    public enum State: String, CaseIterable, Sendable {
        case tracked, coasting, lost
        case outOfFrame = "out_of_frame"
    }

    public var id: String
    public var box: PixelBox
    /// The warped corners: top-left, top-right, bottom-right, bottom-left; eight numbers x, y, x, y …
    public var quad: [Double]
    /// `[a, b, tx, c, d, ty]`, first frame's (or last keyframe's) pixels to this frame's.
    public var affine: [Double]
    public var state: State
    /// 0 … 1.
    public var confidence: Double
    /// Zero-mean normalised cross-correlation with the template, −1 … 1.
    public var zncc: Double
    /// Root mean square of the residual, in grey levels.
    public var residual: Double
    /// Aligner iterations over all levels.
    public var iterations: Int
    /// Whether the box of this frame was given rather than found.
    public var isKeyframe: Bool
    /// Each of the target's points; `nil` in other modes than `points`.
    public var points: [PointRecord]?
    /// How far a filter's response stands out; `nil` in modes without a filter.
    public var peakRatio: Double?
    /// How far from its start the way from the frame before and back again ends, in pixels; `nil` where nothing was
    /// followed so.
    public var forwardBackward: Double?

    public init(
        id: String, box: PixelBox, quad: [Double], affine: [Double], state: State, confidence: Double, zncc: Double,
        residual: Double, iterations: Int, isKeyframe: Bool, points: [PointRecord]? = nil, peakRatio: Double? = nil,
        forwardBackward: Double? = nil
    ) {
        self.id = id
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
        self.forwardBackward = forwardBackward
    }
}

/// Where one point of a target is in one frame.
public struct PointRecord: Hashable, Sendable {
    public enum State: String, CaseIterable, Sendable {
        case tracked, lost
        case outOfFrame = "out_of_frame"
    }

    /// In pixels; of a point that is not tracked, where it was last.
    public var position: PixelPoint
    /// From the frame before to this one, in pixels.
    public var dx, dy: Double
    /// How far from its start the way back ends, in pixels; `nil` where it was not followed there and back.
    public var forwardBackward: Double?
    public var state: State

    public init(position: PixelPoint, dx: Double, dy: Double, forwardBackward: Double?, state: State) {
        self.position = position
        self.dx = dx
        self.dy = dy
        self.forwardBackward = forwardBackward
        self.state = state
    }
}
