/// What tunes ``TrackerOptions/Mode/points``.
///
/// "Size" is the geometric mean of the box's sides in the first (or the last keyframe's) frame.
public struct PointsTrackerParameters: Hashable, Sendable {
    // MARK: Flow

    /// Side of the window that a point is followed by, in pixels of every pyramid level; 3 … 127.
    public var window = 21
    /// Points on each side of the grid over the box of a target that has no points of its own; 1 … 64.
    public var gridSide = 10
    /// A point whose way back ends further from its start than this, in pixels, is lost.
    public var maximumForwardBackwardError = 1.0
    /// A point's window must have at least this much texture in every direction: the lesser eigenvalue of its gradient
    /// matrix for each pixel, in (grey levels / pixel)².
    public var minimumEigenvalue = 0.25

    // MARK: The box

    /// Points further than this from where the target's motion puts them, in pixels …
    public var inlierDistance = 2.0
    /// … or as a share of the size, whichever is more, have no say in it.
    public var inlierShare = 0.04
    /// Hypotheses of the target's motion, each from two of its points.
    public var hypotheses = 64
    /// Two points give a hypothesis where they are at least this share of the size apart.
    public var baseline = 0.2
    /// Scale, rotation and shape are taken from points that are spread by at least this share of the size (standard
    /// deviation; for the shape, across the direction in which they are spread least) …
    public var minimumSpread = 0.1
    /// … and are at least so many, for scale and rotation …
    public var similarityPoints = 4
    /// … and so many for the shape.
    public var affinePoints = 10
    /// Largest change of scale in a frame, as a factor either way …
    public var maximumScaleStep = 1.15
    /// … and in all.
    public var maximumScale = 8.0
    /// A box does not grow beyond this many times the frame's area.
    public var maximumArea = 3.0
    /// Largest ratio of the axes' scales, as a factor either way.
    public var maximumAspect = 1.5
    /// Largest cosine of the angle between the axes.
    public var maximumSkew = 0.35
    /// A target is lost where less than this share of its points is left and agrees …
    public var minimumShare = 0.1
    /// … or less than this share of those that are left agrees.
    public var minimumAgreement = 0.5

    public init() {}
}
