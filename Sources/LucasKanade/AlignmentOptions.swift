/// The three classic ways to minimise the difference between template and warped image.
public enum AlignmentMethod: Sendable, Hashable, CaseIterable {
    /// Lucas & Kanade 1981; Baker & Matthews, "Lucas-Kanade 20 years on", IJCV 2004, section 2 (figure 1).
    case forwardAdditive
    /// Baker & Matthews 2004, section 3.2 (figure 4): gradients and Hessian of the template, once.
    case inverseCompositional
    /// Benhimane & Malis, "Real-time image-based tracking of planes using efficient second-order minimization",
    /// IROS 2004: the mean of both gradients.
    case esm
}

/// How brightness may differ between template and image.
public enum Photometry: Sendable, Hashable {
    /// Not at all.
    case none
    /// `image ≈ gain · template + bias`, solved together with the motion.
    case gainAndBias
}

/// Weights that keep pixels which do not fit (occluders) from steering; `k` counts standard deviations of the
/// residuals, measured as 1.4826 × their median absolute value.
public enum RobustWeights: Sendable, Hashable {
    case none
    /// 1 up to k, then k/|r| (Huber 1964).
    case huber(k: Double)
    /// (1 − (r/k)²)², 0 beyond k (Tukey's biweight).
    case tukey(k: Double)

    /// 95 % efficient for normal residuals.
    public static let huber = RobustWeights.huber(k: 1.345)
    /// 95 % efficient for normal residuals.
    public static let tukey = RobustWeights.tukey(k: 4.685)
}

/// How one alignment is done.
public struct AlignmentOptions: Sendable, Hashable {
    public var method: AlignmentMethod
    public var motion: Motion
    public var photometry: Photometry
    public var robust: RobustWeights
    /// Added to the diagonal of the Hessian for all parameters but the translation, as a share of its mean diagonal;
    /// 0.05 keeps the shape of a poorly textured target from wandering.
    public var shapeDamping: Double
    public var maximumIterations: Int
    /// Done when a step moves no corner of the box by more than this, in pixels of the level aligned on.
    public var epsilon: Double
    /// Diverged when a corner has moved farther than this share of the box's diagonal from its start.
    public var maximumMotion: Double
    /// Diverged when the area has changed by more than this factor either way since the start.
    public var maximumAreaChange: Double
    /// Out of bounds when less than this share of the grid lies in the image.
    public var minimumOverlap: Double

    public init(
        method: AlignmentMethod = .inverseCompositional, motion: Motion = .affine,
        photometry: Photometry = .gainAndBias, robust: RobustWeights = .none, shapeDamping: Double = 0,
        maximumIterations: Int = 30, epsilon: Double = 0.01, maximumMotion: Double = 1,
        maximumAreaChange: Double = 4, minimumOverlap: Double = 0.25
    ) {
        self.method = method
        self.motion = motion
        self.photometry = photometry
        self.robust = robust
        self.shapeDamping = shapeDamping
        self.maximumIterations = maximumIterations
        self.epsilon = epsilon
        self.maximumMotion = maximumMotion
        self.maximumAreaChange = maximumAreaChange
        self.minimumOverlap = minimumOverlap
    }
}
