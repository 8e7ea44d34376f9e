/// The single steps of an iteration.
extension Alignment {
    /// The warped grid over the plane, with `margin` samples more on each side.
    private func grid(margin: Int) -> WarpedGrid {
        WarpedGrid(
            columns: template.columns + 2 * margin, rows: template.rows + 2 * margin, spacing: template.spacing,
            warp: warp, pyramid: pyramid, level: level)
    }

    /// Step (1). Forward additive and ESM need one sample more on each side, for gradients.
    /// - Returns: false where the warp leaves all bounds.
    func warpImage() -> Bool {
        let needsApron = options.method != .inverseCompositional
        let grid = grid(margin: needsApron ? 1 : 0)
        guard grid.isSampleable else { return false }
        guard needsApron else {
            sample(pyramid[level], on: grid, to: grids.image)
            return true
        }
        let apron = workspace.apron(columns: template.columns, rows: template.rows)
        sample(pyramid[level], on: grid, to: apron)
        for j in 0..<layout.rows {
            let source = apron + (j + 1) * grid.stride + 1
            for i in Swift.stride(from: 0, to: layout.stride, by: laneCount) {
                grids.image.setLanes(j * layout.stride + i, source.lanes(i))
            }
        }
        return true
    }

    /// The gradients for steps (3)-(6) of forward additive and ESM, in template-local coordinates, from the apron.
    ///
    /// Forward additive: ∇I at W(x; p) (Baker & Matthews 2004, figure 1, step 3), which is the warped image's own
    /// gradient ∇[I(W(x; p))] times the inverse of W's linear part, by the chain rule.
    /// ESM: ½ (∇[I(W(x; p))] + ∇T) (Benhimane & Malis 2004: the mean of both Jacobians), the template as bright as the image.
    /// - Returns: false where W is singular.
    func makeGradients(_ sections: Template.Sections, gain: Double) -> Bool {
        let apron = workspace.apron(columns: template.columns, rows: template.rows)
        let stride = paddedToLanes(template.columns + 2)
        let perPixel = Float(0.5 / template.spacing)
        var toImage = AffineWarp.identity
        if options.method == .forwardAdditive {
            guard let inverse = warp.inverse else { return false }
            toImage = inverse
        }
        let (xx, yx) = (Float(toImage.a) * perPixel, Float(toImage.c) * perPixel)
        let (xy, yy) = (Float(toImage.b) * perPixel, Float(toImage.d) * perPixel)
        let half: Float = options.method == .esm ? 0.5 : 1
        let templateShare = options.method == .esm ? Float(0.5 * gain) : 0
        for j in 0..<layout.rows {
            let centre = apron + (j + 1) * stride + 1
            for i in Swift.stride(from: 0, to: layout.stride, by: laneCount) {
                let k = j * layout.stride + i
                let dx = centre.lanes(i + 1) - centre.lanes(i - 1)
                let dy = centre.lanes(i + stride) - centre.lanes(i - stride)
                let gx = half * (xx * dx + yx * dy) + templateShare * sections.gradientX.lanes(k)
                let gy = half * (xy * dx + yy * dy) + templateShare * sections.gradientY.lanes(k)
                grids.gradientX.setLanes(k, gx)
                grids.gradientY.setLanes(k, gy)
            }
        }
        return true
    }

    /// Gain and bias before the first step.
    func initialPhotometry(_ sections: Template.Sections, shift: Float) -> PhotometricState {
        guard options.photometry == .gainAndBias else { return PhotometricState(gain: 1, level: template.mean) }
        let sums = PhotometricSums(
            samples: sections.samples, weights: sections.weights, image: grids.image, shift: shift, size: layout.size)
        return PhotometricState(sums, shift: shift, matchingDeviations: true)
    }

    /// Weighs the samples by their residuals. Before the first step gain and bias are still those of everything in the
    /// box, occluders too, so they are fitted again a few times.
    mutating func weigh(_ sections: Template.Sections, state: PhotometricState, shift: Float) -> PhotometricState {
        var state = state
        let rounds = photometry == nil && options.photometry == .gainAndBias ? 3 : 0
        for round in 0...rounds {
            inlierShare = weighResiduals(
                options.robust, grids: grids, sections: sections, columns: template.columns, layout: layout,
                gain: Float(state.gain), level: Float(state.level))
            guard round < rounds else { break }
            let sums = PhotometricSums(
                samples: sections.samples, weights: grids.weights, image: grids.image, shift: shift, size: layout.size)
            state = PhotometricState(sums, shift: shift, matchingDeviations: false)
        }
        return state
    }

    /// Step (9). Forward additive: p ← p + Δp. Inverse compositional: W ← W ∘ W(Δp)⁻¹. ESM: W ← W ∘ exp(Δp), whose
    /// second-order property needs the exponential map (Benhimane & Malis 2004); here Cayley's transform
    /// W(Δp/2) ∘ W(−Δp/2)⁻¹, which equals it up to third order.
    /// - Returns: nil where the step is singular.
    func updated(by solution: NormalSolution, gain: Double) -> AffineWarp? {
        switch options.method {
        case .forwardAdditive:
            let p = increment(solution, times: -1)
            return AffineWarp(
                a: warp.a + p.a, b: warp.b + p.b, tx: warp.tx + p.tx,
                c: warp.c + p.c, d: warp.d + p.d, ty: warp.ty + p.ty)
        case .inverseCompositional:
            return increment(solution, times: 1 / gain).asWarp.inverse.map { warp * $0 }
        case .esm:
            guard let back = increment(solution, times: 0.5).asWarp.inverse else { return nil }
            return warp * increment(solution, times: -0.5).asWarp * back
        }
    }

    /// The solved parameters in template-local pixels, times a factor.
    private func increment(_ solution: NormalSolution, times factor: Double) -> AffineWarp {
        let (u, v) = (2 / template.width * factor, 2 / template.height * factor)
        let p = solution.parameters
        return AffineWarp(
            a: p[Column.a] * u, b: p[Column.b] * v, tx: p[Column.tx] * factor,
            c: p[Column.c] * u, d: p[Column.d] * v, ty: p[Column.ty] * factor)
    }

    /// The fit at the current warp, under the template's own weights (so that occluders show in it).
    func result(_ status: AlignmentStatus) -> AlignmentResult {
        var result = AlignmentResult(
            warp: warp, status: status, iterations: iterations, rms: 0, zncc: 0, gain: 1, bias: 0,
            inlierShare: inlierShare, overlap: overlap(at: warp))
        let grid = grid(margin: 0)
        guard template.status == .usable, grid.isSampleable else { return result }
        sample(pyramid[level], on: grid, to: grids.image)
        template.withSections { sections in
            let mean = weightedMean(grids.image, weights: sections.weights, size: layout.size)
            let sums = PhotometricSums(
                samples: sections.samples, weights: sections.weights, image: grids.image, shift: mean,
                size: layout.size)
            var state = PhotometricState(sums, shift: mean, matchingDeviations: false)
            if options.photometry == .none {
                state = PhotometricState(gain: 1, level: template.mean)
            } else if options.robust != .none, let photometry {
                state = photometry
            }
            result.zncc = sums.zncc
            result.rms = sums.rms(gain: state.gain, level: state.level - Double(mean))
            result.gain = state.gain
            result.bias = state.level - state.gain * template.mean
        }
        return result
    }

    /// The share of the grid's samples that lie in the pyramid's region, which is all that is known of the image.
    func overlap(at warp: AffineWarp) -> Double {
        let grid = grid(margin: 0)
        guard grid.isSampleable else { return 0 }
        let plane = pyramid[level]
        var inside = 0
        for j in 0..<grid.rows {
            let (x, y) = (grid.x + Double(j) * grid.rowX, grid.y + Double(j) * grid.rowY)
            let (x0, x1) = insideRange(x, step: grid.columnX, size: plane.width, count: grid.columns)
            let (y0, y1) = insideRange(y, step: grid.columnY, size: plane.height, count: grid.columns)
            inside += max(min(x1, y1) - max(x0, y0), 0)
        }
        return Double(inside) / Double(grid.columns * grid.rows)
    }
}

extension AffineWarp {
    /// The warp whose parameters, as Baker & Matthews count them from the identity, are these.
    fileprivate var asWarp: AffineWarp { AffineWarp(a: 1 + a, b: b, tx: tx, c: c, d: 1 + d, ty: ty) }
}

/// Σ w·z / Σ w.
func weightedMean(_ values: UnsafePointer<Float>, weights: UnsafePointer<Float>, size: Int) -> Float {
    var (sum, all) = (Lanes(), Lanes())
    for k in Swift.stride(from: 0, to: size, by: laneCount) {
        let weight = weights.lanes(k)
        sum += weight * values.lanes(k)
        all += weight
    }
    return sum.sum() / all.sum()
}

/// Which of the samples i in 0 ..< count have −½ ≤ start + i·step ≤ size − ½: the pixels of the plane and nothing more.
private func insideRange(_ start: Double, step: Double, size: Int, count: Int) -> (Int, Int) {
    let (low, high) = (-0.5 - start, Double(size) - 0.5 - start)
    guard step.magnitude > 1e-12 else { return low <= 0 && high >= 0 ? (0, count) : (0, 0) }
    let ends = step > 0 ? (low / step, high / step) : (high / step, low / step)
    let limit = Double(count)
    return (Int(min(max(ends.0.rounded(.up), 0), limit)), Int(min(max(ends.1.rounded(.down) + 1, 0), limit)))
}
