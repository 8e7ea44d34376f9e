/// Brings a template onto an image: minimises Σ w·[I(W(x; p)) − (gain·T(x) + bias)]² over the warp's parameters p, from
/// a start nearby, on one pyramid level.
public struct Aligner: Sendable {
    public var options: AlignmentOptions

    public init(options: AlignmentOptions = AlignmentOptions()) {
        self.options = options
    }

    /// Aligns from `start`. Never fails: what went wrong is the result's `status`.
    public func align(
        _ template: Template, to pyramid: Pyramid, from start: AffineWarp, workspace: AlignmentWorkspace
    ) -> AlignmentResult {
        var alignment = Alignment(
            template: template, pyramid: pyramid, options: options, start: start, workspace: workspace)
        return alignment.run()
    }

    /// How well a template fits where it is: a result without any step, `maxIterations` where it can be sampled.
    public func evaluate(
        _ template: Template, in pyramid: Pyramid, at warp: AffineWarp, workspace: AlignmentWorkspace
    ) -> AlignmentResult {
        var options = options
        options.maximumIterations = 0
        return Aligner(options: options).align(template, to: pyramid, from: warp, workspace: workspace)
    }
}

/// Aligns level by level, from coarse to fine. Warps are in level-0 pixels throughout: when a level is left, the
/// translation in the next level's pixels doubles and the linear part stays.
public struct CoarseToFineAligner: Sendable {
    /// Of every level; its `motion` is replaced by `motions`.
    public var options: AlignmentOptions
    /// The motion of each of the template's levels, finest first; the last one also for all coarser ones.
    public var motions: [Motion]

    public init(
        options: AlignmentOptions = AlignmentOptions(), motions: [Motion] = [.affine, .similarity, .translation]
    ) {
        precondition(!motions.isEmpty, "an alignment needs a motion")
        self.options = options
        self.motions = motions
    }

    /// Aligns from `start`; the result is the finest level's, its iterations are those of all levels. A level that
    /// diverges or is degenerate leaves the warp to the next as it was.
    public func align(
        _ template: TemplatePyramid, to pyramid: Pyramid, from start: AffineWarp, workspace: AlignmentWorkspace
    ) -> AlignmentResult {
        var warp = start
        var iterations = 0
        for index in template.levels.indices.dropFirst().reversed() {
            let result = aligner(index).align(template.levels[index], to: pyramid, from: warp, workspace: workspace)
            warp = result.warp
            iterations += result.iterations
        }
        var result = aligner(0).align(template.levels[0], to: pyramid, from: warp, workspace: workspace)
        result.iterations += iterations
        return result
    }

    /// The aligner of one of the template's levels.
    private func aligner(_ index: Int) -> Aligner {
        var options = options
        options.motion = motions[min(index, motions.count - 1)]
        return Aligner(options: options)
    }
}
