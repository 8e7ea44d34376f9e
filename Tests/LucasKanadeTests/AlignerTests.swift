import Testing

@testable import LucasKanade

@Suite("Aligners")
struct AlignerTests {
    private static let centre = AffineWarp.translation(60.5, 49.25)
    private static let (width, height) = (40.0, 32.0)

    /// What each motion can undo: a map in template-local coordinates.
    private static func truth(_ motion: Motion) -> AffineWarp {
        switch motion {
        case .translation: .translation(2.3, -1.7)
        case .similarity: .similarity(scale: 1.05, cosine: 0.99619, sine: 0.08716, tx: 1.6, ty: -1.1)
        case .affine: AffineWarp(a: 1.06, b: 0.05, tx: -1.4, c: -0.03, d: 0.95, ty: 1.2)
        }
    }

    private static func align(
        _ options: AlignmentOptions, motion: AffineWarp, gain: Double = 1, bias: Double = 0,
        templateOptions: TemplateOptions = TemplateOptions()
    ) -> (result: AlignmentResult, error: Double) {
        let template = Template(
            from: Scene.pyramid(), at: centre, width: width, height: height, options: templateOptions)
        let image = Scene.pyramid(motion: .around(centre, motion), gain: gain, bias: bias)
        let result = Aligner(options: options).align(
            template, to: image, from: centre, workspace: AlignmentWorkspace())
        return (result, result.warp.cornerError(to: centre * motion, width: width, height: height))
    }

    @Test(
        "an exact warp of a known picture is recovered to 0.02 pixels by every method and motion",
        arguments: AlignmentMethod.allCases, Motion.allCases)
    func exactWarp(method: AlignmentMethod, motion: Motion) {
        let (result, error) = Self.align(
            AlignmentOptions(method: method, motion: motion), motion: Self.truth(motion))
        #expect(error < 0.02)
        #expect(result.status == .converged)
        #expect(result.zncc > 0.9999 && result.rms < 0.5)
        // Gauss-Newton's steps are whole ones: half ones would need ten.
        #expect(result.iterations <= 7)
        #expect(result.overlap == 1 && result.inlierShare == 1)
    }

    @Test("so it is without gain and bias, and with robust weights", arguments: AlignmentMethod.allCases)
    func exactWarpVariants(method: AlignmentMethod) {
        for options in [
            AlignmentOptions(method: method, photometry: .none), AlignmentOptions(method: method, robust: .huber),
            AlignmentOptions(method: method, robust: .tukey),
            AlignmentOptions(method: method, photometry: .none, robust: .huber),
        ] {
            let (result, error) = Self.align(options, motion: Self.truth(.affine))
            #expect(error < 0.02 && result.status == .converged)
        }
    }

    // The corners weigh 0.06, and so see the error of bilinear interpolation magnified.
    @Test("a centred weight leaves the optimum where it is", arguments: AlignmentMethod.allCases)
    func centredWeight(method: AlignmentMethod) {
        let (result, error) = Self.align(
            AlignmentOptions(method: method), motion: Self.truth(.affine),
            templateOptions: TemplateOptions(weightSigma: 0.6))
        #expect(error < 0.03 && result.status == .converged)
    }

    @Test(
        "gain 0.7 to 1.3 and bias ±20 change nothing and are reported", arguments: AlignmentMethod.allCases,
        [(0.7, 20.0), (1.3, -20), (0.85, -10), (1.3, 20)])
    func gainAndBias(method: AlignmentMethod, photometry: (gain: Double, bias: Double)) {
        let (result, error) = Self.align(
            AlignmentOptions(method: method), motion: Self.truth(.affine), gain: photometry.gain, bias: photometry.bias)
        #expect(error < 0.02)
        #expect(abs(result.gain - photometry.gain) < 0.01)
        #expect(abs(result.bias - photometry.bias) < 1.5)
        #expect(result.zncc > 0.9999)
    }

    @Test("without a photometric model a changed brightness does harm: the model is what the invariance comes from")
    func photometryIsNeeded() {
        let options = AlignmentOptions(photometry: .none)
        #expect(Self.align(options, motion: Self.truth(.affine), gain: 1.3, bias: 20).error > 0.1)
    }

    @Test("a coarse grid over a large box is as exact", arguments: AlignmentMethod.allCases)
    func coarseGrid(method: AlignmentMethod) {
        let (result, error) = Self.align(
            AlignmentOptions(method: method), motion: Self.truth(.affine),
            templateOptions: TemplateOptions(gridSide: 18))
        #expect(error < 0.05 && result.status == .converged)
    }

    @Test("steps keep to their motion", arguments: AlignmentMethod.allCases)
    func motionsAreKept(method: AlignmentMethod) {
        let (moved, _) = Self.align(
            AlignmentOptions(method: method, motion: .translation), motion: Self.truth(.affine))
        #expect([moved.warp.a, moved.warp.b, moved.warp.c, moved.warp.d] == [1, 0, 0, 1])
        let (similar, _) = Self.align(
            AlignmentOptions(method: method, motion: .similarity), motion: Self.truth(.affine))
        #expect(abs(similar.warp.a - similar.warp.d) < 1e-12 && abs(similar.warp.b + similar.warp.c) < 1e-12)
        #expect(similar.warp.a != 1)
    }

    @Test(
        "a similarity step turns and scales a sheared warp without changing its shape",
        arguments: AlignmentMethod.allCases)
    func similarityOfShearedWarp(method: AlignmentMethod) {
        let shear = AffineWarp(a: 1, b: 0.2, tx: 60.5, c: 0, d: 1.1, ty: 49.25)
        let template = Template(from: Scene.pyramid(), at: shear, width: 36, height: 30)
        let motion = AffineWarp.around(
            Self.centre, .similarity(scale: 1.04, cosine: 0.9992, sine: 0.04, tx: 0.5, ty: 0.3))
        let result = Aligner(options: AlignmentOptions(method: method, motion: .similarity)).align(
            template, to: Scene.pyramid(motion: motion), from: shear, workspace: AlignmentWorkspace())
        // Compositional steps turn the template before the shear, so they reach the truth nearly, additive ones fully.
        let limit = method == .forwardAdditive ? 0.02 : 0.6
        #expect(result.warp.cornerError(to: motion * shear, width: 36, height: 30) < limit)
    }

    @Test("damping the shape holds the shape back and not the position", arguments: AlignmentMethod.allCases)
    func damping(method: AlignmentMethod) {
        let damped = AlignmentOptions(method: method, shapeDamping: 1e9)
        let (result, _) = Self.align(damped, motion: Self.truth(.affine))
        #expect(abs(result.warp.a - 1) < 1e-4 && abs(result.warp.d - 1) < 1e-4 && abs(result.warp.b) < 1e-4)
        let shift = Self.align(damped, motion: Self.truth(.translation))
        #expect(shift.error < 0.02)
        // A little damping slows the shape down and does not move the optimum.
        let little = AlignmentOptions(method: method, shapeDamping: 0.05)
        #expect(Self.align(little, motion: Self.truth(.affine)).error < 0.03)
    }

    @Test("the same input gives the same bits", arguments: AlignmentMethod.allCases)
    func determinism(method: AlignmentMethod) {
        let options = AlignmentOptions(method: method, robust: .tukey)
        let first = Self.align(options, motion: Self.truth(.affine)).result
        #expect(Self.align(options, motion: Self.truth(.affine)).result == first)
    }

    @Test("a used workspace gives the same bits as a new one")
    func workspaceReuse() {
        let workspace = AlignmentWorkspace()
        let image = Scene.pyramid(motion: .around(Self.centre, Self.truth(.affine)))
        let small = Template(from: Scene.pyramid(), at: Self.centre, width: 20, height: 15)
        let large = Template(from: Scene.pyramid(), at: Self.centre, width: 40, height: 32)
        let aligner = Aligner(options: AlignmentOptions(method: .esm, robust: .huber))
        let fresh = aligner.align(small, to: image, from: Self.centre, workspace: AlignmentWorkspace())
        _ = aligner.align(large, to: image, from: Self.centre, workspace: workspace)
        #expect(aligner.align(small, to: image, from: Self.centre, workspace: workspace) == fresh)
    }

    @Test("an evaluation makes no step and measures the fit")
    func evaluation() {
        let template = Template(from: Scene.pyramid(), at: Self.centre, width: 40, height: 32)
        let workspace = AlignmentWorkspace()
        let fit = Aligner().evaluate(
            template, in: Scene.pyramid(gain: 0.8, bias: 12), at: Self.centre, workspace: workspace)
        #expect(fit.iterations == 0 && fit.warp == Self.centre)
        #expect(fit.zncc > 0.99999 && fit.rms < 0.05)
        #expect(abs(fit.gain - 0.8) < 1e-3 && abs(fit.bias - 12) < 0.1)
        let off = Aligner().evaluate(
            template, in: Scene.pyramid(), at: .translation(70, 40), workspace: workspace)
        #expect(off.zncc < 0.7 && off.rms > 10)
    }
}
