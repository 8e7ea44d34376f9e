import Testing

@testable import LucasKanade

@Suite("Robust weights")
struct RobustnessTests {
    private static let centre = AffineWarp.translation(60, 50)
    private static let side = 40.0

    /// The picture after `motion`, with a dark patch over the given share of the box's area.
    private static func occluded(_ share: Double, motion: AffineWarp) -> Pyramid {
        let covered = side * share
        let plane = Scene.plane(motion: .around(centre, motion)).painting { x, y, old in
            let inBox = abs(Double(y) - 50) <= side / 2 + 4 && Double(x) >= 60 - side / 2 - 4
            return inBox && Double(x) < 60 - side / 2 + covered ? 30 : old
        }
        return Pyramid(plane, levels: 1)
    }

    private static func error(
        _ method: AlignmentMethod, _ robust: RobustWeights, share: Double
    ) -> (error: Double, result: AlignmentResult) {
        let motion = AffineWarp(a: 1.02, b: 0.02, tx: 1.2, c: -0.02, d: 0.98, ty: -0.8)
        let template = Template(from: Scene.pyramid(), at: centre, width: side, height: side)
        let result = Aligner(options: AlignmentOptions(method: method, robust: robust)).align(
            template, to: occluded(share, motion: motion), from: centre, workspace: AlignmentWorkspace())
        return (result.warp.cornerError(to: centre * motion, width: side, height: side), result)
    }

    @Test(
        "with 20 and 30 % of the target covered Tukey's weights are right where least squares is off",
        arguments: AlignmentMethod.allCases, [0.2, 0.3])
    func tukey(method: AlignmentMethod, share: Double) {
        let plain = Self.error(method, .none, share: share).error
        let (error, result) = Self.error(method, .tukey, share: share)
        #expect(error < 0.1)
        #expect(plain > 1 && error < plain / 10)
        // What is covered shows in the measurements, though not in the warp.
        #expect(result.inlierShare < 1 - share + 0.05 && result.inlierShare > 1 - share - 0.25)
        #expect(result.zncc < 0.95 && result.rms > 10)
    }

    // Forward additive has nothing but the gradients of the spoilt image.
    @Test(
        "Huber's weights lessen the harm of scattered outliers, most where the template's gradients are used",
        arguments: [(AlignmentMethod.forwardAdditive, 2.0), (.inverseCompositional, 10), (.esm, 10)])
    func huber(method: AlignmentMethod, factor: Double) {
        let motion = AffineWarp(a: 1.02, b: 0.02, tx: 1.2, c: -0.02, d: 0.98, ty: -0.8)
        // A sixth of the picture in blocks: of single pixels, four at a time would spoil each interpolated sample.
        var generator = SeededGenerator(seed: 33)
        let glinting = (0..<25 * 20).map { _ in generator.uniform(0...1) < 0.16 }
        let glints = Scene.plane(motion: .around(Self.centre, motion)).painting { x, y, old in
            glinting[(y / 5) * 25 + x / 5] ? 255 : old
        }
        let template = Template(from: Scene.pyramid(), at: Self.centre, width: Self.side, height: Self.side)
        let errors = [RobustWeights.none, .huber].map { robust in
            Aligner(options: AlignmentOptions(method: method, robust: robust)).align(
                template, to: Pyramid(glints, levels: 1), from: Self.centre, workspace: AlignmentWorkspace()
            ).warp.cornerError(to: Self.centre * motion, width: Self.side, height: Self.side)
        }
        #expect(errors[1] < errors[0] / factor)
    }

    @Test("gain and bias are those of what is not covered")
    func photometryOfInliers() {
        let (_, result) = Self.error(.inverseCompositional, .tukey, share: 0.25)
        #expect(abs(result.gain - 1) < 0.05 && abs(result.bias) < 5)
    }

    @Test("the photometric fit is the weighted line through the samples, whatever the shift")
    func photometricFit() {
        var generator = SeededGenerator(seed: 35)
        let samples = (0..<64).map { _ in Float(generator.uniform(-40...60)) }
        let weights = (0..<64).map { _ in Float(generator.uniform(0...1)) }
        let noise = (0..<64).map { Float($0 % 2 == 0 ? 2 : -2) }
        let image = zip(samples, noise).map { 1.25 * $0 + 70 + $1 }
        for shift: Float in [0, 64, 100] {
            let sums = PhotometricSums(samples: samples, weights: weights, image: image, shift: shift, size: 64)
            let state = PhotometricState(sums, shift: shift, matchingDeviations: false)
            #expect(abs(state.gain - 1.25) < 0.03 && abs(state.level - 70) < 0.7)
            #expect(abs(sums.rms(gain: 1.25, level: 70 - Double(shift)) - 2) < 1e-2)
            #expect(sums.zncc > 0.99 && sums.zncc < 0.9999)
            let matched = PhotometricState(sums, shift: shift, matchingDeviations: true)
            #expect(abs(matched.gain * sums.zncc - state.gain) < 1e-6)
        }
    }

    @Test(
        "erosion gives each sample the least weight of itself and its neighbours, borders and tails included",
        arguments: [7, 8, 9])
    func erosion(columns: Int) {
        let rows = 6
        let template = Template(from: Scene.pyramid(), at: Self.centre, width: Double(columns), height: Double(rows))
        let layout = GridLayout(template.shape)
        let workspace = AlignmentWorkspace()
        let grids = workspace.grids(columns: columns, rows: rows)
        defer { withExtendedLifetime(workspace) {} }
        let weight = { (i: Int, j: Int) in Float((i * 29 + j * 17) % 23 + 1) }
        for j in 0..<rows {
            for i in 0..<layout.stride { grids.weights[j * layout.stride + i] = i < columns ? weight(i, j) : 0 }
        }
        let eroded = erodeWeights(grids, columns: columns, layout: layout)
        for j in 0..<rows {
            for i in 0..<columns {
                var least = weight(i, j)
                for (x, y) in [(i - 1, j), (i + 1, j), (i, j - 1), (i, j + 1)]
                where x >= 0 && x < columns && y >= 0 && y < rows { least = min(least, weight(x, y)) }
                #expect(eroded[j * layout.stride + i] == least)
            }
        }
    }

    @Test("the median of magnitudes is right to 2 %, whatever their scale", arguments: [0.02, 1.0, 300.0])
    func median(scale: Double) {
        var generator = SeededGenerator(seed: 31)
        let (columns, rows) = (13, 21)
        let stride = paddedToLanes(columns)
        // The padding would spoil the median.
        var values = [Float](repeating: 1e6, count: stride * rows)
        var used = [Float]()
        for j in 0..<rows {
            for i in 0..<columns {
                let value = Float(abs(generator.normal()) * scale)
                values[j * stride + i] = value
                used.append(value)
            }
        }
        let found = medianOfMagnitudes(values, columns: columns, rows: rows, stride: stride)
        let expected = used.sorted()[used.count / 2]
        #expect(abs(found / expected - 1) < 0.03)
        let zeros = [Float](repeating: 0, count: stride * rows)
        #expect(medianOfMagnitudes(zeros, columns: columns, rows: rows, stride: stride) < 0.002)
    }

    @Test("weights follow their formulas", arguments: [RobustWeights.none, .huber(k: 1.5), .tukey(k: 4)])
    func formulas(kind: RobustWeights) {
        let template = Template(from: Scene.pyramid(), at: Self.centre, width: 11, height: 9)
        let workspace = AlignmentWorkspace()
        let grids = workspace.grids(columns: 11, rows: 9)
        defer { withExtendedLifetime(workspace) {} }
        let layout = GridLayout(template.shape)
        template.withSections { sections in
            // Residuals 0, 1, 2 … 98 grey levels over the samples.
            for j in 0..<9 {
                for i in 0..<layout.stride {
                    let k = j * layout.stride + i
                    grids.image[k] = sections.samples[k] + 50 + Float(i < 11 ? (j * 11 + i) * (i % 2 == 0 ? 1 : -1) : 0)
                }
            }
            let mean = weighResiduals(
                kind, grids: grids, sections: sections, columns: 11, layout: layout, gain: 1, level: 50)
            let deviation = 1.4826 * medianOfMagnitudes(grids.residuals, columns: 11, rows: 9, stride: layout.stride)
            #expect(abs(deviation / (1.4826 * 49) - 1) < 0.03)
            var sum: Float = 0
            for j in 0..<9 {
                for i in 0..<11 {
                    let share = Float(j * 11 + i) / deviation
                    let expected: Float =
                        switch kind {
                        case .none: 1
                        case .huber(let k): share <= Float(k) ? 1 : Float(k) / share
                        case .tukey(let k):
                            share < Float(k)
                                ? (1 - (share / Float(k)) * (share / Float(k)))
                                    * (1 - (share / Float(k)) * (share / Float(k)))
                                : 0
                        }
                    #expect(abs(grids.weights[j * layout.stride + i] - expected) < 1e-3)
                    sum += expected
                }
            }
            #expect(abs(mean - Double(sum) / 99) < 1e-3)
        }
    }
}
