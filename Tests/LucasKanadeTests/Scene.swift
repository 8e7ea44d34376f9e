import Foundation
import LucasKanade

/// SplitMix64: the same numbers on every machine.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    mutating func uniform(_ range: ClosedRange<Double>) -> Double { Double.random(in: range, using: &self) }

    /// A normal deviate (Box & Muller).
    mutating func normal() -> Double {
        let radius = (-2 * log(uniform(1e-12...1))).squareRoot()
        return radius * cos(2 * .pi * uniform(0...1))
    }
}

/// A smooth picture that is known between its pixels: a sum of plane waves, of which none is shorter than 16 pixels.
enum Scene {
    private static let waves: [(x: Double, y: Double, phase: Double, amplitude: Double)] = [
        (0.21, 0.03, 0.1, 22), (-0.05, 0.19, 1.3, 20), (0.11, 0.23, 2.1, 16), (0.17, -0.14, 0.7, 16),
        (0.07, -0.31, 2.9, 10), (0.33, 0.05, 4.0, 9), (0.047, 0.061, 5.1, 18),
    ]

    /// Brightness at a position; 17…239.
    static func value(_ x: Double, _ y: Double) -> Double {
        waves.reduce(128) { $0 + $1.amplitude * sin($1.x * x + $1.y * y + $1.phase) }
    }

    /// The picture as a camera sees it after the world has moved by `motion` (a map of the image onto itself).
    static func plane(
        width: Int = 120, height: Int = 100, motion: AffineWarp = .identity, gain: Double = 1, bias: Double = 0
    ) -> Plane {
        let back = motion.inverse!
        var pixels = [Float]()
        pixels.reserveCapacity(width * height)
        for y in 0..<height {
            for x in 0..<width {
                let from = back.apply(Double(x), Double(y))
                pixels.append(Float(gain * value(from.x, from.y) + bias))
            }
        }
        return Plane(width: width, height: height, pixels: pixels)
    }

    /// A single wave: slanted stripes.
    static func stripes() -> Plane {
        plane().painting { x, y, _ in Float(128 + 80 * sin(0.3 * Double(x) + 0.2 * Double(y))) }
    }

    static func pyramid(levels: Int = 1, motion: AffineWarp = .identity, gain: Double = 1, bias: Double = 0) -> Pyramid
    {
        Pyramid(plane(motion: motion, gain: gain, bias: bias), levels: levels)
    }
}

extension AffineWarp {
    /// `local`, said of the image's coordinates instead of those around `centre`.
    static func around(_ centre: AffineWarp, _ local: AffineWarp) -> AffineWarp { centre * local * centre.inverse! }

    /// Root mean square distance of the four corners of a box, in pixels.
    func cornerError(to other: AffineWarp, width: Double, height: Double) -> Double {
        let pairs = zip(corners(width: width, height: height), other.corners(width: width, height: height))
        let squares = pairs.map { ($0.x - $1.x) * ($0.x - $1.x) + ($0.y - $1.y) * ($0.y - $1.y) }
        return (squares.reduce(0, +) / 4).squareRoot()
    }
}

extension Plane {
    /// The same plane with some pixels painted over.
    func painting(_ paint: (_ x: Int, _ y: Int, _ old: Float) -> Float) -> Plane {
        var pixels = pixels
        for y in 0..<height {
            for x in 0..<width { pixels[y * width + x] = paint(x, y, pixels[y * width + x]) }
        }
        return Plane(width: width, height: height, pixels: pixels)
    }

    /// An image of the same grey levels, rounded.
    var image: Image {
        Image(width: width, height: height, pixels: pixels.map { UInt8(min(max($0.rounded(), 0), 255)) })
    }
}
