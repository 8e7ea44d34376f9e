import LucasKanade

/// Finds templates of one target in pictures: what does not change from frame to frame.
struct TemplateMatcher: Sendable {
    /// The box's sides where it was drawn, in pixels.
    let width, height: Double
    let parameters: TemplateTrackerParameters
    private let templateLevels: Int
    private let pyramidOptions: PyramidOptions
    private let templateOptions: TemplateOptions
    /// Brings a template into place, coarse to fine.
    private let coarseToFine: CoarseToFineAligner
    /// Frees the shape on the finest level afterwards; `nil` where the motion has none to free.
    private let polish: Aligner?
    /// Moves the coarsest template only.
    private let scout: Aligner

    init(box: Box, options: TrackerOptions) {
        let parameters = options.template
        self.parameters = parameters
        (width, height) = (box.width, box.height)
        templateLevels = options.levels
        templateOptions = TemplateOptions(
            gridSide: parameters.gridSide, weightSigma: parameters.weightSigma,
            minimumDeviation: parameters.minimumDeviation)

        // A template is sampled from the level whose pixels are about as far apart as its samples. One finer level lets
        // the target shrink, one coarser lets it grow; finer ones would only cost time.
        let spacing = max((box.width * box.height).squareRoot() / Double(parameters.gridSide), 1)
        let finest = Int(spacing.exponent)
        let base = max(finest - 1, 0)
        pyramidOptions = PyramidOptions(
            levels: finest - base + options.levels + 1, baseLevel: base, blurSigma: parameters.smoothing)

        var alignment = AlignmentOptions(
            method: AlignmentMethod(options.aligner), motion: .translation,
            photometry: options.illumination == .gainBias ? .gainAndBias : .none,
            robust: parameters.huberThreshold > 0 ? .huber(k: parameters.huberThreshold) : .none,
            shapeDamping: parameters.shapeDamping, maximumIterations: options.maxIterations, epsilon: options.epsilon)
        scout = Aligner(options: alignment)
        let rigid: Motion = options.motion == .translation ? .translation : .similarity
        // The coarsest level of several finds the position, the others scale and rotation too.
        let motions = (0..<options.levels).map { $0 > 0 && $0 == options.levels - 1 ? .translation : rigid }
        coarseToFine = CoarseToFineAligner(options: alignment, motions: motions)
        alignment.motion = .affine
        polish = options.motion == .affine ? Aligner(options: alignment) : nil
    }

    /// Geometric mean of the target's sides under a warp, in pixels.
    func size(under warp: AffineWarp) -> Double { (width * height).squareRoot() * warp.scale }

    /// The part of a frame around a pose that a target needs.
    ///
    /// - Parameter reach: more pixels on each side than the region's own margin.
    func pyramid(of frame: PreparedFrame, around warp: AffineWarp, reach: Double) -> Pyramid {
        let margin = max(parameters.regionMargin * max(width, height) * warp.scale, parameters.minimumRegionMargin)
        let region = PixelRegion.covering(
            warp, width: width, height: height, margin: margin + reach, alignment: pyramidOptions.alignment,
            imageWidth: frame.gray.width, imageHeight: frame.gray.height)
        return Pyramid(frame.gray, region: region, options: pyramidOptions)
    }

    func template(from pyramid: Pyramid, at warp: AffineWarp) -> TemplatePyramid {
        TemplatePyramid(
            from: pyramid, at: warp, width: width, height: height, levels: templateLevels, options: templateOptions)
    }

    /// Aligns a template from a start, and reports how well it fits where it came to rest. `nil` where it ran away.
    func align(
        _ template: TemplatePyramid, to pyramid: Pyramid, from start: AffineWarp, workspace: AlignmentWorkspace
    ) -> AlignmentResult? {
        var result = coarseToFine.align(template, to: pyramid, from: start, workspace: workspace)
        guard result.isUsable else { return nil }
        if let polish, let finest = template.levels.first {
            var shaped = polish.align(finest, to: pyramid, from: result.warp, workspace: workspace)
            let iterations = result.iterations + shaped.iterations
            shaped.iterations = iterations
            result.iterations = iterations
            if shaped.isUsable, shaped.zncc > result.zncc, isPlausible(shaped.warp) { result = shaped }
        }
        return isPlausible(result.warp) ? result : nil
    }

    /// Moves the coarsest template only: cheap, for many starts. `nil` where it ran away.
    func scout(
        _ template: TemplatePyramid, in pyramid: Pyramid, from start: AffineWarp, workspace: AlignmentWorkspace
    ) -> AlignmentResult? {
        guard let coarsest = template.levels.last else { return nil }
        let result = scout.align(coarsest, to: pyramid, from: start, workspace: workspace)
        return result.isUsable ? result : nil
    }

    /// Whether a shape is one that the target may have come to have.
    private func isPlausible(_ warp: AffineWarp) -> Bool {
        let axes = warp.axes
        let ratio = axes.horizontal / axes.vertical
        return warp.isFinite && warp.determinant > 0 && ratio < parameters.maximumAspectChange
            && ratio > 1 / parameters.maximumAspectChange && abs(axes.cosine) < parameters.maximumSkew
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
