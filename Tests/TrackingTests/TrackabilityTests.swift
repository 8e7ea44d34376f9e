import Foundation
import LucasKanade
import Testing
import Tracking

@Suite("Trackability")
struct TrackabilityTests {
    /// A picture by formula, with noise of a standard deviation.
    private static func picture(
        _ width: Int = 160, _ height: Int = 120, noise deviation: Double = 0, seed: UInt64 = 1,
        _ level: (Double, Double) -> Double
    ) -> Image {
        var noise = TestNoise(seed: seed)
        let pixels = (0..<width * height).map { k in
            let value = level(Double(k % width) + 0.5, Double(k / width) + 0.5)
            return UInt8(clamping: Int((value + (deviation > 0 ? deviation * noise.normal() : 0)).rounded()))
        }
        return Image(width: width, height: height, pixels: pixels)
    }

    private static let box = Box(x: 60, y: 40, width: 40, height: 40)

    @Test(
        "what is flat is untrackable, with and without noise, and the tracker loses it at once", arguments: [0, 1.5, 4])
    func flat(noise: Double) throws {
        let picture = Self.picture(noise: noise) { _, _ in 120 }
        let found = try Trackability(of: Self.box, gray: picture)
        #expect(found.verdict == .untrackable && found.findings == [.flat])
        #expect(found.minimumEigenvalue < 0.25 + noise)
        let other = Self.picture(noise: noise, seed: 2) { _, _ in 120 }
        let estimates = try track([picture, other], box: Self.box, TrackerOptions(mode: .robust))
        #expect(estimates[1].state != .tracked)
    }

    @Test(
        "an edge that goes through the whole box is the aperture problem, whichever way it runs",
        arguments: [0.0, 0.5, 1.5707963, 2.5], [0.0, 2])
    func edge(angle: Double, noise: Double) throws {
        let (x, y) = (cos(angle), sin(angle))
        let picture = Self.picture(noise: noise) { u, v in
            200 / (1 + exp(-((u - 80) * x + (v - 60) * y))) + 20
        }
        let found = try Trackability(of: Self.box, gray: picture)
        #expect(found.verdict == .poor && found.findings.first == .edge, "\(found)")
        #expect(found.minimumEigenvalue < 0.02 * found.maximumEigenvalue)
        #expect(found.maximumEigenvalue > 50)
    }

    @Test("a corner is good: both eigenvalues are large, also where the picture is noisy", arguments: [0.0, 4])
    func corner(noise: Double) throws {
        let picture = Self.picture(noise: noise) { u, v in u > 80 && v > 60 ? 200 : 60 }
        let found = try Trackability(of: Self.box, gray: picture)
        #expect(found.verdict == .good && found.findings.isEmpty, "\(found)")
        #expect(found.minimumEigenvalue > 0.3 * found.maximumEigenvalue)
        #expect(found.minimumError < 0.05 && found.levels >= 3)
        #expect(found.contrast > 20 && found.texture > 20)
        #expect(abs(found.noise - noise) < 1.2)
        #expect(found.visible == 1 && found.size == 40 && found.pixelSize == 1)
    }

    @Test("the eigenvalues of a sine in one direction are those that calculus gives")
    func sine() throws {
        // I = 120 + 50·sin(kx): the mean of the squared central differences is ½·(50·sin k)².
        let k = 2 * Double.pi / 20
        let picture = Self.picture { u, _ in 120 + 50 * sin(k * u) }
        let found = try Trackability(of: Self.box, gray: picture)
        let expected = 0.5 * 50 * 50 * sin(k) * sin(k)
        #expect(abs(found.maximumEigenvalue - expected) < 0.02 * expected)
        #expect(found.minimumEigenvalue < 0.05)
        #expect(found.findings.first == .edge)
    }

    @Test("noise of itself is no structure", arguments: [6.0, 10])
    func noiseOnly(noise: Double) throws {
        let found = try Trackability(of: Self.box, gray: Self.picture(noise: noise) { _, _ in 120 })
        #expect(found.verdict >= .poor, "\(found)")
        #expect(abs(found.noise - noise) < 0.2 * noise)
    }

    @Test("slow shading is faint")
    func shading() throws {
        let found = try Trackability(
            of: Self.box, gray: Self.picture(noise: 1) { u, v in 100 + 0.3 * u + 0.2 * v })
        #expect(found.verdict == .poor && found.findings.first == .faint, "\(found)")
    }

    @Test("few pixels, and a box that reaches outside, are told")
    func sizeAndPlace() throws {
        let picture = Self.picture { u, v in 120 + 60 * sin(u * 0.9) * sin(v * 0.8) }
        let tiny = try Trackability(of: Box(x: 50, y: 50, width: 6, height: 6), gray: picture)
        #expect(tiny.verdict == .poor && tiny.findings == [.small] && tiny.levels == 1)
        let small = try Trackability(of: Box(x: 50, y: 50, width: 13, height: 14), gray: picture)
        #expect(small.verdict == .fair && small.findings == [.small] && small.levels == 2)
        let cut = try Trackability(of: Box(x: -10, y: 40, width: 40, height: 40), gray: picture)
        #expect(cut.verdict == .fair && cut.findings == [.cutOff] && cut.visible == 0.75)
        let mostlyOut = try Trackability(of: Box(x: -30, y: 40, width: 40, height: 40), gray: picture)
        #expect(mostlyOut.verdict == .poor && mostlyOut.findings == [.cutOff])
    }

    @Test("colours of the same brightness can be told, but have no pattern")
    func colors() throws {
        let gray = Self.picture { _, _ in 110 }
        var pixels: [UInt8] = []
        for y in 0..<120 {
            for x in 0..<160 {
                let isTarget = (60..<100).contains(x) && (40..<80).contains(y)
                // Red and green of the same luma.
                pixels += isTarget ? [0, 86, 199] : [0, 187, 0]
            }
        }
        let color = Image(width: 160, height: 120, channels: 3, pixels: pixels)
        let found = try Trackability(of: Self.box, gray: gray, color: color)
        #expect(found.verdict == .fair && found.findings == [.colorOnly])
        #expect(found.contrast > 20 && found.texture == 0 && found.minimumError == .infinity)
    }

    @Test("a large target is looked at in less detail, with the same verdict")
    func large() throws {
        func scaled(_ s: Double) throws -> Trackability {
            let picture = Self.picture(Int(160 * s), Int(120 * s)) { u, v in u > 80 * s && v > 60 * s ? 200 : 60 }
            return try Trackability(
                of: Box(x: 60 * s, y: 40 * s, width: 40 * s, height: 40 * s), gray: picture)
        }
        let found = try scaled(8)
        #expect(found.verdict == .good && found.pixelSize == 2 && found.size == 320)
        #expect(try scaled(16).pixelSize == 4)
    }

    @Test("synthetic targets that are followed to a tenth of a pixel are good", arguments: [1, 2, 3] as [UInt64])
    func synthetic(seed: UInt64) throws {
        let footage = try Footage(.init(width: 260, height: 160, frames: 2, seed: seed, speed: 1))
        let found = try Trackability(of: footage.box(), gray: footage.frames[0])
        #expect(found.verdict == .good, "\(found)")
        #expect(found.advice == "This box can be tracked.")
    }

    @Test("every finding has advice of its own")
    func advice() {
        let texts = Trackability.Finding.allCases.map(\.advice)
        #expect(Set(texts).count == texts.count && texts.allSatisfy { $0.hasSuffix(".") && $0.count > 40 })
    }

    @Test("boxes and pictures that no session takes are refused")
    func refused() {
        let picture = Image.flat(10)
        for box in [
            Box(x: 0, y: 0, width: 3, height: 9), Box(x: 64, y: 0, width: 9, height: 9),
            Box(x: .nan, y: 0, width: 9, height: 9),
        ] {
            #expect(throws: TrackingError.self) { try Trackability(of: box, gray: picture) }
        }
        #expect(throws: TrackingError.self) {
            try Trackability(of: Box(x: 0, y: 0, width: 9, height: 9), gray: picture, color: picture)
        }
    }
}
