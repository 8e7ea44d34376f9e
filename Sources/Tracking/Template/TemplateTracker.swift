import LucasKanade

/// Follows one target by aligning templates: one that adapts, held to its place by the first one.
///
/// Each frame: look around, align, correct the drift, refine, update; and where the target is not found, coast and look
/// further around.
struct TemplateTracker: TargetTracker {
    private let box: Box
    private let viewer: TargetViewer
    private let matcher: TemplateMatcher
    private let parameters: TemplateTrackerParameters
    private let onLost: TrackerOptions.OnLost
    /// What the target looked like where its box was drawn. Never changes.
    private let first: TargetTemplates
    /// What it looked like lately.
    private var recent: TemplatePyramid
    /// Template-local coordinates to the last frame's.
    private var warp: AffineWarp
    /// Units a frame.
    private var velocity = (x: 0.0, y: 0.0)
    /// Running mean of the correlation in the frames in which the target was found.
    private var usualCorrelation = 0.0
    /// Frames since the target was last found.
    private var missed = 0

    init(box: Box, in frame: PreparedFrame, options: TrackerOptions) {
        self.box = box
        parameters = options.template
        onLost = options.onLost
        viewer = TargetViewer(box: box, options: options)
        matcher = TemplateMatcher(viewer: viewer, options: options)
        warp = viewer.origin(of: box)
        let margin = parameters.regionMargin * max(viewer.width, viewer.height)
        let view = viewer.view(of: frame, around: warp, margin: margin)
        first = matcher.templates(from: view, gray: viewer.gray(of: view), at: warp)
        recent = first.contrast
    }

    mutating func track(_ frame: PreparedFrame) -> TargetEstimate {
        if first.gray.status == .usable, isLookedFor, let estimate = find(in: frame) { return estimate }
        return miss(in: frame)
    }

    /// A target that is lost is looked for now and then only: it has been gone for a while, and a wide search costs more
    /// than following.
    private var isLookedFor: Bool {
        guard isLost else { return true }
        let interval = missed < parameters.searchPatience ? parameters.searchInterval : parameters.patientSearchInterval
        return onLost != .stop && missed % interval == 0
    }

    private var isLost: Bool { missed > parameters.coastingFrames }

    // MARK: Finding

    private mutating func find(in frame: PreparedFrame) -> TargetEstimate? {
        let search = TemplateSearch(
            warp: warp, velocity: velocity, size: matcher.size(under: warp), reach: searchReach,
            stepX: parameters.searchStep * viewer.width * warp.scale,
            stepY: parameters.searchStep * viewer.height * warp.scale, leapPenalty: parameters.leapPenalty)
        let side = max(viewer.width, viewer.height) * warp.scale
        let margin = max(parameters.regionMargin * side, parameters.minimumRegionMargin) + search.radius
        let view = viewer.view(of: frame, around: warp, margin: margin)
        guard var pose = located(by: search, in: view, workspace: frame.workspace) else { return nil }
        correct(&pose, in: view, workspace: frame.workspace)
        refine(&pose, in: viewer.gray(of: view), workspace: frame.workspace)
        accept(pose, in: view, workspace: frame.workspace)
        let state: TargetEstimate.State = viewer.isInside(warp, frame) ? .tracked : .outOfFrame
        return estimate(state, confidence: TemplateConfidence.found(pose), pose: pose)
    }

    /// How many steps around the expected position are searched.
    private var searchReach: Int {
        guard missed > 0, onLost == .search else { return parameters.scoutReach }
        return min(parameters.scoutReach + missed / parameters.searchGrowth, parameters.searchReach)
    }

    /// What a pose has to reach: a target that usually fits well is not the one that fits just passably. The farther a
    /// missed target is looked for, the more places there are that could resemble it by chance.
    private func requiredCorrelation(leap: Double) -> Double {
        guard missed > 0 else {
            return max(parameters.foundCorrelation, parameters.foundShare * usualCorrelation)
        }
        return max(parameters.recoveredCorrelation, parameters.recoveredShare * usualCorrelation)
            + parameters.leapRequirement * min(leap, 1)
    }

    /// The template in use is aligned from where the target was or was expected, and where that does not fit as well as
    /// usual, from further around. The shape stays what it was: an adaptive template would let it wander.
    private func located(
        by search: TemplateSearch, in view: TargetView, workspace: AlignmentWorkspace
    ) -> TemplatePose? {
        var spent = 0
        if missed == 0, let near = scout(search.likeliest, search, in: view, candidates: 1, workspace, &spent),
            near.zncc > parameters.sureShare * usualCorrelation, search.leap(near) < parameters.sureLeap
        {
            return TemplatePose(warp: near.warp, correlation: near.zncc, iterations: spent)
        }
        guard
            let best = scout(
                search.starts, search, in: view, candidates: parameters.searchCandidates, workspace, &spent)
        else { return nil }
        return TemplatePose(warp: best.warp, correlation: best.zncc, iterations: spent)
    }

    /// The template in use is scouted for from many starts, and aligned from the best few. `nil` where none fits.
    private func scout(
        _ starts: [AffineWarp], _ search: TemplateSearch, in view: TargetView, candidates count: Int,
        _ workspace: AlignmentWorkspace, _ spent: inout Int
    ) -> AlignmentResult? {
        let scouted = starts.compactMap { matcher.scout(recent, in: view.contrast, from: $0, workspace: workspace) }
        // Where the coarsest level has nothing to hold on to, the finer ones still may.
        let candidates = scouted.isEmpty ? search.likeliest : search.distinct(scouted).map(\.warp)
        let aligned = candidates.prefix(count).compactMap {
            matcher.align(recent, to: view.contrast, from: $0, freesShape: false, last: warp, workspace: workspace)
        }
        spent += (scouted + aligned).reduce(0) { $0 + $1.iterations }
        return search.best(aligned.filter { $0.zncc > requiredCorrelation(leap: search.leap($0)) })
    }

    /// Drift correction: the first template is aligned from the pose that was found. Where it comes to rest nearby, its
    /// pose is the better one, because it does not drift.
    private func correct(_ pose: inout TemplatePose, in view: TargetView, workspace: AlignmentWorkspace) {
        guard
            let result = matcher.align(
                first.contrast, to: view.contrast, from: pose.warp, freesShape: true, last: warp,
                workspace: workspace)
        else { return }
        pose.iterations += result.iterations
        pose.firstCorrelation = result.zncc
        guard result.zncc > parameters.agreementCorrelation,
            matcher.disagreement(result.warp, pose.warp) < parameters.agreementDistance
        else { return }
        pose.warp = result.warp
        pose.agrees = true
    }

    /// Local normalisation looks beyond the box and so is pulled a little by what passes behind the target; where the
    /// light allows, the grey levels of the first template have the last word.
    private func refine(_ pose: inout TemplatePose, in gray: Pyramid, workspace: AlignmentWorkspace) {
        if viewer.isNormalized, pose.agrees,
            let result = matcher.refine(
                first.gray, in: gray, from: pose.warp, last: warp, workspace: workspace)
        {
            pose.iterations += result.iterations
            if result.zncc > parameters.refinementCorrelation,
                matcher.disagreement(result.warp, pose.warp) < parameters.refinementDistance
            {
                pose.warp = result.warp
            }
        }
        let fit = matcher.evaluate(first.gray, in: gray, at: pose.warp, workspace: workspace)
        pose.residual = fit.map { $0.rms.isFinite ? $0.rms : 0 } ?? 0
    }

    // MARK: What follows

    private mutating func accept(_ pose: TemplatePose, in view: TargetView, workspace: AlignmentWorkspace) {
        // A target that was just found again has no velocity that means anything.
        velocity = missed == 0 ? (pose.warp.tx - warp.tx, pose.warp.ty - warp.ty) : (0, 0)
        missed = 0
        let rate = usualCorrelation == 0 ? 1 : parameters.usualCorrelationRate
        usualCorrelation += rate * (pose.correlation - usualCorrelation)
        warp = pose.warp
        let share = pose.agrees ? parameters.updateRate : parameters.driftingUpdateRate
        if share > 0 { recent = recent.updated(from: view.contrast, at: warp, rate: share, workspace: workspace) }
    }

    private mutating func miss(in frame: PreparedFrame) -> TargetEstimate {
        missed += 1
        // The longer it is missed, the likelier it is that the target has changed.
        usualCorrelation *= parameters.usualCorrelationDecay
        if viewer.isInside(warp, frame), !isLost || onLost == .search {
            velocity = (velocity.x * parameters.velocityDecay, velocity.y * parameters.velocityDecay)
            warp = warp.moved(velocity.x, velocity.y)
        }
        let state: TargetEstimate.State =
            !viewer.isInside(warp, frame) ? .outOfFrame : isLost ? .lost : .coasting
        let isCoasting = state == .coasting && first.gray.status == .usable
        return estimate(
            state, confidence: isCoasting ? TemplateConfidence.coasted(missed) : 0, pose: TemplatePose(warp: warp))
    }

    private func estimate(
        _ state: TargetEstimate.State, confidence: Double, pose: TemplatePose
    ) -> TargetEstimate {
        let map = viewer.map(pose.warp, ofBox: box)
        return TargetEstimate(
            box: map.uprightBox(of: box), quad: map.apply(box.quad), affine: map, state: state,
            confidence: confidence, zncc: pose.correlation, residual: pose.residual, iterations: pose.iterations,
            isKeyframe: false)
    }
}
