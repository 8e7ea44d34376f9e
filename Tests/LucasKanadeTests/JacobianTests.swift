import Testing

@testable import LucasKanade

/// The analytic derivatives against finite differences of what they are derivatives of.
@Suite("Jacobians")
struct JacobianTests {
    /// Off the image's centre, so that image coordinates in place of template-local ones would be far off.
    private static let centre = AffineWarp.translation(71.5, 38.25)
    private static let (width, height) = (25.0, 19.0)
    private static let template = Template(from: Scene.pyramid(), at: centre, width: width, height: height)

    /// The step of parameter `k` in the units of `Column`: a pixel at the box's edge.
    private static func step(_ k: Int, _ size: Double) -> AffineWarp {
        var p = AffineWarp(a: 0, b: 0, tx: 0, c: 0, d: 0, ty: 0)
        switch k {
        case Column.a: p.a = size / (width / 2)
        case Column.b: p.b = size / (height / 2)
        case Column.tx: p.tx = size
        case Column.c: p.c = size / (width / 2)
        case Column.d: p.d = size / (height / 2)
        default: p.ty = size
        }
        return p
    }

    private static func sum(_ warp: AffineWarp, _ p: AffineWarp) -> AffineWarp {
        AffineWarp(
            a: warp.a + p.a, b: warp.b + p.b, tx: warp.tx + p.tx, c: warp.c + p.c, d: warp.d + p.d, ty: warp.ty + p.ty)
    }

    /// Steepest descent images from gradients: ∇x·û, ∇x·v̂, ∇x, ∇y·û, ∇y·v̂, ∇y (Baker & Matthews 2004, step 5).
    private static func steepestDescent(_ gx: Float, _ gy: Float, _ i: Int, _ j: Int) -> [Float] {
        let layout = GridLayout(template.shape)
        let (u, v) = (layout.startU + layout.stepU * Float(i), layout.v(j))
        return [gx * u, gx * v, gx, gy * u, gy * v, gy]
    }

    @Test("the template's steepest descent images are the derivatives of T(W(x; p)) at p = 0")
    func inverseCompositional() {
        Self.template.withSections { sections in
            for j in 0..<Self.template.rows {
                for i in 0..<Self.template.columns {
                    let k = j * Self.template.stride + i
                    let analytic = Self.steepestDescent(sections.gradientX[k], sections.gradientY[k], i, j)
                    let (u, v) = (Double(i) - 12, Double(j) - 9)
                    for parameter in 0..<6 {
                        let value = { (h: Double) in
                            let p = (Self.centre * Self.sum(.identity, Self.step(parameter, h))).apply(u, v)
                            return Scene.value(p.x, p.y)
                        }
                        let numeric = (value(0.01) - value(-0.01)) / 0.02
                        #expect(abs(Double(analytic[parameter]) - numeric) < 0.35)
                    }
                }
            }
        }
    }

    @Test(
        "forward additive's gradient is that of I at W(x; p), for a turned and sheared W",
        arguments: [
            AffineWarp(a: 0.8, b: 0.45, tx: 73, c: -0.5, d: 0.9, ty: 37),
            AffineWarp(a: 1.1, b: 0.2, tx: 70, c: 0.1, d: 0.85, ty: 40),
        ])
    func forwardAdditive(warp: AffineWarp) {
        let alignment = Self.alignment(.forwardAdditive, at: warp)
        #expect(alignment.warpImage())
        Self.template.withSections { sections in #expect(alignment.makeGradients(sections, gain: 1)) }
        for j in 0..<Self.template.rows {
            for i in 0..<Self.template.columns {
                let k = j * Self.template.stride + i
                let analytic = Self.steepestDescent(alignment.grids.gradientX[k], alignment.grids.gradientY[k], i, j)
                for parameter in 0..<6 {
                    let value = { (h: Double) in
                        let p = Self.sum(warp, Self.step(parameter, h)).apply(Double(i) - 12, Double(j) - 9)
                        return Scene.value(p.x, p.y)
                    }
                    let numeric = (value(0.01) - value(-0.01)) / 0.02
                    #expect(abs(Double(analytic[parameter]) - numeric) < 0.5)
                }
            }
        }
    }

    @Test("ESM's gradient is the mean of the template's, at the image's contrast, and the warped image's")
    func esm() {
        let gain = 1.2
        let warp = Self.centre * AffineWarp(a: 1.02, b: 0.05, tx: 1, c: -0.04, d: 0.97, ty: -1.5)
        let alignment = Self.alignment(.esm, at: warp, gain: gain)
        #expect(alignment.warpImage())
        Self.template.withSections { sections in #expect(alignment.makeGradients(sections, gain: gain)) }
        let h = 0.01
        for (i, j) in [(0, 0), (12, 9), (24, 18), (5, 13)] {
            let (u, v) = (Double(i) - 12, Double(j) - 9)
            let derivative = { (warp: AffineWarp, du: Double, dv: Double) in
                let (p, q) = (warp.apply(u + du, v + dv), warp.apply(u - du, v - dv))
                return gain * (Scene.value(p.x, p.y) - Scene.value(q.x, q.y)) / (2 * h)
            }
            let k = j * Self.template.stride + i
            let gx = (derivative(warp, h, 0) + derivative(Self.centre, h, 0)) / 2
            let gy = (derivative(warp, 0, h) + derivative(Self.centre, 0, h)) / 2
            #expect(abs(Double(alignment.grids.gradientX[k]) - gx) < 0.4)
            #expect(abs(Double(alignment.grids.gradientY[k]) - gy) < 0.4)
        }
    }

    @Test("the right side is the gradient of half the squared error, which numeric steps of the warp confirm")
    func errorGradient() {
        let warp = Self.centre * AffineWarp(a: 1.03, b: 0.06, tx: 0.8, c: -0.05, d: 0.96, ty: -0.7)
        let alignment = Self.alignment(.forwardAdditive, at: warp)
        let count = Double(Self.template.columns * Self.template.rows)
        let aligner = Aligner(options: alignment.options)
        let halfSquares = { (warp: AffineWarp) in
            let fit = aligner.evaluate(
                Self.template, in: alignment.pyramid, at: warp, workspace: AlignmentWorkspace())
            return 0.5 * fit.rms * fit.rms * count
        }
        #expect(alignment.warpImage())
        let layout = GridLayout(Self.template.shape)
        Self.template.withSections { sections in
            #expect(alignment.makeGradients(sections, gain: 1))
            let matrix = NormalMatrix(
                gradientX: alignment.grids.gradientX, gradientY: alignment.grids.gradientY, samples: sections.samples,
                weights: sections.weights, layout: layout)
            var right = RightSide(
                gradientX: alignment.grids.gradientX, gradientY: alignment.grids.gradientY, samples: sections.samples,
                weights: sections.weights, image: alignment.grids.image, shift: 100, layout: layout)
            right.subtractTemplate(TemplateProducts(matrix), level: Self.template.mean - 100)
            for parameter in 0..<6 {
                let numeric =
                    (halfSquares(Self.sum(warp, Self.step(parameter, 0.05)))
                        - halfSquares(Self.sum(warp, Self.step(parameter, -0.05)))) / 0.1
                #expect(abs(right.values[parameter] - numeric) < 0.03 * abs(numeric) + 60)
            }
        }
    }

    @Test("the vectorised sums equal the scalar ones, tails and weights included", arguments: [7, 8, 9, 23])
    func normalEquations(columns: Int) {
        let template = Template(
            from: Scene.pyramid(), at: Self.centre, width: Double(columns), height: 11,
            options: TemplateOptions(weightSigma: 0.8))
        let layout = GridLayout(template.shape)
        var (expected, expectedRight) = ([Double](repeating: 0, count: 64), [Double](repeating: 0, count: 8))
        let image = [Float](unsafeUninitializedCapacity: layout.size) { buffer, count in
            for k in 0..<layout.size { buffer[k] = Float((k * 37) % 101) }
            count = layout.size
        }
        let right = template.withSections { sections in
            for j in 0..<template.rows {
                for i in 0..<columns {
                    let k = j * template.stride + i
                    let (gx, gy) = (Double(sections.gradientX[k]), Double(sections.gradientY[k]))
                    let u = (Double(i) - Double(columns - 1) / 2) / (Double(columns) / 2)
                    let v = (Double(j) - 5) / 5.5
                    let c = [gx * u, gx * v, gx, gy * u, gy * v, gy, Double(sections.samples[k]), 1]
                    let weight = Double(sections.weights[k])
                    for p in 0..<8 {
                        for q in 0..<8 { expected[p * 8 + q] += weight * c[p] * c[q] }
                        expectedRight[p] += weight * c[p] * Double(image[k] - 40)
                    }
                }
            }
            return RightSide(
                gradientX: sections.gradientX, gradientY: sections.gradientY, samples: sections.samples,
                weights: sections.weights, image: image, shift: 40, layout: layout)
        }
        for p in 0..<8 {
            let size = (expected[p * 9] * Double(layout.size)).squareRoot()
            #expect(abs(right.values[p] - expectedRight[p]) < 1e-4 * size * 40)
            for q in 0..<8 {
                let scale = (expected[p * 9] * expected[q * 9]).squareRoot()
                #expect(abs(template.normalMatrix[p, q] - expected[p * 8 + q]) < 1e-4 * scale)
            }
        }
    }

    @Test("the solver solves, and refuses a matrix that is regular by rounding alone")
    func solver() {
        var system = SymmetricSystem(size: 3)
        let matrix = [[4.0, 1, -2], [1, 5, 0.5], [-2, 0.5, 6]]
        let solution = [0.5, -2, 3]
        var right = InlineArray<8, Double>(repeating: 0)
        for i in 0..<3 {
            for j in 0...i { system[i, j] = matrix[i][j] }
            right[i] = (0..<3).reduce(0) { $0 + matrix[i][$1] * solution[$1] }
        }
        let isFactored = system.factor(pivotTolerance: 1e-4)
        #expect(isFactored)
        system.substitute(&right)
        for i in 0..<3 { #expect(abs(right[i] - solution[i]) < 1e-12) }
        var nearlySingular = SymmetricSystem(size: 2)
        (nearlySingular[0, 0], nearlySingular[1, 0], nearlySingular[1, 1]) = (1, 1, 1 + 1e-6)
        let isRegular = nearlySingular.factor(pivotTolerance: 1e-4)
        #expect(!isRegular)
    }

    @Test("the least pivot that counts as regular is above the rounding of Float sums")
    func pivotTolerance() {
        // ∇y equals ∇x but for a thousandth, as slanted stripes nearly leave it.
        var gradients = (x: [Float](), y: [Float]())
        for k in 0..<64 {
            gradients.x.append(Float((k * 37) % 19) - 9)
            gradients.y.append(gradients.x[k] * (1 + (k % 2 == 0 ? 1e-3 : -1e-3)))
        }
        let shape = TemplateShape(width: 8, height: 8, columns: 8, rows: 8, spacing: 1, level: 0)
        let (samples, ones) = ([Float](repeating: 0, count: 64), [Float](repeating: 1, count: 64))
        let layout = GridLayout(shape)
        let matrix = NormalMatrix(
            gradientX: gradients.x, gradientY: gradients.y, samples: samples, weights: ones, layout: layout)
        let basis = MotionBasis(.translation, shape: shape)
        #expect(NormalSystem(matrix, basis: basis, photometry: .none, shapeDamping: 0) == nil)
    }

    private static func alignment(_ method: AlignmentMethod, at warp: AffineWarp, gain: Double = 1) -> Alignment {
        Alignment(
            template: template, pyramid: Scene.pyramid(gain: gain),
            options: AlignmentOptions(method: method, photometry: .none), start: warp, workspace: AlignmentWorkspace())
    }
}
