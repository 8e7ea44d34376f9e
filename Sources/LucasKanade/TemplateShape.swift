/// The size, spacing and level of a template's grid.
struct TemplateShape: Equatable {
    let width, height: Double
    let columns, rows: Int
    let spacing: Double
    let level: Int

    init(width: Double, height: Double, columns: Int, rows: Int, spacing: Double, level: Int) {
        self.width = width
        self.height = height
        self.columns = columns
        self.rows = rows
        self.spacing = spacing
        self.level = level
    }

    /// The densest grid that fits the options; a single sample where the size is no positive number.
    init(width: Double, height: Double, spacing: Double?, level: Int?, pyramid: Pyramid, options: TemplateOptions) {
        guard width > 0, height > 0, (width * height).isFinite else {
            self.init(
                width: 0, height: 0, columns: 1, rows: 1, spacing: 1, level: pyramid.levels.lowerBound)
            return
        }
        let side = Double(max(options.gridSide, 1))
        let pixel = 1.0.atLevel(-pyramid.levels.lowerBound)
        let spacing = max(spacing ?? 0, (width * height).squareRoot() / side, pixel)
        // A box of 33.999999 pixels is meant to have 34.
        let count = { (length: Double) in Int(min(max(length / spacing + 1e-6, 1), side * side)) }
        self.init(
            width: width, height: height, columns: count(width), rows: count(height), spacing: spacing,
            level: pyramid.clampedLevel(level ?? Int(spacing.exponent)))
    }

    /// The grid with one sample more on each side over the image, row by row without padding; nil where the warp is
    /// no map to the image.
    func sample(_ pyramid: Pyramid, at warp: AffineWarp, workspace: AlignmentWorkspace) -> [Float]? {
        let level = pyramid.clampedLevel(samplingLevel(under: warp))
        let grid = WarpedGrid(
            columns: columns + 2, rows: rows + 2, spacing: spacing, warp: warp, pyramid: pyramid, level: level)
        guard width > 0, grid.isSampleable else { return nil }
        let apron = workspace.apron(columns: columns, rows: rows)
        LucasKanade.sample(pyramid[level], on: grid, to: apron)
        return [Float](unsafeUninitializedCapacity: grid.columns * grid.rows) { buffer, count in
            for j in 0..<grid.rows {
                for i in 0..<grid.columns { buffer[j * grid.columns + i] = apron[j * grid.stride + i] }
            }
            count = grid.columns * grid.rows
        }
    }

    /// The level whose pixels are as far apart in the image as those of `level` are in the template: one up where the
    /// warp has the scale √2 to 2√2, and so on.
    func samplingLevel(under warp: AffineWarp) -> Int {
        let scale = warp.scale * 2.0.squareRoot()
        guard scale.isFinite, scale > 0 else { return level }
        return level + Int(scale.exponent)
    }
}

/// Computes what a template holds from its patch.
struct TemplateBuilder {
    private(set) var sections: [Float]
    private(set) var mean = 0.0
    private(set) var deviation = 0.0
    private let shape: TemplateShape

    init(shape: TemplateShape, patch: [Float], weightSigma: Double?) {
        self.shape = shape
        let stride = paddedToLanes(shape.columns)
        let size = stride * shape.rows
        sections = [Float](repeating: 0, count: 4 * size)
        let perPixel = Float(0.5 / shape.spacing)
        let weightX = gaussianWeights(shape.columns, spacing: shape.spacing, extent: shape.width, sigma: weightSigma)
        let weightY = gaussianWeights(shape.rows, spacing: shape.spacing, extent: shape.height, sigma: weightSigma)
        let patchColumns = shape.columns + 2
        var (sum, weightSum) = (0.0, 0.0)
        for j in 0..<shape.rows {
            for i in 0..<shape.columns {
                let k = j * stride + i
                let p = (j + 1) * patchColumns + i + 1
                let weight = weightX[i] * weightY[j]
                sections[k] = patch[p]
                sections[size + k] = (patch[p + 1] - patch[p - 1]) * perPixel
                sections[2 * size + k] = (patch[p + patchColumns] - patch[p - patchColumns]) * perPixel
                sections[3 * size + k] = weight
                sum += Double(weight * patch[p])
                weightSum += Double(weight)
            }
        }
        mean = sum / weightSum
        centre(stride: stride, weightSum: weightSum)
    }

    /// Subtracts the mean from the samples and finds their deviation.
    private mutating func centre(stride: Int, weightSum: Double) {
        let size = stride * shape.rows
        var squares = 0.0
        for j in 0..<shape.rows {
            for k in j * stride..<j * stride + shape.columns {
                sections[k] -= Float(mean)
                squares += Double(sections[3 * size + k] * sections[k] * sections[k])
            }
        }
        deviation = (squares / weightSum).squareRoot()
    }

    /// Baker & Matthews 2004, figure 4, step (6): the Hessian, here with the rows of gain and bias.
    func normalMatrix() -> NormalMatrix {
        let layout = GridLayout(shape)
        return sections.withUnsafeBufferPointer { buffer in
            let base = buffer.baseAddress!
            return NormalMatrix(
                gradientX: base + layout.size, gradientY: base + 2 * layout.size, samples: base,
                weights: base + 3 * layout.size, layout: layout)
        }
    }
}

/// Weights of one axis of the grid: exp(−½ (u / σ)²) with u in half extents.
private func gaussianWeights(_ count: Int, spacing: Double, extent: Double, sigma: Double?) -> [Float] {
    guard let sigma, sigma > 0 else { return [Float](repeating: 1, count: count) }
    return (0..<count).map { index in
        let u = (Double(index) - Double(count - 1) / 2) * spacing / (extent / 2) / sigma
        return Float(exponential(-u * u / 2))
    }
}
