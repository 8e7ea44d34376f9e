/// The scores of one target in an OTB one-pass evaluation (Wu, Lim, Yang, "Online object tracking: a benchmark", CVPR
/// 2013).
public struct OTBScore: Hashable, Sendable {
    /// Intersection over union of each scored frame; 0 where there is no result.
    public let overlaps: [Double]
    /// Distance of the centres in each scored frame, in pixels; infinite where there is no result.
    public let centerErrors: [Double]

    /// Overlap thresholds; a frame succeeds where it is strictly above.
    public static let thresholds: [Double] = (0...20).map { Double($0) / 20 }
    /// Distances of the precision plot, in pixels; a frame is precise where its centre is at most as far off.
    public static let distances: [Double] = (0...50).map(Double.init)
    /// The distance at which a single number stands for the precision plot, in pixels.
    public static let precisionRadius = 20.0

    /// Scores boxes against the truth, frame by frame from the first.
    ///
    /// Frames beyond the shorter of the two lists, and frames whose truth is `nil`, are not scored. A missing result
    /// (`nil`) overlaps nothing. Without a scored frame all scores are 0.
    public init(results: [Box?], truth: [Box?]) {
        var overlaps: [Double] = []
        var errors: [Double] = []
        for (result, truth) in zip(results, truth) {
            guard let truth else { continue }
            if let result, result.isFinite {
                overlaps.append(result.intersectionOverUnion(truth))
                errors.append(result.center.distance(to: truth.center))
            } else {
                overlaps.append(0)
                errors.append(.infinity)
            }
        }
        self.overlaps = overlaps
        centerErrors = errors
    }

    /// The frames of several runs as if they were one, as OTB does with the runs of its robustness evaluations.
    public init(pooling scores: [OTBScore]) {
        overlaps = scores.flatMap(\.overlaps)
        centerErrors = scores.flatMap(\.centerErrors)
    }

    /// How many frames were scored.
    public var frames: Int { overlaps.count }

    /// Share of frames whose overlap is above each of ``thresholds``.
    public var successCurve: [Double] {
        Self.thresholds.map { threshold in share(overlaps.count { $0 > threshold }) }
    }

    /// Share of frames whose centre is within each of ``distances``.
    public var precisionCurve: [Double] {
        Self.distances.map { distance in share(centerErrors.count { $0 <= distance }) }
    }

    /// Mean of ``successCurve``, 0 … 1.
    public var successAUC: Double { successCurve.reduce(0, +) / Double(Self.thresholds.count) }

    /// Share of frames whose centre is at most ``precisionRadius`` from the truth; 0 … 1.
    public var precision: Double { share(centerErrors.count { $0 <= Self.precisionRadius }) }

    private func share(_ count: Int) -> Double { Double(count) / Double(max(frames, 1)) }
}
