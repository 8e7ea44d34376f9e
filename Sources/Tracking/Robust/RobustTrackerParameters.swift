/// What tunes ``TrackerOptions/Mode/robust``.
///
/// The defaults are the middle of a plateau: they were chosen by the mean over eleven runs of each of seven public OTB
/// targets (from several frames, forwards and backwards), not by one pass over one sequence; docs/tracker.md has what
/// happens to the mean when each is halved or doubled. "Size" is the geometric mean of the box's sides.
public struct RobustTrackerParameters: Hashable, Sendable {
    // MARK: Search window

    /// Side of the square that is searched around a start, in target sizes.
    public var searchSize = 4.5
    /// The window is resampled until the target's size is this many pixels …
    public var targetSide = 32.0
    /// … but not enlarged by more than this …
    public var maximumMagnification = 3.0
    /// … and to at least this many cells squared, of 4 × 4 pixels each.
    public var minimumCells = 8
    /// Cells are weighed by a Hann window; a window so small that a target's edge would lie further down its slope than
    /// this share of it is flat in the middle (Tukey), lest it fades what it is there to show.
    public var windowSlope = 0.25

    // MARK: Channels

    /// Gradient orientations are divided by the energy of the 3 × 3 cells around them and multiplied by this …
    public var orientationGain = 2.0
    /// … cut off here …
    public var orientationLimit = 0.2
    /// … where a cell without edges has this energy, in squared sums of grey levels.
    public var orientationFloor = 25.0
    /// What a step from black to white counts.
    public var grayWeight = 0.5
    /// What a step of 128 in a* or b* (CIE L*a*b*) counts.
    public var colorWeight = 4.0

    // MARK: Filter (Li et al., CVPR 2018)

    /// Deviation of the wanted response's Gaussian, in target sizes.
    public var labelDeviation = 0.1
    /// … and at least this many cells: a narrower one falls between them.
    public var minimumLabelDeviation = 0.6
    /// What a change of the filter costs, in mean energies of a cell: the longer the memory, the less is learned from
    /// what covers the target for a while.
    public var filterMemory = 10.0
    /// Penalty that holds the filter to its support, in the same measure; it does not grow over the iterations.
    public var filterPenalty = 0.024
    /// Iterations of the solver in a frame …
    public var filterIterations = 2
    /// … and in the first.
    public var firstFilterIterations = 4
    /// The support falls from 1 at the box's edge to 0 this far outside, in half sides.
    public var maskSoftness = 0.3
    /// A target whose cells vary by less than this, in grey levels, within and around its box has nothing to be told by.
    public var minimumContrast = 2.0
    /// Cells around a peak that its ratio to the rest leaves out.
    public var peakRadius = 3

    // MARK: Colours (Bertinetto et al., CVPR 2016)

    /// Share of the colours in what candidates are compared by; the rest is the filter's.
    public var colorShare = 0.3
    /// The inner part of the box that teaches what the target's colours are, as a share of its sides.
    public var colorInner = 0.6
    /// Share of a new picture in the histograms.
    public var colorRate = 0.04

    // MARK: Alignment

    /// A template has at most this many samples squared at each level.
    public var gridSide = 40
    /// The coarsest level keeps at least this many pixels across the shorter side, however many levels are asked for.
    public var minimumCoarseSide = 6.0
    /// Deviation of the smoothing of a frame's region before it is sampled, in pixels; 0 for none.
    public var smoothing = 0.7
    /// A template that varies less than this, in grey levels, is not aligned.
    public var minimumDeviation = 1.0
    /// Half the side of the surroundings whose light is taken out where ``TrackerOptions/Illumination/gainBias`` is
    /// chosen, in sizes; 0 leaves it to the aligner's gain and bias.
    public var normalizationRadius = 0.4
    /// Surroundings with a lower standard deviation are amplified less, in grey levels.
    public var normalizationFloor = 8.0
    /// Deviation of the Gaussian that weighs samples by their distance from the centre, as a share of the half sides.
    public var weightSigma = 0.8
    /// Damping of scale, rotation and shape, as a share of the Hessian's mean diagonal.
    public var shapeDamping = 0.15
    /// Residuals beyond this many robust standard deviations lose weight (Huber).
    public var huberThreshold = 2.5
    /// How far around the box the frame is looked at, as a share of the larger side.
    public var regionMargin = 0.35
    /// Alignment moves the located target by at most this many sizes.
    public var maximumAlignmentMove = 0.15
    /// Largest change of scale in a frame, as a factor either way …
    public var maximumScaleStep = 1.1
    /// … and since the first frame.
    public var maximumScale = 10.0
    /// A box does not grow beyond this many times the frame's area.
    public var maximumArea = 3.0
    /// Largest ratio of the axes' scales, as a factor either way …
    public var maximumAspect = 1.5
    /// … and its largest change in a frame.
    public var maximumAspectStep = 1.05
    /// Largest cosine of the angle between the axes.
    public var maximumSkew = 0.35
    /// An alignment below this correlation (ZNCC) is not used …
    public var alignedCorrelation = 0.6
    /// … nor is its shape, below this share of the usual correlation: what covers a target in part makes it look
    /// smaller.
    public var shapeShare = 0.85
    /// Running mean of the correlation.
    public var correlationRate = 0.05
    /// All six parameters are freed where they close this share of the gap to a perfect correlation.
    public var affineGain = 0.2
    /// Where the first template correlates better than this, its pose counts …
    public var anchorCorrelation = 0.85
    /// … if it is closer than this many sizes.
    public var anchorDistance = 0.1
    /// How far the position goes from where the filter located the target to where alignment put it.
    public var alignedPositionShare = 0.4
    /// The recent template learns above this correlation …
    public var updateCorrelation = 0.5
    /// … this share of the new picture.
    public var updateRate = 0.06

    // MARK: Verification, as shares of the filter's usual response

    /// A target is missed below this response, unless the template has another opinion …
    public var lostShare = 0.4
    /// … which is a correlation above this at half the resolution.
    public var opinionCorrelation = 0.6
    /// The filter learns above this response …
    public var learnShare = 0.5
    /// … which is demanded in full after so many frames.
    public var warmUp = 10.0
    /// A missed target is found again above this response …
    public var foundShare = 0.6
    /// … where the recent template correlates better than this at half the resolution …
    public var foundCorrelation = 0.3
    /// … or above this one, whatever the template says.
    public var sureShare = 0.9
    /// The usual response is first taken to be this share of that to the first picture, which trained it.
    public var firstShare = 0.6
    /// The running mean of the response follows at this rate …
    public var responseRate = 0.05
    /// … and at this one where the filter does not learn.
    public var unusualResponseRate = 0.025

    // MARK: Motion and loss

    /// A target that moves faster than this many sizes a frame is looked for where its velocity takes it, too.
    public var predictedSpeed = 0.15
    /// Frames without the target before it is `lost`.
    public var coastingFrames = 5
    /// Until then the box follows a response that is too weak to be sure of, over at most this many sizes.
    public var coastingLeap = 2.0
    /// What remains of the velocity in each missed frame.
    public var velocityDecay = 0.9
    /// A target that is missed has left the picture where its velocity takes its centre over the edge in so many frames.
    public var exitFrames = 1.0
    /// Distance of the places where a missed target is looked for, in sizes.
    public var searchStep = 1.25
    /// They reach one more step out every this many missed frames …
    public var searchGrowth = 4
    /// … up to this many steps …
    public var searchReach = 2
    /// … and so many of them are looked at in a frame.
    public var searchStarts = 7

    public init() {}
}
