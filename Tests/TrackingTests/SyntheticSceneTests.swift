import LucasKanade
import Testing

@testable import Tracking

@Suite("Synthetic scenes")
struct SyntheticSceneTests {
    private func bytes(_ image: Image) -> [UInt8] { image.withBytes { [UInt8]($0) } }

    private let rich = SyntheticScene.Options(
        width: 64, height: 48, frames: 40, seed: 7, targets: 2, noise: 4, gain: 0.7...1.3, motionBlur: 0.5,
        defocus: 0.7, occluder: true)

    @Test("the same options give the same bytes, whatever order frames are rendered in")
    func determinism() throws {
        let one = try SyntheticScene(rich)
        let other = try SyntheticScene(rich)
        let late = bytes(other.gray(frame: 9))
        #expect(bytes(one.gray(frame: 3)) == bytes(other.gray(frame: 3)))
        #expect(bytes(one.gray(frame: 9)) == late)
        #expect(bytes(one.color(frame: 9)) == bytes(other.color(frame: 9)))
        #expect(one.truth(frame: 9) == other.truth(frame: 9))
    }

    @Test("another seed gives another scene")
    func seeds() throws {
        var options = rich
        options.seed = 8
        let one = try SyntheticScene(rich)
        let other = try SyntheticScene(options)
        #expect(bytes(one.gray(frame: 0)) != bytes(other.gray(frame: 0)))
        #expect(one.truth(frame: 5) != other.truth(frame: 5))
    }

    @Test("a generator's sequence is the published one")
    func splitMix() {
        // First outputs for seed 1234567, from the reference implementation in C (prng.di.unimi.it/splitmix64.c).
        var generator = SplitMix64(seed: 1_234_567)
        #expect(generator.next() == 6_457_827_717_110_365_317)
        #expect(generator.next() == 3_203_168_211_198_807_973)
    }

    @Test("the truth starts at the identity and every frame's box and quad follow from its affine map")
    func truth() throws {
        let scene = try SyntheticScene(rich)
        let first = scene.truth(frame: 0)
        #expect(first.count == 2)
        for (index, start) in first.enumerated() {
            #expect(start.affine == .identity)
            for frame in [1, 17, 39] {
                let truth = scene.truth(frame: frame)[index]
                #expect(truth.quad == truth.affine.apply(start.box.quad))
                #expect(truth.box.center.distance(to: truth.affine.apply(start.box.center)) < 1e-9)
                #expect(abs(truth.box.area - start.box.area * truth.affine.determinant) < 1e-6 * start.box.area)
            }
        }
    }

    @Test("a target's pixels are its texture under the inverse of the truth", arguments: [0, 11, 29])
    func exactPixels(frame: Int) throws {
        let scene = try SyntheticScene(.init(width: 96, height: 80, frames: 30, seed: 3, speed: 2))
        let image = scene.gray(frame: frame)
        let layer = scene.layers[1]
        let truth = try #require(scene.truth(frame: frame).first)
        let inverse = try #require(truth.affine.inverse)
        let box = try #require(layer.extent)
        let inner = Box(center: box.center, width: box.width - 6, height: box.height - 6)
        var compared = 0
        for y in 0..<80 {
            for x in 0..<96 {
                let source = inverse.apply(Point(x: Double(x) + 0.5, y: Double(y) + 0.5))
                guard inner.contains(source) else { continue }
                var value: [Float] = [0]
                value.withUnsafeMutableBufferPointer {
                    layer.texture.evaluate(
                        from: SIMD2(Float(source.x), Float(source.y)), step: .zero, into: $0)
                }
                // Half a level of rounding, and single precision.
                #expect(abs(Float(image[x, y]) - min(max(value[0], 0), 255)) < 0.51)
                compared += 1
            }
        }
        #expect(compared > 300)
    }

    @Test("targets stay in the frame and move at moderate speed", arguments: [UInt64(1), 2, 3])
    func staysInside(seed: UInt64) throws {
        let scene = try SyntheticScene(.init(width: 200, height: 160, frames: 100, seed: seed, targets: 3, speed: 1.5))
        var last = scene.truth(frame: 0)
        var travelled = 0.0
        for frame in 1..<100 {
            let now = scene.truth(frame: frame)
            for (before, after) in zip(last, now) {
                #expect(after.visible == 1)
                let step = after.box.center.distance(to: before.box.center)
                #expect(step <= 1.5 * 2.0.squareRoot() + 1e-9)
                travelled += step
                #expect(after.affine.determinant > 0.4 && after.affine.determinant < 2)
            }
            last = now
        }
        #expect(travelled > 30, "nothing moved")
    }

    @Test("noise has the deviation that was asked for, and gain reaches both of its ends")
    func noiseAndGain() throws {
        let plain = try SyntheticScene(.init(width: 64, height: 64, frames: 120, seed: 5))
        let noisy = try SyntheticScene(.init(width: 64, height: 64, frames: 120, seed: 5, noise: 4))
        let pairs = zip(bytes(plain.gray(frame: 4)), bytes(noisy.gray(frame: 4)))
        let squares = pairs.map { Double(Int($0.0) - Int($0.1)) }.map { $0 * $0 }
        let deviation = (squares.reduce(0, +) / Double(squares.count)).squareRoot()
        #expect(abs(deviation - 4) < 0.3)

        let lit = try SyntheticScene(.init(width: 16, height: 16, frames: 120, seed: 5, gain: 0.7...1.3))
        let gains = (0..<120).map { lit.gain(frame: $0) }
        #expect(gains.allSatisfy { (0.7 - 1e-9...1.3 + 1e-9).contains($0) })
        #expect(try #require(gains.min()) < 0.72)
        #expect(try #require(gains.max()) > 1.28)
    }

    @Test("the occluder hides every target once and is gone at the end")
    func occluder() throws {
        let scene = try SyntheticScene(.init(width: 120, height: 80, frames: 60, seed: 2, occluder: true))
        let visible = (0..<60).map { scene.truth(frame: $0)[0].visible }
        #expect(visible[0] == 1 && visible[59] == 1)
        #expect(visible.contains(0))
    }

    @Test("the luma of a colour frame is the grey frame")
    func colorMatchesGray() throws {
        let scene = try SyntheticScene(.init(width: 48, height: 40, frames: 10, seed: 4, noise: 3))
        let gray = scene.gray(frame: 6)
        let color = scene.color(frame: 6)
        var tinted = 0
        for y in 0..<40 {
            for x in 0..<48 {
                let (b, g, r) = (Double(color[x, y, 0]), Double(color[x, y, 1]), Double(color[x, y, 2]))
                #expect(abs(0.114 * b + 0.587 * g + 0.299 * r - Double(gray[x, y])) < 2)
                if abs(b - r) > 10 { tinted += 1 }
            }
        }
        #expect(tinted > 100, "there is hardly any colour")
    }

    @Test("blur removes detail without moving the picture")
    func blur() throws {
        let sharp = try SyntheticScene(.init(width: 64, height: 64, frames: 10, seed: 5))
        let soft = try SyntheticScene(.init(width: 64, height: 64, frames: 10, seed: 5, defocus: 2))
        func detail(_ image: Image) -> Int {
            (0..<64).reduce(0) { sum, y in
                sum + (1..<64).reduce(0) { $0 + abs(Int(image[$1, y]) - Int(image[$1 - 1, y])) }
            }
        }
        #expect(detail(soft.gray(frame: 3)) * 2 < detail(sharp.gray(frame: 3)))
        #expect(soft.truth(frame: 3) == sharp.truth(frame: 3))
    }

    @Test(
        "an option out of its range is refused by its name",
        arguments: [
            (SyntheticScene.Options(width: 8), "width"), (.init(frames: 0), "frames"), (.init(targets: 0), "targets"),
            (.init(noise: -1), "noise"), (.init(gain: 0...1), "gain"), (.init(targetWidth: 300), "targetWidth"),
            (.init(targetHeight: 3), "targetHeight"), (.init(speed: .nan), "speed"),
            (.init(motionBlur: 2), "motionBlur"),
            (.init(defocus: .infinity), "defocus"),
        ])
    func badOptions(options: SyntheticScene.Options, name: String) {
        let error = #expect(throws: TrackingError.self) { try SyntheticScene(options) }
        #expect(error?.option == name)
        #expect(error?.message.contains(name) == true)
    }
}
