import LucasKanade

/// Where a target is looked for in one frame: where it was, where its velocity leads, and on a grid around.
struct TemplateSearch {
    /// The last frame's pose, or where a missed target coasted to.
    let warp: AffineWarp
    private let predicted: AffineWarp
    /// Of the target; lengths are in the units of ``TargetViewer``.
    private let size: Double
    private let reach: Int
    private let stepX, stepY: Double
    private let leapPenalty: Double

    init(
        warp: AffineWarp, velocity: (x: Double, y: Double), size: Double, reach: Int, stepX: Double, stepY: Double,
        leapPenalty: Double
    ) {
        self.warp = warp
        predicted = warp.moved(velocity.x, velocity.y)
        self.size = size
        self.reach = reach
        self.stepX = stepX
        self.stepY = stepY
        self.leapPenalty = leapPenalty
    }

    /// How far from the last pose starts lie, at most, along an axis.
    var radius: Double {
        max(Double(reach) * max(stepX, stepY), abs(predicted.tx - warp.tx), abs(predicted.ty - warp.ty))
    }

    /// Where the target was, and where its velocity leads.
    var likeliest: [AffineWarp] { [warp, predicted] }

    /// The poses to start from, the likeliest first.
    var starts: [AffineWarp] {
        var starts = likeliest
        for j in -reach...reach {
            for i in -reach...reach where i != 0 || j != 0 {
                starts.append(warp.moved(Double(i) * stepX, Double(j) * stepY))
            }
        }
        return starts
    }

    /// The best of several outcomes: by correlation, less what a leap costs.
    func best(_ results: [AlignmentResult]) -> AlignmentResult? { results.max { score($0) < score($1) } }

    /// Outcomes that did not come to rest at the same place, best first.
    func distinct(_ results: [AlignmentResult]) -> [AlignmentResult] {
        let apart = min(stepX, stepY) / 4
        var kept: [AlignmentResult] = []
        for result in results.sorted(by: { score($0) > score($1) })
        where kept.allSatisfy({ $0.warp.centerDistance(to: result.warp) > apart }) { kept.append(result) }
        return kept
    }

    /// How far an outcome lies from where the target was or was expected, whichever is nearer, in target sizes.
    func leap(_ result: AlignmentResult) -> Double {
        min(result.warp.centerDistance(to: warp), result.warp.centerDistance(to: predicted)) / max(size, 1)
    }

    private func score(_ result: AlignmentResult) -> Double { result.zncc - leapPenalty * leap(result) }
}
