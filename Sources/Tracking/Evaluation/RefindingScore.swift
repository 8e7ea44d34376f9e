/// How often a tracker let go of its target, and how often it took it up again.
///
/// Only frames with a truth count. A target is **lost** from the frame on in which its box has had an overlap of at most
/// ``missedOverlap`` for ``missedFrames`` scored frames in a row, or in which the tracker reports
/// ``TargetEstimate/State/lost`` (a tracker that is silent is as far from the target as one that is wrong). It is
/// **re-found** in the first frame after that which is reported ``TargetEstimate/State/tracked`` and has an overlap above
/// ``foundOverlap``; what lies between neither ends a loss nor starts another. A run may lose its target several times.
public struct RefindingScore: Hashable, Sendable {
    public var lost: Int
    /// At most ``lost``.
    public var refound: Int

    /// A box with no more overlap has missed its target.
    public static let missedOverlap = 0.1
    /// So many misses in a row are a loss.
    public static let missedFrames = 5
    /// A box with more overlap has found its target.
    public static let foundOverlap = 0.5

    public init(lost: Int = 0, refound: Int = 0) {
        self.lost = lost
        self.refound = refound
    }

    /// Scores one run, frame by frame from the first; a missing estimate (`nil`) overlaps nothing.
    public init(estimates: [TargetEstimate?], truth: [Box?]) {
        self.init()
        var isLost = false
        var missed = 0
        for (estimate, truth) in zip(estimates, truth) {
            guard let truth else { continue }
            let overlap = estimate?.overlap(with: truth) ?? 0
            if isLost {
                guard estimate?.state == .tracked, overlap > Self.foundOverlap else { continue }
                refound += 1
                (isLost, missed) = (false, 0)
            } else {
                missed = overlap <= Self.missedOverlap ? missed + 1 : 0
                guard missed >= Self.missedFrames || estimate?.state == .lost else { continue }
                lost += 1
                isLost = true
            }
        }
    }

    /// Share of the losses that ended, 0 … 1; `nil` where nothing was lost.
    public var share: Double? { lost > 0 ? Double(refound) / Double(lost) : nil }

    public static func + (a: RefindingScore, b: RefindingScore) -> RefindingScore {
        RefindingScore(lost: a.lost + b.lost, refound: a.refound + b.refound)
    }
}

extension TargetEstimate {
    /// Intersection over union of the box; 0 where it is not finite.
    func overlap(with truth: Box) -> Double { box.isFinite ? box.intersectionOverUnion(truth) : 0 }
}
