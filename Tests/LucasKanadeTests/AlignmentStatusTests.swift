import Testing

@testable import LucasKanade

@Suite("What can go wrong in an alignment is a status")
struct AlignmentStatusTests {
    private static let centre = AffineWarp.translation(60, 50)
    private static let template = Template(from: Scene.pyramid(), at: centre, width: 30, height: 30)

    private func align(
        _ template: Template = Self.template, to plane: Plane = Scene.plane(), from start: AffineWarp = Self.centre,
        _ options: AlignmentOptions
    ) -> AlignmentResult {
        Aligner(options: options).align(
            template, to: Pyramid(plane, levels: 1), from: start, workspace: AlignmentWorkspace())
    }

    /// Whether every number of a result is one.
    private func isFinite(_ result: AlignmentResult) -> Bool {
        result.warp.isFinite && result.rms.isFinite && result.zncc.isFinite && result.gain.isFinite
            && result.bias.isFinite
    }

    private static let flat = Plane(width: 120, height: 100, pixels: [Float](repeating: 90, count: 12_000))

    @Test("a flat template is degenerate, its result finite", arguments: AlignmentMethod.allCases)
    func flatTemplate(method: AlignmentMethod) {
        let template = Template(from: Pyramid(Self.flat, levels: 1), at: Self.centre, width: 30, height: 30)
        let result = align(template, AlignmentOptions(method: method))
        #expect(result.status == .degenerate && isFinite(result) && result.warp == Self.centre)
    }

    @Test("a flat image ends without a NaN", arguments: AlignmentMethod.allCases, [RobustWeights.none, .huber, .tukey])
    func flatImage(method: AlignmentMethod, robust: RobustWeights) {
        let result = align(to: Self.flat, AlignmentOptions(method: method, robust: robust))
        #expect(isFinite(result) && result.zncc == 0)
        #expect(result.status != .converged || result.warp == Self.centre)
    }

    @Test("stripes do not determine a position along themselves", arguments: AlignmentMethod.allCases, Motion.allCases)
    func stripes(method: AlignmentMethod, motion: Motion) {
        let plane = Self.flat.painting { x, _, _ in Float(128 + 60 * ((x / 5) % 2)) }
        let template = Template(from: Pyramid(plane, levels: 1), at: Self.centre, width: 30, height: 30)
        let result = align(template, to: plane, AlignmentOptions(method: method, motion: motion))
        #expect(result.status == .degenerate && isFinite(result))
    }

    @Test(
        "nor do slanted stripes, where only rounding keeps the equations regular", arguments: AlignmentMethod.allCases)
    func slantedStripes(method: AlignmentMethod) {
        let plane = Scene.stripes()
        let template = Template(from: Pyramid(plane, levels: 1), at: Self.centre, width: 30, height: 30)
        let result = align(template, to: plane, AlignmentOptions(method: method, motion: .translation))
        #expect(result.status == .degenerate && isFinite(result))
    }

    @Test("an end to the iterations is told apart from convergence")
    func iterationLimit() {
        let moved = Scene.plane(motion: .translation(3, 2))
        let result = align(to: moved, AlignmentOptions(maximumIterations: 1))
        #expect(result.status == .maxIterations && result.iterations == 1)
        #expect(align(to: moved, AlignmentOptions()).status == .converged)
    }

    @Test("a warp that runs away has diverged and goes back to its start", arguments: AlignmentMethod.allCases)
    func divergence(method: AlignmentMethod) {
        let moved = Scene.plane(motion: .translation(4, 3))
        let result = align(to: moved, AlignmentOptions(method: method, maximumMotion: 0.02))
        #expect(result.status == .diverged && result.warp == Self.centre)
        let grown = Scene.plane(motion: .around(Self.centre, .similarity(scale: 1.1)))
        let limited = align(to: grown, AlignmentOptions(method: method, maximumAreaChange: 1.05))
        #expect(limited.status == .diverged && limited.warp == Self.centre)
    }

    @Test(
        "a target outside the image is out of bounds",
        arguments: [
            AffineWarp.translation(-40, 50), .translation(60, 400), .translation(.nan, 50), .translation(1e30, 0),
            .similarity(scale: .infinity),
        ])
    func outOfBounds(start: AffineWarp) {
        let result = align(from: start, AlignmentOptions())
        #expect(result.status == .outOfBounds && result.overlap == 0 && result.iterations == 0)
    }

    @Test("the overlap is the share of the samples in the image")
    func overlap() {
        let result = Aligner().evaluate(
            Self.template, in: Pyramid(Scene.plane(), levels: 1), at: .translation(-0.5, 50),
            workspace: AlignmentWorkspace())
        #expect(abs(result.overlap - 0.5) < 1e-9)
        let corner = Aligner().evaluate(
            Self.template, in: Pyramid(Scene.plane(), levels: 1), at: .translation(119.5, 99.5),
            workspace: AlignmentWorkspace())
        #expect(abs(corner.overlap - 0.25) < 1e-9)
        let turned = Aligner().evaluate(
            Self.template, in: Pyramid(Scene.plane(), levels: 1),
            at: .similarity(scale: 1, cosine: 0, sine: 1, tx: 60, ty: -0.5), workspace: AlignmentWorkspace())
        #expect(abs(turned.overlap - 0.5) < 1e-9)
    }

    @Test("a target partly outside is followed by what is left of it", arguments: AlignmentMethod.allCases)
    func partlyOutside(method: AlignmentMethod) {
        let start = AffineWarp.translation(16, 50)
        let template = Template(from: Scene.pyramid(), at: start, width: 30, height: 30)
        let motion = AffineWarp.translation(-3.5, 1)
        let result = align(
            template, to: Scene.plane(motion: motion), from: start,
            AlignmentOptions(method: method, motion: .translation, robust: .tukey))
        #expect(result.warp.cornerError(to: motion * start, width: 30, height: 30) < 0.1)
        #expect(result.overlap < 0.95)
    }

    @Test("a singular start is refused")
    func singularStart() {
        let start = AffineWarp(a: 0, b: 0, tx: 60, c: 0, d: 0, ty: 50)
        for method in AlignmentMethod.allCases {
            let result = align(from: start, AlignmentOptions(method: method))
            #expect(result.status == .diverged || result.status == .degenerate)
            #expect(result.warp == start)
        }
    }
}
