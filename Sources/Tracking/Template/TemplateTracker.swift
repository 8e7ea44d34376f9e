import LucasKanade

/// Follows one target by aligning templates: one that adapts, held to its place by the first one.
///
/// Each frame: predict, align, correct the drift, verify, update; and where the target is not found, coast and search.
struct TemplateTracker: TargetTracker {
    private let box: Box
    private let matcher: TemplateMatcher
    private let onLost: TrackerOptions.OnLost
    /// What the target looked like where its box was drawn. Never changes.
    private let first: TemplatePyramid
    /// What it looked like lately.
    private var recent: TemplatePyramid
    /// Template-local coordinates to the last frame's.
    private var warp: AffineWarp
    /// Pixels a frame.
    private var velocity = (x: 0.0, y: 0.0)
    /// Frames since the target was last found.
    private var missed = 0
    private var confidence = TemplateConfidence()

    private var parameters: TemplateTrackerParameters { matcher.parameters }

    init(box: Box, in frame: PreparedFrame, options: TrackerOptions) {
        self.box = box
        onLost = options.onLost
        matcher = TemplateMatcher(box: box, options: options)
        warp = .origin(of: box)
        let pyramid = matcher.pyramid(of: frame, around: warp, reach: 0)
        first = matcher.template(from: pyramid, at: warp)
        recent = first
    }

    mutating func track(_ frame: PreparedFrame) -> TargetEstimate {
        let isLost = missed > parameters.coastingFrames
        if first.status == .usable, !(isLost && onLost == .stop), let pose = find(in: frame) {
            return accept(pose, in: frame)
        }
        return miss(in: frame)
    }

    // MARK: Finding

    private func find(in frame: PreparedFrame) -> TemplatePose? {
        let predicted = warp.moved(velocity.x, velocity.y)
        let way = predicted.centerDistance(to: warp)
        let pyramid = matcher.pyramid(of: frame, around: warp, reach: way)
        var starts = [warp]
        if way > parameters.velocityStart * matcher.size(under: warp) { starts.append(predicted) }
        let required = missed == 0 ? parameters.foundCorrelation : parameters.recoveredCorrelation
        let poses = starts.compactMap { start in
            pose(in: pyramid, from: start, workspace: frame.workspace)
        }
        let total = poses.reduce(0) { $0 + $1.iterations }
        if var best = poses.filter({ $0.correlation > required }).max(by: { $0.correlation < $1.correlation }) {
            best.iterations = total
            return corrected(best, in: pyramid, workspace: frame.workspace)
        }
        guard missed > 0, onLost == .search else { return nil }
        return search(in: frame)
    }

    /// Aligns the template in use; `nil` where that ran away or leaped.
    private func pose(in pyramid: Pyramid, from start: AffineWarp, workspace: AlignmentWorkspace) -> TemplatePose? {
        guard let result = matcher.align(recent, to: pyramid, from: start, workspace: workspace) else { return nil }
        let change = result.warp.scale / warp.scale
        // While the target is missed its scale may go on changing.
        let bound = parameters.maximumScaleChange
        guard change < bound, change > 1 / bound,
            result.warp.centerDistance(to: start) < parameters.maximumMove * matcher.size(under: warp)
        else { return nil }
        return TemplatePose(
            warp: result.warp, correlation: result.zncc, residual: result.rms, iterations: result.iterations)
    }

    /// Drift correction: the first template is aligned from the pose that was found. Where it comes to rest nearby, its
    /// pose is the better one, because it does not drift.
    private func corrected(
        _ pose: TemplatePose, in pyramid: Pyramid, workspace: AlignmentWorkspace
    ) -> TemplatePose {
        guard let anchored = matcher.align(first, to: pyramid, from: pose.warp, workspace: workspace) else {
            return pose
        }
        var corrected = pose
        corrected.iterations += anchored.iterations
        corrected.firstCorrelation = anchored.zncc
        let distance = anchored.warp.maximumCornerDistance(
            to: pose.warp, width: matcher.width, height: matcher.height)
        let size = matcher.size(under: pose.warp)
        if distance < parameters.agreementDistance * size, anchored.zncc > parameters.agreementCorrelation {
            corrected.warp = anchored.warp
            corrected.agrees = true
        }
        return corrected
    }

    /// Tries a grid of starts around the expected position; it grows while the target is missed.
    private func search(in frame: PreparedFrame) -> TemplatePose? {
        let reach = min(1 + missed / parameters.searchGrowth, parameters.searchReach)
        let stepX = parameters.searchStep * matcher.width * warp.scale
        let stepY = parameters.searchStep * matcher.height * warp.scale
        let pyramid = matcher.pyramid(of: frame, around: warp, reach: Double(reach) * max(stepX, stepY))
        var scouted: [AlignmentResult] = []
        for j in -reach...reach {
            for i in -reach...reach {
                let start = warp.moved(Double(i) * stepX, Double(j) * stepY)
                if let result = matcher.scout(recent, in: pyramid, from: start, workspace: frame.workspace) {
                    scouted.append(result)
                }
            }
        }
        scouted.sort { $0.zncc > $1.zncc }
        let iterations = scouted.reduce(0) { $0 + $1.iterations }
        let poses = scouted.prefix(parameters.searchCandidates).compactMap { candidate in
            pose(in: pyramid, from: candidate.warp, workspace: frame.workspace)
        }
        guard var best = poses.max(by: { $0.correlation < $1.correlation }),
            best.correlation > parameters.recoveredCorrelation
        else { return nil }
        best.iterations += iterations
        return corrected(best, in: pyramid, workspace: frame.workspace)
    }

    // MARK: What follows

    private mutating func accept(_ pose: TemplatePose, in frame: PreparedFrame) -> TargetEstimate {
        // A target that was just found again has no velocity that means anything.
        velocity = missed == 0 ? (pose.warp.tx - warp.tx, pose.warp.ty - warp.ty) : (0, 0)
        missed = 0
        warp = pose.warp
        let rate = pose.agrees ? parameters.updateRate : parameters.driftingUpdateRate
        if rate > 0 {
            let pyramid = matcher.pyramid(of: frame, around: warp, reach: 0)
            recent = recent.updated(from: pyramid, at: warp, rate: rate, workspace: frame.workspace)
        }
        return estimate(
            isInside(frame) ? .tracked : .outOfFrame, confidence: confidence.found(pose), pose: pose)
    }

    private mutating func miss(in frame: PreparedFrame) -> TargetEstimate {
        missed += 1
        let isLost = missed > parameters.coastingFrames
        if isInside(frame) && !(isLost && onLost != .search) {
            velocity = (velocity.x * parameters.velocityDecay, velocity.y * parameters.velocityDecay)
            warp = warp.moved(velocity.x, velocity.y)
        }
        let state: TargetEstimate.State = !isInside(frame) ? .outOfFrame : isLost ? .lost : .coasting
        return estimate(state, confidence: confidence.missed(missed), pose: TemplatePose(warp: warp))
    }

    private func isInside(_ frame: PreparedFrame) -> Bool {
        Box(x: 0, y: 0, width: Double(frame.gray.width), height: Double(frame.gray.height))
            .contains(Point(x: warp.tx + 0.5, y: warp.ty + 0.5))
    }

    private func estimate(
        _ state: TargetEstimate.State, confidence: Double, pose: TemplatePose
    ) -> TargetEstimate {
        let map = pose.warp.map(ofBox: box)
        return TargetEstimate(
            box: map.uprightBox(of: box), quad: map.apply(box.quad), affine: map, state: state,
            confidence: confidence, zncc: pose.correlation, residual: pose.residual, iterations: pose.iterations,
            isKeyframe: false)
    }
}
