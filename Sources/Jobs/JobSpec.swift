/// What is asked of a job, with every default filled in: the `spec` object of `docs/http.md`.
///
/// A spec is made by ``SpecReader`` from JSON or form fields, or by the command line; it is stored with the job as JSON
/// (``SpecWriter``) and read back by the worker. Everything that the spec alone can tell has been checked by then.
public struct JobSpec: Hashable, Sendable {
    public var targets: [TargetSpec]
    public var tracker: TrackerSpec
    /// The first frame that is decoded and tracked; counts from 0.
    public var startFrame: Int
    /// The first frame that is no longer tracked; `nil`: to the end.
    public var stopFrame: Int?
    /// Every `frameStep`-th frame is tracked; at least 1.
    public var frameStep: Int
    public var output: OutputSpec
    /// Seconds from the submission after which the job fails with `deadline_exceeded`; `nil`: none of its own.
    public var deadlineSeconds: Double?
    /// Higher is claimed first; −100 … 100.
    public var priority: Int
    public var labels: [String: String]
    /// Who is called back when the job ends.
    public var webhook: WebhookSpec?

    public init(
        targets: [TargetSpec], tracker: TrackerSpec = TrackerSpec(), startFrame: Int = 0, stopFrame: Int? = nil,
        frameStep: Int = 1, output: OutputSpec = OutputSpec(), deadlineSeconds: Double? = nil, priority: Int = 0,
        labels: [String: String] = [:], webhook: WebhookSpec? = nil
    ) {
        self.targets = targets
        self.tracker = tracker
        self.startFrame = startFrame
        self.stopFrame = stopFrame
        self.frameStep = frameStep
        self.output = output
        self.deadlineSeconds = deadlineSeconds
        self.priority = priority
        self.labels = labels
        self.webhook = webhook
    }
}

/// A box in pixels, origin at the top-left corner of the image; written `[x, y, width, height]`.
public struct PixelBox: Hashable, Sendable {
    public var x, y, width, height: Double

    public init(x: Double, y: Double, width: Double, height: Double) {
        self.x = x
        self.y = y
        self.width = width
        self.height = height
    }
}

/// A point in pixels, origin at the top-left corner of the image; written `[x, y]`.
public struct PixelPoint: Hashable, Sendable {
    public var x, y: Double

    public init(x: Double, y: Double) {
        self.x = x
        self.y = y
    }
}

/// One thing to follow.
public struct TargetSpec: Hashable, Sendable {
    /// Unique in the job, 1-64 characters; `target-1`, `target-2` … where none was given.
    public var id: String
    /// `nil` where there are points only, whose bounds stand for it.
    public var box: PixelBox?
    /// The frame in which `box` and `points` were drawn; tracking of this target starts there.
    public var startFrame: Int
    /// Boxes given anew at later frames, ordered by frame, each of which restarts the target there.
    public var keyframes: [Keyframe]
    /// What is followed in mode `points`; none stand for a grid over the box. Empty in other modes.
    public var points: [PixelPoint]

    public struct Keyframe: Hashable, Sendable {
        public var frame: Int
        public var box: PixelBox

        public init(frame: Int, box: PixelBox) {
            self.frame = frame
            self.box = box
        }
    }

    public init(
        id: String, box: PixelBox?, startFrame: Int = 0, keyframes: [Keyframe] = [], points: [PixelPoint] = []
    ) {
        self.id = id
        self.box = box
        self.startFrame = startFrame
        self.keyframes = keyframes
        self.points = points
    }
}

/// How targets are followed: the `tracker` object of `docs/http.md`.
public struct TrackerSpec: Hashable, Sendable {
    /// What follows a target.
    public enum Mode: String, CaseIterable, Sendable {
        /// A discriminative filter finds the target, alignment fixes its shape, and what is lost is searched for.
        case robust
        /// Alignment of the first box's pixels alone.
        case template
        /// Sparse flow of single points.
        case points
    }
    /// What the warp from the first box to a frame may do; each may do what the one before it may.
    public enum Motion: String, CaseIterable, Sendable { case translation, similarity, affine }
    /// How a template is aligned with a frame. They differ in time and in how far they find back from; see
    /// `docs/convergence.md`.
    public enum Aligner: String, CaseIterable, Sendable {
        case forwardAdditive = "forward_additive"
        case inverseCompositional = "inverse_compositional"
        case esm
    }
    /// What is done about changes of the light.
    public enum Illumination: String, CaseIterable, Sendable {
        case none
        /// A gain and a bias are estimated in every frame, with the warp.
        case gainBias = "gain_bias"
        /// Before they are looked at, frames are equalised tile by tile (`clahe`), or their grey values are raised to
        /// the power of ``TrackerSpec/gamma``.
        case clahe, gamma
    }
    /// What becomes of a target that is lost.
    public enum OnLost: String, CaseIterable, Sendable {
        /// It is looked for around the place where it was lost.
        case search
        /// It is looked for where it was lost, and nowhere else.
        case hold
        /// It is not looked for any more, but a keyframe starts it anew.
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
    /// The exponent for `illumination: gamma`; 0.1 … 10.
    public var gamma: Double
    public var onLost: OnLost

    public init(
        mode: Mode = .robust, motion: Motion = .affine, aligner: Aligner = .inverseCompositional, levels: Int = 3,
        maxIterations: Int = 10, epsilon: Double = 0.02, illumination: Illumination = .gainBias, gamma: Double = 1,
        onLost: OnLost = .search
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
    }
}

/// What is made beside the boxes.
public struct OutputSpec: Hashable, Sendable {
    /// The annotated video that is made with the job, by its container; `none`: one is made when it is first asked for.
    public enum Video: String, CaseIterable, Sendable { case none, mp4, avi }

    public var video: Video
    /// Whether each target's crops are made with the job, and not when they are first asked for.
    public var crops: Bool

    public init(video: Video = .none, crops: Bool = false) {
        self.video = video
        self.crops = crops
    }
}
