/// How templates are made.
public struct TemplateOptions: Sendable, Hashable {
    /// A level's grid has at most `gridSide`² samples, equally spaced in both directions and never closer than the
    /// pixels of the image.
    public var gridSide: Int
    /// Standard deviation of a Gaussian weight centred on the box, as a share of the half extents; nil weighs all
    /// samples equally.
    public var weightSigma: Double?
    /// A template whose weighted standard deviation is lower, in grey levels, is `flat`.
    public var minimumDeviation: Double
    /// Coarse levels keep at least this many samples across the shorter side, where the image has as many pixels.
    public var minimumSide: Int

    public init(
        gridSide: Int = 48, weightSigma: Double? = nil, minimumDeviation: Double = 1, minimumSide: Int = 6
    ) {
        self.gridSide = gridSide
        self.weightSigma = weightSigma
        self.minimumDeviation = minimumDeviation
        self.minimumSide = minimumSide
    }
}

/// Whether a template can be aligned.
public enum TemplateStatus: Sendable, Hashable {
    case usable
    /// Its brightness hardly varies.
    case flat
    /// It has fewer samples than an affine motion with gain and bias needs, or its size is not a number.
    case tooSmall
}

/// What a target looks like at one level: a canonical grid of samples with everything that can be computed from them
/// once (gradients, weights, Hessian). A value; made from a pyramid, never changed.
///
/// Template-local coordinates are level-0 pixels with the origin at the centre of the box.
public struct Template: Sendable {
    /// The box, in template-local pixels.
    public let width, height: Double
    /// Samples in a row, and rows.
    public let columns, rows: Int
    /// Distance of neighbouring samples, in template-local pixels, at least 1.
    public let spacing: Double
    /// The pyramid level that was sampled; an image in which the target has scale 1 is sampled on the same.
    public let level: Int
    /// Weighted mean and standard deviation of the samples, in grey levels.
    public let mean, deviation: Double
    public let status: TemplateStatus

    /// (columns + 2) × (rows + 2) samples, row by row: the grid and one sample more on each side, so that gradients
    /// are central differences everywhere.
    let patch: [Float]
    /// Four grids of `rows` rows of `stride` values, see `Section`; padding has zero weight.
    private let sections: [Float]
    /// Hessian of the affine motion, bordered by gain and bias, under the template's own weights.
    let normalMatrix: NormalMatrix
    /// Which options made it.
    let options: TemplateOptions

    /// Floats from a row of a section to the next.
    var stride: Int { paddedToLanes(columns) }

    /// The grids that a template holds.
    struct Sections {
        /// Samples minus `mean`; gradients along x and y in grey levels per template-local pixel; weights.
        let samples, gradientX, gradientY, weights: UnsafePointer<Float>
    }

    /// Cuts a template out of one level of a pyramid.
    ///
    /// - Parameters:
    ///   - pyramid: the image; it has the level that is sampled.
    ///   - warp: where the box is: maps template-local pixels to the image.
    ///   - width: of the box, in template-local pixels.
    ///   - height: of the box, in template-local pixels.
    ///   - level: the level to sample; by default the coarsest whose pixels are no farther apart than the samples.
    ///   - spacing: distance of samples; by default the closest that `options.gridSide` allows.
    ///   - options: how densely the box is sampled, and how the samples are weighted.
    ///   - workspace: where buffers are borrowed from.
    public init(
        from pyramid: Pyramid, at warp: AffineWarp, width: Double, height: Double, level: Int? = nil,
        spacing: Double? = nil, options: TemplateOptions = TemplateOptions(),
        workspace: AlignmentWorkspace = AlignmentWorkspace()
    ) {
        let shape = TemplateShape(
            width: width, height: height, spacing: spacing, level: level, pyramid: pyramid, options: options)
        let patch = shape.sample(pyramid, at: warp, workspace: workspace)
        self.init(shape: shape, patch: patch, options: options)
    }

    /// The template over a patch of `shape`.
    init(shape: TemplateShape, patch: [Float]?, options: TemplateOptions) {
        (width, height, columns, rows) = (shape.width, shape.height, shape.columns, shape.rows)
        (spacing, level) = (shape.spacing, shape.level)
        self.options = options
        self.patch = patch ?? [Float](repeating: 0, count: (shape.columns + 2) * (shape.rows + 2))
        let builder = TemplateBuilder(shape: shape, patch: self.patch, weightSigma: options.weightSigma)
        (mean, deviation) = (builder.mean, builder.deviation)
        sections = builder.sections
        normalMatrix = builder.normalMatrix()
        if patch == nil || shape.columns * shape.rows <= minimumSampleCount {
            status = .tooSmall
        } else {
            // A comparison that a NaN fails.
            status = deviation >= options.minimumDeviation ? .usable : .flat
        }
    }

    var shape: TemplateShape {
        TemplateShape(
            width: width, height: height, columns: columns, rows: rows, spacing: spacing, level: level)
    }

    /// The grids; valid inside the closure only.
    @inline(__always)
    func withSections<R>(_ body: (Sections) throws -> R) rethrows -> R {
        let size = stride * rows
        return try sections.withUnsafeBufferPointer { buffer in
            let base = buffer.baseAddress!
            return try body(
                Sections(
                    samples: base, gradientX: base + size, gradientY: base + 2 * size, weights: base + 3 * size))
        }
    }

    /// One sample, in grey levels; for tools and tests, not for loops.
    public func sample(column: Int, row: Int) -> Float {
        precondition(column >= 0 && column < columns && row >= 0 && row < rows, "no such sample")
        return patch[(row + 1) * (columns + 2) + column + 1]
    }

    /// A template that follows the target: `rate` of what the image shows at `warp`, brought to this template's mean
    /// and deviation, and 1 − `rate` of this one. Unchanged where the image cannot be sampled or shows nothing.
    public func updated(
        from pyramid: Pyramid, at warp: AffineWarp, rate: Double, workspace: AlignmentWorkspace
    ) -> Template {
        guard status == .usable, let fresh = shape.sample(pyramid, at: warp, workspace: workspace) else { return self }
        return blended(with: Template(shape: shape, patch: fresh, options: options), rate: rate)
    }

    /// `rate` of another template of the same grid, brought to this one's mean and deviation, and 1 − `rate` of this.
    public func blended(with other: Template, rate: Double) -> Template {
        guard status == .usable, other.status == .usable, other.shape == shape else { return self }
        let gain = deviation / other.deviation
        let (keep, take) = (Float(1 - rate), Float(rate * gain))
        let bias = Float(rate * (mean - gain * other.mean))
        var mixed = patch
        for i in mixed.indices { mixed[i] = keep * mixed[i] + take * other.patch[i] + bias }
        return Template(shape: shape, patch: mixed, options: options)
    }
}

/// Six parameters, gain and bias are eight unknowns.
private let minimumSampleCount = 8
