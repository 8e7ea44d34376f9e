/// How an alignment ended.
public enum AlignmentStatus: Sendable, Hashable {
    /// The last step was smaller than `epsilon`.
    case converged
    /// `maximumIterations` were made and the last step was not yet smaller than `epsilon`.
    case maxIterations
    /// The warp ran away (`maximumMotion`, `maximumAreaChange`); the result holds the start.
    case diverged
    /// Too little texture for the motion asked for (a flat template, or stripes); the result holds the start.
    case degenerate
    /// Too little of the grid lies in the image.
    case outOfBounds
}

/// Where a template was found and how well it fits there.
public struct AlignmentResult: Sendable, Hashable {
    /// From template-local coordinates to the image.
    public var warp: AffineWarp
    public var status: AlignmentStatus
    /// Steps made; over all levels where there are several.
    public var iterations: Int
    /// Weighted root mean square of `image − (gain · template + bias)`, in grey levels.
    public var rms: Double
    /// Weighted zero-mean normalised cross-correlation, −1…1; 0 where either side is flat.
    public var zncc: Double
    /// `image ≈ gain · template + bias`; 1 and 0 without photometric model.
    public var gain, bias: Double
    /// Mean robust weight of the last step, 0…1; 1 without robust weights.
    public var inlierShare: Double
    /// Share of the grid inside the image (and the pyramid's region), 0…1.
    public var overlap: Double
}
