import LucasKanade

/// Aligns a target's templates: what fixes its position, scale and shape once it has been located.
///
/// Two templates make the bank. The recent one follows the target's appearance slowly and finds it; the first one never
/// changes and, where it still fits, takes back what the recent one has drifted (Matthews, Ishikawa, Baker, "The template
/// update problem", PAMI 2004).
struct ShapeAligner: Sendable {
    private let viewer: TargetViewer
    /// How much larger than at first the target may become.
    private let maximumScale: Double
    private let parameters: RobustTrackerParameters
    private let coarseToFine: CoarseToFineAligner
    private let affine: Aligner?
    private let judge: Aligner
    private let probe: Aligner
    private let first: TemplatePyramid
    private var recent: TemplatePyramid

    /// Where alignment left the target, and how well that fits.
    struct Fit {
        var warp: AffineWarp
        /// ZNCC of the recent and of the first template there.
        var correlation = 0.0
        var firstCorrelation = 0.0
        /// What the first template leaves unexplained, in grey levels or, where light is taken out, in deviations.
        var residual = 0.0
        var iterations = 0
        /// Whether alignment fits better than where it started.
        var isImproved = false
    }

    init(box: Box, in frame: PreparedFrame, options: TrackerOptions) {
        let parameters = options.robust
        self.parameters = parameters
        var viewOptions = options
        viewOptions.template.gridSide = parameters.gridSide
        viewOptions.template.minimumCoarseSide = parameters.minimumCoarseSide
        viewOptions.template.smoothing = parameters.smoothing
        viewOptions.template.normalizationRadius = parameters.normalizationRadius
        viewOptions.template.normalizationFloor = parameters.normalizationFloor
        viewer = TargetViewer(box: box, options: viewOptions)
        // No box grows far beyond the frame.
        let frameArea = Double(frame.gray.width * frame.gray.height)
        let room = (parameters.maximumArea * frameArea / (box.width * box.height)).squareRoot()
        maximumScale = min(parameters.maximumScale, max(room, 1))
        let warp = viewer.origin(of: box)
        let view = viewer.view(
            of: frame, around: warp, margin: parameters.regionMargin * max(viewer.width, viewer.height))
        first = TemplatePyramid(
            from: view.contrast, at: warp, width: viewer.width, height: viewer.height, levels: viewer.templateLevels,
            options: TemplateOptions(
                gridSide: parameters.gridSide, weightSigma: parameters.weightSigma,
                minimumDeviation: parameters.minimumDeviation))
        recent = first

        let alignment = AlignmentOptions(
            method: AlignmentMethod(options.aligner), motion: .similarity,
            photometry: options.illumination == .none ? .none : .gainAndBias,
            robust: .huber(k: parameters.huberThreshold), shapeDamping: parameters.shapeDamping,
            maximumIterations: options.maxIterations, epsilon: options.epsilon)
        // The coarsest level of several finds the position, the others scale and rotation too.
        let levels = viewer.templateLevels
        let finest: Motion = options.motion == .translation ? .translation : .similarity
        coarseToFine = CoarseToFineAligner(
            options: alignment,
            motions: (0..<levels).map { $0 > 0 && $0 == levels - 1 ? .translation : finest })
        var freed = alignment
        freed.motion = .affine
        affine = options.motion == .affine ? Aligner(options: freed) : nil
        var judging = alignment
        judging.robust = .none
        judge = Aligner(options: judging)
        var probing = alignment
        probing.motion = .translation
        probe = Aligner(options: probing)
    }

    /// Whether there is anything to align: a flat picture is not.
    var isUsable: Bool { first.status == .usable }

    // MARK: Between units and pixels

    func warp(of box: Box) -> AffineWarp { viewer.origin(of: box) }

    func map(_ warp: AffineWarp, ofBox box: Box) -> AffineMap { viewer.map(warp, ofBox: box) }

    func center(of warp: AffineWarp) -> Point {
        Point(x: warp.tx * viewer.unit + 0.5, y: warp.ty * viewer.unit + 0.5)
    }

    /// The same shape around another centre, which is in the frame's pixels.
    func moved(_ warp: AffineWarp, to center: Point) -> AffineWarp {
        AffineWarp(
            a: warp.a, b: warp.b, tx: (center.x - 0.5) / viewer.unit, c: warp.c, d: warp.d,
            ty: (center.y - 0.5) / viewer.unit)
    }

    func view(of frame: PreparedFrame, around warp: AffineWarp) -> TargetView {
        viewer.view(
            of: frame, around: warp,
            margin: parameters.regionMargin * max(viewer.width, viewer.height) * warp.scale)
    }

    // MARK: Alignment

    /// Aligns from where the target was located; the result stays close to that and to the last shape.
    func align(_ view: TargetView, from start: AffineWarp, last: AffineWarp, workspace: AlignmentWorkspace) -> Fit {
        var fit = Fit(warp: start)
        guard isUsable else { return fit }
        let before = judge.evaluate(recent.levels[0], in: view.contrast, at: start, workspace: workspace)
        guard before.isUsable else { return fit }
        fit.correlation = before.zncc
        let result = coarseToFine.align(recent, to: view.contrast, from: start, workspace: workspace)
        fit.iterations = result.iterations
        if let better = improved(recent, result, over: fit, gain: 0, view, start, last, workspace) { fit = better }
        if fit.isImproved, let affine {
            let result = affine.align(recent.levels[0], to: view.contrast, from: fit.warp, workspace: workspace)
            fit.iterations += result.iterations
            if let better = improved(
                recent, result, over: fit, gain: parameters.affineGain, view, start, last, workspace)
            {
                fit = better
            }
        }
        anchor(&fit, view, start, last, workspace)
        return fit
    }

    /// Drift correction: where the first template fits nearby, its pose is the better one.
    private func anchor(
        _ fit: inout Fit, _ view: TargetView, _ start: AffineWarp, _ last: AffineWarp, _ workspace: AlignmentWorkspace
    ) {
        let here = judge.evaluate(first.levels[0], in: view.contrast, at: fit.warp, workspace: workspace)
        guard here.isUsable else { return }
        fit.firstCorrelation = here.zncc
        fit.residual = here.rms.isFinite ? here.rms : 0
        guard here.zncc > parameters.anchorCorrelation else { return }
        let result = coarseToFine.align(first, to: view.contrast, from: fit.warp, workspace: workspace)
        fit.iterations += result.iterations
        guard result.isUsable, isPlausible(result.warp, start: start, last: last),
            result.warp.maximumCornerDistance(to: fit.warp, width: viewer.width, height: viewer.height)
                < parameters.anchorDistance * size(fit.warp)
        else { return }
        let judged = judge.evaluate(first.levels[0], in: view.contrast, at: result.warp, workspace: workspace)
        guard judged.isUsable, judged.zncc > here.zncc else { return }
        fit.warp = result.warp
        fit.firstCorrelation = judged.zncc
        fit.residual = judged.rms.isFinite ? judged.rms : 0
        fit.isImproved = true
    }

    private func improved(
        _ template: TemplatePyramid, _ result: AlignmentResult, over fit: Fit, gain: Double, _ view: TargetView,
        _ start: AffineWarp, _ last: AffineWarp, _ workspace: AlignmentWorkspace
    ) -> Fit? {
        guard result.isUsable, isPlausible(result.warp, start: start, last: last) else { return nil }
        // Judged without robust weights: what is left out must not make a fit look good.
        let judged = judge.evaluate(template.levels[0], in: view.contrast, at: result.warp, workspace: workspace)
        guard judged.isUsable, judged.zncc > fit.correlation + gain * (1 - fit.correlation),
            judged.zncc > parameters.alignedCorrelation
        else { return nil }
        var better = fit
        better.warp = result.warp
        better.correlation = judged.zncc
        better.isImproved = true
        return better
    }

    private func size(_ warp: AffineWarp) -> Double { (viewer.width * viewer.height).squareRoot() * warp.scale }

    private func isPlausible(_ warp: AffineWarp, start: AffineWarp, last: AffineWarp) -> Bool {
        guard warp.isFinite, warp.determinant > 0 else { return false }
        func isBounded(_ ratio: Double, _ bound: Double) -> Bool { ratio < bound && ratio > 1 / bound }
        let (axes, lastAxes) = (warp.axes, last.axes)
        let (aspect, lastAspect) = (axes.horizontal / axes.vertical, lastAxes.horizontal / lastAxes.vertical)
        return isBounded(warp.scale / last.scale, parameters.maximumScaleStep)
            && warp.scale < maximumScale && warp.scale > 1 / parameters.maximumScale
            && isBounded(aspect, parameters.maximumAspect)
            && isBounded(aspect / lastAspect, parameters.maximumAspectStep)
            && abs(axes.cosine) < parameters.maximumSkew
            && warp.centerDistance(to: start) < parameters.maximumAlignmentMove * size(last)
    }

    // MARK: Verification and update

    /// How well the recent template fits near a place, in the half resolution that forgives some deformation.
    ///
    /// - Returns: its correlation (ZNCC), `nil` where there is no texture to align.
    func opinion(_ view: TargetView, at warp: AffineWarp, workspace: AlignmentWorkspace) -> Double? {
        guard isUsable else { return nil }
        let result = probe.align(
            recent.levels[min(1, recent.levels.count - 1)], to: view.contrast, from: warp, workspace: workspace)
        return result.isUsable ? result.zncc : 0
    }

    /// Forward-backward error (Kalal, Mikolajczyk, Matas, ICPR 2010): how far from where it was the target ends up when
    /// its picture of now is looked for in the frame before, in pixels.
    func forwardBackwardError(
        _ view: TargetView, _ warp: AffineWarp, before: TargetView, _ last: AffineWarp, workspace: AlignmentWorkspace
    ) -> Double? {
        guard isUsable else { return nil }
        let coarse = first.levels[min(1, first.levels.count - 1)]
        let picture = coarse.updated(from: view.contrast, at: warp, rate: 1, workspace: workspace)
        let result = probe.align(picture, to: before.contrast, from: last, workspace: workspace)
        return result.isUsable ? result.warp.centerDistance(to: last) * viewer.unit : nil
    }

    /// The recent template takes over some of what is seen at `warp`.
    mutating func update(_ view: TargetView, at warp: AffineWarp, workspace: AlignmentWorkspace) {
        guard isUsable else { return }
        recent = recent.updated(from: view.contrast, at: warp, rate: parameters.updateRate, workspace: workspace)
    }
}
