import LucasKanade

/// Finds templates of one target in pictures: what does not change from frame to frame. Lengths are in the units of
/// ``TargetViewer``.
struct TemplateMatcher: Sendable {
    private let width, height: Double
    private let parameters: TemplateTrackerParameters
    private let templateLevels: Int
    private let templateOptions: TemplateOptions
    /// Moves a template of one level.
    private let scout: Aligner
    /// Brings a template into place, coarse to fine: its position only.
    private let coarseToFine: CoarseToFineAligner
    /// The same with scale and rotation; `nil` where the motion leaves them out.
    private let similarity: CoarseToFineAligner?
    /// Frees the shape on the finest level; `nil` where the motion leaves it out.
    private let affine: Aligner?
    /// Frees whatever the motion allows on the finest level.
    private let polish: Aligner

    init(viewer: TargetViewer, options: TrackerOptions) {
        parameters = options.template
        (width, height) = (viewer.width, viewer.height)
        let templateLevels = viewer.templateLevels
        self.templateLevels = templateLevels
        templateOptions = TemplateOptions(
            gridSide: parameters.gridSide, weightSigma: parameters.weightSigma,
            minimumDeviation: parameters.minimumDeviation)

        // What is refined afterwards need not come to rest first.
        let approach = max(options.epsilon, parameters.approachEpsilon)
        func alignment(_ motion: Motion, epsilon: Double) -> AlignmentOptions {
            AlignmentOptions(
                method: AlignmentMethod(options.aligner), motion: motion,
                photometry: options.illumination == .none ? .none : .gainAndBias,
                robust: options.template.huberThreshold > 0 ? .huber(k: options.template.huberThreshold) : .none,
                shapeDamping: options.template.shapeDamping, maximumIterations: options.maxIterations,
                epsilon: epsilon)
        }
        // A scout only has to tell which starts lead somewhere: a few plain steps do.
        var scouting = alignment(.translation, epsilon: approach)
        scouting.robust = .none
        scouting.maximumIterations = min(parameters.scoutIterations, options.maxIterations)
        scout = Aligner(options: scouting)
        coarseToFine = CoarseToFineAligner(options: alignment(.translation, epsilon: approach), motions: [.translation])
        // The coarsest level of several finds the position, the others scale and rotation too.
        let motions: [Motion] = (0..<templateLevels).map { level in
            level > 0 && level == templateLevels - 1 ? .translation : .similarity
        }
        similarity =
            options.motion == .translation
            ? nil : CoarseToFineAligner(options: alignment(.similarity, epsilon: approach), motions: motions)
        affine = options.motion == .affine ? Aligner(options: alignment(.affine, epsilon: options.epsilon)) : nil
        polish = Aligner(options: alignment(Motion(options.motion), epsilon: options.epsilon))
    }

    /// Geometric mean of the target's sides under a warp.
    func size(under warp: AffineWarp) -> Double { (width * height).squareRoot() * warp.scale }

    /// How far the farthest corner of the target lies from where another warp puts it, as a share of its size.
    func disagreement(_ warp: AffineWarp, _ other: AffineWarp) -> Double {
        warp.maximumCornerDistance(to: other, width: width, height: height) / size(under: other)
    }

    /// What the target looks like under a warp.
    func templates(from view: TargetView, gray: Pyramid, at warp: AffineWarp) -> TargetTemplates {
        var grayOptions = templateOptions
        grayOptions.gridSide = parameters.refinementGridSide
        return TargetTemplates(
            contrast: TemplatePyramid(
                from: view.contrast, at: warp, width: width, height: height, levels: templateLevels,
                options: templateOptions),
            gray: TemplatePyramid(
                from: gray, at: warp, width: width, height: height, levels: 1, options: grayOptions))
    }

    /// Moves the coarsest level only: cheap, for many starts. `nil` where it ran away.
    func scout(
        _ template: TemplatePyramid, in pyramid: Pyramid, from start: AffineWarp, workspace: AlignmentWorkspace
    ) -> AlignmentResult? {
        guard let coarsest = template.levels.last else { return nil }
        let result = scout.align(coarsest, to: pyramid, from: start, workspace: workspace)
        return result.isUsable ? result : nil
    }

    /// Aligns a template from a start, and reports how well it fits where it came to rest. `nil` where it ran away.
    ///
    /// Freedom is given step by step. Where scale and rotation come out as nothing that can have happened since the
    /// last frame, the position alone is aligned; the shape is kept only where it is plausible and improves the fit.
    ///
    /// - Parameters:
    ///   - freesShape: whether the affine shape may change, where the motion allows it.
    ///   - last: the pose of the last frame.
    func align(
        _ template: TemplatePyramid, to pyramid: Pyramid, from start: AffineWarp, freesShape: Bool, last: AffineWarp,
        workspace: AlignmentWorkspace
    ) -> AlignmentResult? {
        var spent = 0
        var best: AlignmentResult?
        if let similarity {
            let result = similarity.align(template, to: pyramid, from: start, workspace: workspace)
            spent += result.iterations
            if result.isUsable, isPlausible(result.warp, after: last) { best = result }
        }
        if best == nil {
            let result = coarseToFine.align(template, to: pyramid, from: start, workspace: workspace)
            spent += result.iterations
            if result.isUsable { best = result }
        }
        if freesShape, let affine, let found = best, let finest = template.levels.first {
            let result = affine.align(finest, to: pyramid, from: found.warp, workspace: workspace)
            spent += result.iterations
            if result.isUsable, result.zncc > found.zncc, isPlausible(result.warp, after: last) { best = result }
        }
        best?.iterations = spent
        return best
    }

    /// The finest level of a template from where it all but lies. `nil` where that ran away or came out as nothing that
    /// can have happened since the last frame.
    func refine(
        _ template: TemplatePyramid, in pyramid: Pyramid, from start: AffineWarp, last: AffineWarp,
        workspace: AlignmentWorkspace
    ) -> AlignmentResult? {
        guard let finest = template.levels.first else { return nil }
        let result = polish.align(finest, to: pyramid, from: start, workspace: workspace)
        return result.isUsable && isPlausible(result.warp, after: last) ? result : nil
    }

    /// How well the finest level of a template fits where it is.
    func evaluate(
        _ template: TemplatePyramid, in pyramid: Pyramid, at warp: AffineWarp, workspace: AlignmentWorkspace
    ) -> AlignmentResult? {
        template.levels.first.map { polish.evaluate($0, in: pyramid, at: warp, workspace: workspace) }
    }

    /// Whether a shape is one that the target may have come to have, and may have come to have in one frame.
    private func isPlausible(_ warp: AffineWarp, after last: AffineWarp) -> Bool {
        guard warp.isFinite, warp.determinant > 0 else { return false }
        func isBounded(_ ratio: Double, _ bound: Double) -> Bool { ratio < bound && ratio > 1 / bound }
        let (axes, lastAxes) = (warp.axes, last.axes)
        let aspect = axes.horizontal / axes.vertical
        let lastAspect = lastAxes.horizontal / lastAxes.vertical
        return isBounded(aspect, parameters.maximumAspect) && abs(axes.cosine) < parameters.maximumSkew
            && isBounded(warp.scale / last.scale, parameters.maximumScaleStep)
            && isBounded(aspect / lastAspect, parameters.maximumAspectStep)
            && abs(axes.cosine - lastAxes.cosine) < parameters.maximumSkewStep
    }
}

extension AlignmentResult {
    /// Whether the warp means anything.
    var isUsable: Bool { (status == .converged || status == .maxIterations) && zncc.isFinite && warp.isFinite }
}

extension AlignmentMethod {
    init(_ aligner: TrackerOptions.Aligner) {
        switch aligner {
        case .forwardAdditive: self = .forwardAdditive
        case .inverseCompositional: self = .inverseCompositional
        case .esm: self = .esm
        }
    }
}

extension Motion {
    init(_ motion: TrackerOptions.Motion) {
        switch motion {
        case .translation: self = .translation
        case .similarity: self = .similarity
        case .affine: self = .affine
        }
    }
}
