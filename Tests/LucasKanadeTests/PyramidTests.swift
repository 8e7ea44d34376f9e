import Foundation
import Testing

@testable import LucasKanade

@Suite("Pyramids")
struct PyramidTests {
    private static let image = Scene.plane(width: 101, height: 77).image

    /// The definition, pixel by pixel.
    private func reference(_ plane: Plane) -> Plane {
        let taps: [Float] = [1, 4, 6, 4, 1]
        let (width, height) = ((plane.width + 1) / 2, (plane.height + 1) / 2)
        var pixels = [Float]()
        for j in 0..<height {
            for i in 0..<width {
                var sum: Float = 0
                for y in 0..<5 {
                    for x in 0..<5 { sum += taps[x] * taps[y] * plane[2 * i + x - 2, 2 * j + y - 2] }
                }
                pixels.append(sum / 256)
            }
        }
        return Plane(width: width, height: height, pixels: pixels)
    }

    @Test(
        "a level is the binomial 1-4-6-4-1 at every second pixel, borders repeated",
        arguments: [(40, 31), (41, 30), (2, 3), (1, 1)])
    func binomial(size: (Int, Int)) {
        let plane = Scene.plane(width: size.0, height: size.1)
        let (found, expected) = (halved(plane), reference(plane))
        #expect(found.width == expected.width && found.height == expected.height)
        for (a, b) in zip(found.pixels, expected.pixels) { #expect(abs(a - b) < 1e-3) }
    }

    @Test("pixel i of a level is centred on pixel 2i below: a ramp keeps its values there")
    func centres() {
        var pixels = [Float]()
        for y in 0..<32 { for x in 0..<48 { pixels.append(Float(2 * x + 3 * y)) } }
        let pyramid = Pyramid(Plane(width: 48, height: 32, pixels: pixels), levels: 3)
        for (x, y) in [(3, 3), (5, 4), (8, 4)] { #expect(abs(pyramid[2][x, y] - Float(8 * x + 12 * y)) < 1e-3) }
    }

    @Test("a region's pyramid is the crop of the whole image's, bit for bit, where borders do not reach")
    func regionEqualsWhole() {
        let options = PyramidOptions(levels: 3, blurSigma: 0.8)
        let whole = Pyramid(Self.image, options: options)
        var generator = SeededGenerator(seed: 11)
        for _ in 0..<6 {
            let region = PixelRegion(
                x: 4 * Int.random(in: 0...6, using: &generator), y: 4 * Int.random(in: 0...4, using: &generator),
                width: Int.random(in: 50...70, using: &generator), height: Int.random(in: 50...60, using: &generator))
            let part = Pyramid(Self.image, region: region, options: options)
            for level in 0..<3 {
                let (plane, origin) = (part[level], part.origin(ofLevel: level))
                // The blur reaches 3 pixels, each halving 2 of the level below.
                let reach = 4 + level
                for y in reach..<plane.height - reach {
                    for x in reach..<plane.width - reach {
                        #expect(plane[x, y] == whole[level][x + origin.x, y + origin.y])
                    }
                }
            }
        }
    }

    @Test("the blur is a Gaussian: it keeps a constant and damps a wave by exp(−σ²ω²/2)")
    func blur() {
        let flat = Plane(width: 9, height: 8, pixels: [Float](repeating: 77, count: 72))
        for value in gaussianBlurred(flat, sigma: 1.3).pixels { #expect(abs(value - 77) < 1e-3) }
        let omega = 0.5
        let wave = (0..<60 * 9).map { Float(100 * cos(omega * Double($0 % 60 - 30))) }
        let blurred = gaussianBlurred(Plane(width: 60, height: 9, pixels: wave), sigma: 1.5)
        #expect(abs(Double(blurred[30, 4]) / 100 - exp(-1.5 * 1.5 * omega * omega / 2)) < 0.01)
    }

    @Test("a base of level b averages squares of 2^b pixels around every 2^b-th one")
    func areaReduction() {
        let reduced = Pyramid(Self.image, options: PyramidOptions(levels: 2, baseLevel: 2))
        #expect(reduced.levels == 2..<4)
        let (plane, source) = (reduced[2], Plane(Self.image))
        #expect(plane.width == 26 && plane.height == 20)
        let weights: [Float] = [0.5, 1, 1, 1, 0.5]
        for (i, j) in [(0, 0), (5, 7), (25, 19), (12, 0)] {
            var sum: Float = 0
            for y in 0..<5 {
                for x in 0..<5 { sum += weights[x] * weights[y] * source[4 * i + x - 2, 4 * j + y - 2] }
            }
            #expect(abs(plane[i, j] - sum / 16) < 1e-3)
        }
    }

    @Test("an area-reduced region is the crop of the whole image's")
    func areaReducedRegion() {
        let options = PyramidOptions(levels: 1, baseLevel: 2)
        let whole = Pyramid(Self.image, options: options)[2]
        let part = Pyramid(Self.image, region: PixelRegion(x: 20, y: 12, width: 41, height: 33), options: options)[2]
        for y in 0..<part.height - 1 {
            for x in 0..<part.width - 1 { #expect(part[x, y] == whole[x + 5, y + 3]) }
        }
    }

    @Test("options out of their range make a pyramid all the same", arguments: [-3, 0, 1, 12, 80])
    func levelsOutOfRange(levels: Int) {
        let pyramid = Pyramid(Self.image, options: PyramidOptions(levels: levels, blurSigma: 1e9))
        #expect(pyramid.levels == 0..<max(levels, 1))
        let areFinite = pyramid[pyramid.levels.upperBound - 1].pixels.allSatisfy { $0.isFinite }
        #expect(areFinite)
    }

    @Test("the exponential is right to the last digits", arguments: [-20.0, -1.5, -0.3, 0, 0.1, 1, 30])
    func exponentialFunction(x: Double) {
        #expect(abs(exponential(x) / exp(x) - 1) < 1e-14)
    }

    @Test(
        "the logarithm is right to the last digits",
        arguments: [1e-300, 1e-3, 0.5, 0.7, 0.7072, 0.999, 1, 1.414, 1.5, 3, 1e9])
    func logarithm(x: Double) {
        #expect(abs(naturalLogarithm(x) - log(x)) <= 4e-16 * max(abs(log(x)), 1e-3))
    }
}
