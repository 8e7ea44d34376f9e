import LucasKanade
import Testing

@testable import Tracking

@Suite("What the locator is made of")
struct LocatorPartsTests {
    private static let parameters = RobustTrackerParameters()

    private func frame(_ image: Image, color: Image? = nil) -> PreparedFrame {
        PreparedFrame(gray: image, color: color, workspace: AlignmentWorkspace())
    }

    private func ramp(width: Int, height: Int, _ value: (Int, Int) -> Int) -> Image {
        Image(
            width: width, height: height,
            pixels: (0..<width * height).map { UInt8(clamping: value($0 % width, $0 / width)) })
    }

    @Test("a patch of a ramp is a ramp, enlarged or reduced", arguments: [8.0, 24, 60, 110])
    func patchOfRamp(extent: Double) {
        let image = ramp(width: 120, height: 120) { x, y in x + y }
        let patch = PatchSampler(width: 24, height: 24).sample(
            frame(image), usesColor: false, center: Point(x: 60, y: 60), extentX: extent, extentY: extent)
        let step = extent / 24
        for (x, y) in [(0, 0), (23, 0), (11, 12), (5, 20)] {
            // A position between pixel corners; pixel k has its centre at k + ½.
            let expected = 2 * 60 + (Double(x + y) + 1 - 24) * step - 1
            #expect(abs(Double(patch.gray[y * 24 + x]) - expected) < 0.51 + (extent > 100 ? 0.6 : 0))
        }
    }

    @Test("beyond the frame its outermost pixels go on, however far a patch reaches")
    func patchBeyondFrame() {
        let image = ramp(width: 40, height: 30) { x, _ in x < 20 ? 50 : 200 }
        for extent in [60.0, 4_000, 2e6] {
            let patch = PatchSampler(width: 16, height: 16).sample(
                frame(image), usesColor: false, center: Point(x: 20, y: 15), extentX: extent, extentY: extent)
            #expect(abs(patch.gray[0] - 50) < 1e-3 && abs(patch.gray[15] - 200) < 1e-3)
            #expect(patch.gray.allSatisfy { $0 >= 49.9 && $0 <= 200.1 })
        }
    }

    @Test("the search window is Hann's where there is room, and does not fade the target where there is little")
    func window() {
        func middleRow(_ searchSize: Double) -> [Float] {
            var parameters = Self.parameters
            parameters.searchSize = searchSize
            return Array(CellFeatureExtractor(columns: 36, rows: 1, parameters: parameters).window)
        }
        for (index, weight) in middleRow(4.5).enumerated() {
            let hann = 0.5 - 0.5 * sineAndCosine(2 * .pi * (Double(index) + 0.5) / 36).cosine
            #expect(abs(Double(weight) - hann) < 1e-6)
        }
        for searchSize in [1, 1.5, 2, 3, 4.5, 9] {
            let weights = middleRow(searchSize)
            #expect(weights.allSatisfy { (0...1).contains($0) } && weights == weights.reversed())
            // The cells under the target, the ones at its edge included as far as the window's slopes leave them.
            let half = 18 / max(searchSize, 1.2)
            for (index, weight) in weights.enumerated() where abs(Double(index) - 17.5) <= half {
                #expect(weight > 0.85)
            }
            #expect(weights[0] < 0.3)
        }
    }

    @Test("an edge's direction falls into its orientation's bin, whatever its sign", arguments: 0..<8)
    func orientation(bin: Int) {
        // A sinusoid along the bin's direction in the middle of a flat picture; bins are an eighth of half a turn apart.
        let (sine, cosine) = sineAndCosine(.pi * Double(bin) / 8)
        let side = 64
        let gray = (0..<side * side).map { k -> Float in
            let (x, y) = (Double(k % side) - 31.5, Double(k / side) - 31.5)
            guard x * x + y * y < 18 * 18 else { return 128 }
            return Float(128 + 60 * sineAndCosine((x * cosine + y * sine) * 0.5).sine)
        }
        let extractor = CellFeatureExtractor(columns: 16, rows: 16, parameters: Self.parameters)
        let features = extractor.extract(Patch(width: side, height: side, gray: gray, color: nil))
        let middle = (6..<10).flatMap { j in (6..<10).map { j * 16 + $0 } }
        let sums = (0..<8).map { lane in middle.map { features.groups[0][$0][lane] }.reduce(0, +) }
        #expect(sums.firstIndex(of: sums.max()!) == bin)
    }

    @Test("orientation channels do not change with the gain of a picture")
    func gain() {
        var random = SplitMix64(seed: 5)
        let gray = (0..<64 * 64).map { _ in Float(random.uniform(0...120)) }
        let extractor = CellFeatureExtractor(columns: 16, rows: 16, parameters: Self.parameters)
        let one = extractor.extract(Patch(width: 64, height: 64, gray: gray, color: nil))
        let two = extractor.extract(Patch(width: 64, height: 64, gray: gray.map { $0 * 2 }, color: nil))
        for (a, b) in zip(one.groups[0], two.groups[0]) {
            for lane in 0..<8 { #expect(abs(a[lane] - b[lane]) < 0.01) }
        }
    }

    @Test("a filter answers where its picture has moved to, and keeps within its mask")
    func filterFollows() {
        var random = SplitMix64(seed: 9)
        let side = 20
        let picture = (0..<side * side).map { _ -> ChannelLanes in
            var lanes = ChannelLanes.zero
            for lane in lanes.indices { lanes[lane] = Float(random.uniform(-0.5...0.5)) }
            return lanes
        }
        let mask = (0..<side * side).map { k -> Float in
            abs(k % side - 10) <= 4 && abs(k / side - 10) <= 4 ? 1 : 0
        }
        var filter = CorrelationFilter(
            fourier: ChannelFourier(width: side, height: side), mask: mask, labelDeviation: 1,
            parameters: Self.parameters)
        for _ in 0..<3 { filter.train(CellFeatures(groups: [picture])) }
        for (dx, dy) in [(0, 0), (3, 0), (0, -4), (-5, 2)] {
            let moved = (0..<side * side).map { k in
                picture[(k / side - dy + side) % side * side + (k % side - dx + side) % side]
            }
            let response = filter.respond([CellFeatures(groups: [moved])]).map { $0[0] }
            let peak = response.firstIndex(of: response.max()!)!
            #expect(peak % side == (dx + side) % side && peak / side == (dy + side) % side)
            #expect(response[peak] > 0.5)
        }
        // What lies outside the mask does not answer.
        let outside = zip(picture, mask).map { $1 > 0 ? ChannelLanes.zero : $0 }
        let response = filter.respond([CellFeatures(groups: [outside])]).map { $0[0] }
        #expect(abs(response[0]) < 0.2)
    }

    @Test("colours seen inside only are the target's, those outside only are not")
    func colors() throws {
        let side = 32
        let pixels = (0..<side * side).flatMap { k -> [Float] in
            let isInside = abs(Double(k % side) + 0.5 - 16) < 6 && abs(Double(k / side) + 0.5 - 16) < 6
            return isInside ? [20, 30, 200] : [200, 120, 40]
        }
        let patch = ColorPatch(width: side, height: side, pixels: pixels)
        var colors = ColorModel()
        colors.learn(patch, inner: (4, 4), outer: (6, 6), rate: 0.04)
        let shares = colors.likelihood(patch)
        #expect(shares[8 * 16 + 8] == 1 && shares[0] == 0)
        let means = boxMeans(shares, columns: 16, rows: 16, halfX: 3, halfY: 3)
        #expect(means[8 * 16 + 8] > 0.7 && means[0] < 0.1)
    }

    @Test("confidence grows with what speaks for a target, and falls while it is missed")
    func confidence() {
        let steps = [0.0, 0.2, 0.4, 0.6, 0.8, 1]
        for fixed in steps {
            let byResponse = steps.map { RobustConfidence.found(response: $0, firstCorrelation: fixed) }
            let byCorrelation = steps.map { RobustConfidence.found(response: fixed, firstCorrelation: $0) }
            for values in [byResponse, byCorrelation] {
                #expect(zip(values, values.dropFirst()).allSatisfy { $0 < $1 })
                #expect(values.allSatisfy { $0 > 0 && $0 < 1 })
            }
        }
        #expect(RobustConfidence.found(response: .nan, firstCorrelation: -.infinity).isFinite)
        let missed = (1...30).map { RobustConfidence.missed($0) }
        #expect(zip(missed, missed.dropFirst()).allSatisfy { $0 > $1 } && missed[29] > 0)
    }
}
