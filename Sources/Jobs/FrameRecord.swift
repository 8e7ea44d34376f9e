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

    public init(
        id: String, box: PixelBox, quad: [Double], affine: [Double], state: State, confidence: Double, zncc: Double,
        residual: Double, iterations: Int, isKeyframe: Bool
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
    }
}
