/// A target at several resolutions, made at once from one image.
public struct TemplatePyramid: Sendable {
    /// One template a level, finest first; never empty.
    public let levels: [Template]

    /// Cuts a target out of a pyramid.
    ///
    /// The finest level has the densest grid that `options` allow; from level to level spacing and pyramid level double,
    /// but the grids keep `options.minimumSide` samples across.
    ///
    /// - Parameters:
    ///   - pyramid: the image.
    ///   - warp: where the box is: maps template-local pixels to the image.
    ///   - width: of the box, in template-local pixels.
    ///   - height: of the box, in template-local pixels.
    ///   - count: number of levels, at least 1.
    ///   - options: how densely the box is sampled, and how the samples are weighted.
    ///   - workspace: where buffers are borrowed from.
    public init(
        from pyramid: Pyramid, at warp: AffineWarp, width: Double, height: Double, levels count: Int = 3,
        options: TemplateOptions = TemplateOptions(), workspace: AlignmentWorkspace = AlignmentWorkspace()
    ) {
        let finest = Template(
            from: pyramid, at: warp, width: width, height: height, options: options, workspace: workspace)
        let widest = max(min(finest.width, finest.height) / Double(max(options.minimumSide, 1)), finest.spacing)
        var levels = [finest]
        for k in 1..<max(count, 1) {
            levels.append(
                Template(
                    from: pyramid, at: warp, width: width, height: height, level: finest.level + k,
                    spacing: min(finest.spacing.atLevel(-k), widest), options: options, workspace: workspace))
        }
        self.levels = levels
    }

    private init(levels: [Template]) { self.levels = levels }

    /// The finest level's.
    public var status: TemplateStatus { levels[0].status }

    /// Each level as `Template.updated` makes it.
    public func updated(
        from pyramid: Pyramid, at warp: AffineWarp, rate: Double, workspace: AlignmentWorkspace
    ) -> TemplatePyramid {
        TemplatePyramid(levels: levels.map { $0.updated(from: pyramid, at: warp, rate: rate, workspace: workspace) })
    }

    /// Each level as `Template.blended` makes it; both pyramids are of the same box and options.
    public func blended(with other: TemplatePyramid, rate: Double) -> TemplatePyramid {
        TemplatePyramid(levels: zip(levels, other.levels).map { $0.blended(with: $1, rate: rate) })
    }
}
