/// How targets are followed.
public struct TrackerOptions: Hashable, Sendable {
    public enum Mode: String, CaseIterable, Sendable {
        /// A discriminative filter finds the target, alignment fixes its position, scale and shape; it is found again
        /// after it was lost.
        case robust
        /// Alignment of an adaptive template with drift correction against the first one.
        case template
        /// Sparse flow of points that were given, or of a grid over the box; the box follows what most of them do.
        ///
        /// Of the options it uses ``motion``, ``levels``, ``maxIterations``, ``epsilon`` and, where the light is corrected
        /// before anything is looked for, ``illumination``.
        case points

        /// Whether frames are looked at in colour.
        public var needsColor: Bool {
            switch self {
            case .robust: true
            case .template, .points: false
            }
        }
    }

    /// What the warp may do: coarse levels of a pyramid are given less freedom, in this order.
    public enum Motion: String, CaseIterable, Sendable { case translation, similarity, affine }

    /// How a template is aligned (Baker & Matthews, IJCV 2004; Benhimane & Malis, IROS 2004).
    public enum Aligner: String, CaseIterable, Sendable {
        case forwardAdditive = "forward_additive"
        case inverseCompositional = "inverse_compositional"
        case esm
    }

    /// What is done about changing light.
    public enum Illumination: String, CaseIterable, Sendable {
        case none
        /// The aligner estimates a gain and a bias with the warp, after the light of each neighbourhood was taken out (see
        /// ``TemplateTrackerParameters/normalizationRadius``).
        case gainBias = "gain_bias"
        /// Every frame's contrast is equalised first: ``AdaptiveEqualizer``.
        case clahe
        /// Every frame goes through a ``GammaCurve`` first.
        case gamma
    }

    /// What happens to a target that is lost, until the next keyframe.
    public enum OnLost: String, CaseIterable, Sendable {
        /// It is searched for around its expected position, in an area that grows.
        case search
        /// It is tried again where it was lost only, and its box stays there.
        case hold
        /// It is not tried again, and its box stays where it was lost.
        case stop
    }

    public var mode: Mode
    public var motion: Motion
    public var aligner: Aligner
    /// Pyramid levels, 1 … 6.
    public var levels: Int
    /// Iterations on each level, 1 … 200.
    public var maxIterations: Int
    /// A level ends when no corner moves further than this, in pixels; 0.0001 … 1.
    public var epsilon: Double
    public var illumination: Illumination
    /// The exponent for ``Illumination/gamma``; 0.1 … 10.
    public var gamma: Double
    public var onLost: OnLost
    /// What tunes ``Mode/template``.
    public var template: TemplateTrackerParameters
    /// What tunes ``Mode/robust``.
    public var robust: RobustTrackerParameters
    /// What tunes ``Mode/points``.
    public var points: PointsTrackerParameters

    public init(
        mode: Mode = .robust, motion: Motion = .affine, aligner: Aligner = .inverseCompositional, levels: Int = 3,
        maxIterations: Int = 10, epsilon: Double = 0.02, illumination: Illumination = .gainBias, gamma: Double = 1,
        onLost: OnLost = .search, template: TemplateTrackerParameters = TemplateTrackerParameters(),
        robust: RobustTrackerParameters = RobustTrackerParameters(),
        points: PointsTrackerParameters = PointsTrackerParameters()
    ) {
        self.mode = mode
        self.motion = motion
        self.aligner = aligner
        self.levels = levels
        self.maxIterations = maxIterations
        self.epsilon = epsilon
        self.illumination = illumination
        self.gamma = gamma
        self.onLost = onLost
        self.template = template
        self.robust = robust
        self.points = points
    }

    static let mostLevels = 6

    /// - Throws: ``TrackingError/Code/invalidOption`` naming the option that is out of its range.
    public func validate() throws(TrackingError) {
        try ParameterRange.check([
            .init("levels", levels, 1...Self.mostLevels), .init("maxIterations", maxIterations, 1...200),
            .init("epsilon", epsilon, 0.0001...1), .init("gamma", gamma, 0.1...10),
        ])
        try template.validate()
        try robust.validate()
        try points.validate()
    }
}
