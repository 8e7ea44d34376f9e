/// How far a tracker's word about itself can be relied on: its confidence, and its state `tracked`.
///
/// Scored are the frames that have a truth and an estimate, without those whose box was given (the first one).
public struct ReliabilityScore: Hashable, Sendable {
    /// The frames whose confidence lies in one tenth of 0 … 1.
    public struct Bin: Hashable, Sendable {
        public var frames = 0
        /// Of ``frames``, those whose overlap is at least ``ReliabilityScore/correctOverlap``.
        public var correct = 0
        var confidenceSum = 0.0

        public init() {}

        /// Mean confidence; 0 without frames.
        public var confidence: Double { confidenceSum / Double(max(frames, 1)) }
        /// Share of correct frames; 0 without frames.
        public var accuracy: Double { Double(correct) / Double(max(frames, 1)) }
    }

    /// Equally wide, from confidence 0 up; 1 belongs to the last.
    public private(set) var bins = [Bin](repeating: Bin(), count: binCount)
    /// Frames reported as tracked.
    public private(set) var tracked = 0
    /// Of ``tracked``, those whose overlap is above ``heldOverlap``.
    public private(set) var held = 0

    public static let binCount = 10
    /// Confidence speaks of an overlap of at least this.
    public static let correctOverlap = 0.5
    /// A frame reported as tracked holds its target where its overlap is above this.
    public static let heldOverlap = 0.3

    public init() {}

    /// Scores one run, frame by frame from the first.
    public init(estimates: [TargetEstimate?], truth: [Box?]) {
        for case (let estimate?, let truth?) in zip(estimates, truth) where !estimate.isKeyframe {
            add(estimate, overlap: estimate.overlap(with: truth))
        }
    }

    private mutating func add(_ estimate: TargetEstimate, overlap: Double) {
        let confidence = estimate.confidence.isFinite ? min(max(estimate.confidence, 0), 1) : 0
        let index = min(Int(confidence * Double(Self.binCount)), Self.binCount - 1)
        bins[index].frames += 1
        bins[index].confidenceSum += confidence
        if overlap >= Self.correctOverlap { bins[index].correct += 1 }
        guard estimate.state == .tracked else { return }
        tracked += 1
        if overlap > Self.heldOverlap { held += 1 }
    }

    public var frames: Int { bins.reduce(0) { $0 + $1.frames } }

    /// Expected calibration error, 0 … 1: the mean over all frames of how far the share of correct frames in a frame's
    /// bin lies from the bin's mean confidence (Naeini, Cooper, Hauskrecht, "Obtaining well calibrated probabilities
    /// using Bayesian binning", AAAI 2015). 0 without frames.
    public var calibrationError: Double {
        let sum = bins.reduce(0) { $0 + Double($1.frames) * ($1.accuracy - $1.confidence).magnitude }
        return sum / Double(max(frames, 1))
    }

    /// How far the promise "of the frames with a confidence of at least c, the share that is correct is at least c" is
    /// missed, at worst over c = 0.1, 0.2 … 0.9: that c less the share, at least 0. A c that fewer frames than
    /// ``leastFrames`` reach is left out.
    public var overconfidence: Double {
        var (frames, correct, worst) = (0, 0, 0.0)
        for index in bins.indices.reversed() where index > 0 {
            frames += bins[index].frames
            correct += bins[index].correct
            guard frames >= Self.leastFrames else { continue }
            let promised = Double(index) / Double(Self.binCount)
            worst = max(worst, promised - Double(correct) / Double(frames))
        }
        return worst
    }

    /// Fewer frames say nothing about a share.
    public static let leastFrames = 20

    /// Share of the frames reported as tracked that hold their target; `nil` where none was.
    public var heldShare: Double? { tracked > 0 ? Double(held) / Double(tracked) : nil }

    public static func + (a: ReliabilityScore, b: ReliabilityScore) -> ReliabilityScore {
        var sum = a
        for (index, bin) in b.bins.enumerated() {
            sum.bins[index].frames += bin.frames
            sum.bins[index].correct += bin.correct
            sum.bins[index].confidenceSum += bin.confidenceSum
        }
        sum.tracked += b.tracked
        sum.held += b.held
        return sum
    }
}
