import Testing

@testable import LucasKanade

/// Baker & Matthews' test (2004, section 3.4): three corners of a patch are perturbed by normal noise, the aligner has
/// 15 iterations, and it has converged when the corners' RMS error is under a pixel.
@Suite("Frequency of convergence")
struct ConvergenceTests {
    private static let centre = AffineWarp.translation(60, 50)
    private static let side = 40.0

    private static func frequency(_ method: AlignmentMethod, sigma: Double, trials: Int) -> Double {
        let image = Scene.pyramid()
        let template = Template(from: image, at: centre, width: side, height: side)
        let aligner = Aligner(options: AlignmentOptions(method: method, maximumIterations: 15))
        let workspace = AlignmentWorkspace()
        var generator = SeededGenerator(seed: 41)
        var converged = 0
        for _ in 0..<trials {
            let start = perturbed(centre, sigma: sigma, generator: &generator)
            let result = aligner.align(template, to: image, from: start, workspace: workspace)
            if result.warp.cornerError(to: centre, width: side, height: side) < 1 { converged += 1 }
        }
        return Double(converged) / Double(trials)
    }

    /// The warp whose top left, top right and bottom left corners are off by normal noise.
    private static func perturbed(_ warp: AffineWarp, sigma: Double, generator: inout SeededGenerator) -> AffineWarp {
        let half = side / 2
        let from = ((-half, -half), (half, -half), (-half, half))
        func noisy(_ corner: (Double, Double)) -> AffineWarp.Point {
            let p = warp.apply(corner.0, corner.1)
            return (p.x + sigma * generator.normal(), p.y + sigma * generator.normal())
        }
        return AffineWarp.mapping(from, to: (noisy(from.0), noisy(from.1), noisy(from.2)))!
    }

    @Test(
        "corners off by 1, 3 and 5 pixels are brought back nearly always, mostly and often",
        arguments: AlignmentMethod.allCases, [(1.0, 1.0), (3, 0.9), (5, 0.6)])
    func frequencies(method: AlignmentMethod, floor: (sigma: Double, frequency: Double)) {
        #expect(Self.frequency(method, sigma: floor.sigma, trials: 20) >= floor.frequency)
    }

    @Test("what cannot be converged to is not called converged: the test can fail")
    func farAway() {
        #expect(Self.frequency(.inverseCompositional, sigma: 25, trials: 10) < 0.5)
    }
}
