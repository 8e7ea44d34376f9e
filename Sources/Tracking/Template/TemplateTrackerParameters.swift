/// What tunes ``TrackerOptions/Mode/template``. The defaults are the middle of what did well on the mean of seven public
/// OTB targets and on synthetic occlusions; single sequences jump at small changes.
///
/// "Size" is the geometric mean of the box's sides in the frame at hand.
public struct TemplateTrackerParameters: Hashable, Sendable {
    // MARK: Template

    /// A template has at most this many samples squared at each level.
    public var gridSide = 48
    /// The same for the grey levels that a pose is refined on: the more samples, the less noise moves the corners.
    public var refinementGridSide = 80
    /// The coarsest level keeps at least this many pixels across the shorter side, however many levels are asked for.
    public var minimumCoarseSide = 6.0
    /// Deviation of the Gaussian that weighs samples by their distance from the centre, as a share of the half sides.
    public var weightSigma = 0.65
    /// Deviation of the smoothing of a frame's region before it is sampled, in pixels; 0 for none.
    public var smoothing = 0.7
    /// A template that varies less than this, in grey levels, cannot be tracked.
    public var minimumDeviation = 1.0
    /// Half the side of the surroundings whose light is taken out where ``TrackerOptions/Illumination/gainBias`` is
    /// chosen, as a share of the size; 0 leaves it to the aligner's gain and bias.
    public var normalizationRadius = 0.4
    /// Surroundings with a lower standard deviation are amplified less, in grey levels.
    public var normalizationFloor = 8.0

    // MARK: Alignment

    /// Residuals beyond this many robust standard deviations lose weight (Huber); 0 weighs all alike.
    public var huberThreshold = 2.5
    /// Damping of scale, rotation and shape, as a share of the Hessian's mean diagonal.
    public var shapeDamping = 0.05
    /// An alignment that another one refines ends when no corner moves further than this, in pixels.
    public var approachEpsilon = 0.08
    /// How far around the expected box the frame is looked at, as a share of the larger side.
    public var regionMargin = 0.35
    /// The same, at least, in pixels.
    public var minimumRegionMargin = 12.0

    // MARK: Verification

    /// A pose counts as found above this correlation with the template in use (ZNCC).
    public var foundCorrelation = 0.55
    /// The same for a target that was missed in the frame before.
    public var recoveredCorrelation = 0.65
    /// The first of these is at least this share of the target's usual correlation …
    public var foundShare = 0.78
    /// … and the second this one …
    public var recoveredShare = 0.85
    /// … of what is a running mean at this rate …
    public var usualCorrelationRate = 0.1
    /// … and falls by this factor in each frame in which the target is missed.
    public var usualCorrelationDecay = 0.97
    /// What is required more of a missed target that leaped by its size; a longer leap requires no more.
    public var leapRequirement = 0.15
    /// What the correlation of a pose loses for a leap by the target's size away from where it was or was expected.
    public var leapPenalty = 0.4
    /// Largest change of scale in a frame, as a factor either way.
    public var maximumScaleStep = 1.1
    /// Largest ratio of the axes' scales, as a factor either way …
    public var maximumAspect = 1.5
    /// … and its largest change in a frame.
    public var maximumAspectStep = 1.05
    /// Largest cosine of the angle between the axes …
    public var maximumSkew = 0.35
    /// … and its largest change in a frame.
    public var maximumSkewStep = 0.05

    // MARK: Update (Matthews, Ishikawa, Baker, "The template update problem", PAMI 2004, strategy 3)

    /// The first template agrees with the template in use where no corner of the two poses differs by more than this
    /// share of the size.
    public var agreementDistance = 0.06
    /// … and its correlation is above this.
    public var agreementCorrelation = 0.6
    /// The first template's grey levels move the pose by no more than this share of the size …
    public var refinementDistance = 0.03
    /// … where their correlation is above this.
    public var refinementCorrelation = 0.8
    /// Share of the new picture in the template in use after a frame in which both agree.
    public var updateRate = 0.1
    /// The same where they do not; 0 is strategy 3 to the letter.
    public var driftingUpdateRate = 0.0

    // MARK: Loss

    /// Frames without the target before it is `lost`.
    public var coastingFrames = 5
    /// What remains of the velocity in each missed frame.
    public var velocityDecay = 0.7
    /// Distance of the starts of a search, as a share of the box's sides.
    public var searchStep = 0.3
    /// How many steps out a target that was not missed is looked for.
    public var scoutReach = 1
    /// The search reaches one more step out every this many missed frames …
    public var searchGrowth = 2
    /// … up to this many steps.
    public var searchReach = 4
    /// Once lost, it is looked for in every so many frames only …
    public var searchInterval = 2
    /// … and after so many frames without it …
    public var searchPatience = 16
    /// … in every so many.
    public var patientSearchInterval = 25
    /// Steps of the aligner from each start before the best few are aligned in earnest.
    public var scoutIterations = 5
    /// Where the target fits where it was or was expected as well as this share of its usual correlation …
    public var sureShare = 0.92
    /// … and without a leap of more than this share of its size, nothing else is looked at.
    public var sureLeap = 0.25
    /// How many of a search's starts are aligned on every level.
    public var searchCandidates = 2

    public init() {}
}
