import LucasKanade
import Testing

@testable import Tracking

@Suite("Training of the filter")
struct FilterTrainingTests {
    private static let side = 12

    private static func lanes(_ random: inout SplitMix64) -> ChannelLanes {
        var lanes = ChannelLanes.zero
        for lane in lanes.indices { lanes[lane] = Float(random.uniform(-0.5...0.5)) }
        return lanes
    }

    private static func spectra(_ fourier: ChannelFourier, _ random: inout SplitMix64) -> [[ComplexLanes]] {
        (0..<2).map { _ in fourier.forward((0..<side * side).map { _ in lanes(&random) }) }
    }

    /// With a support that is everywhere, one step is the ridge regression itself, whose normal equations the filter must
    /// satisfy at every frequency: x (xᴴ f − y) / T + (γ + μ) f = μ f(before).
    @Test("Sherman and Morrison's formula solves the normal equations, with and without a memory", arguments: [0, 0.7])
    func normalEquations(memory: Float) {
        var random = SplitMix64(seed: 3)
        let fourier = ChannelFourier(width: Self.side, height: Self.side)
        let x = Self.spectra(fourier, &random)
        let model = memory > 0 ? Self.spectra(fourier, &random) : []
        let label = (0..<fourier.spectrumCount).map { _ in Float(random.uniform(0...4)) }
        let penalty: Float = 0.3
        let total = Double(Self.side * Self.side)
        var training = FilterTraining(
            fourier: fourier, spectra: x, label: label, mask: .init(repeating: 1, count: Self.side * Self.side),
            model: model, memory: memory, penalty: penalty)
        let f = training.solve(iterations: 1)
        for k in 0..<fourier.spectrumCount where !Self.isReal(k, fourier) {
            var along = (re: -Double(label[k]), im: 0.0)
            for g in x.indices {
                for lane in 0..<8 {
                    let (a, b) = (x[g][k].re[lane], x[g][k].im[lane])
                    let (c, d) = (f[g][k].re[lane], f[g][k].im[lane])
                    along.re += Double(a * c + b * d)
                    along.im += Double(a * d - b * c)
                }
            }
            for g in x.indices {
                for lane in 0..<8 {
                    let (a, b) = (Double(x[g][k].re[lane]), Double(x[g][k].im[lane]))
                    let weight = Double(penalty + memory)
                    var re = (a * along.re - b * along.im) / total + weight * Double(f[g][k].re[lane])
                    var im = (a * along.im + b * along.re) / total + weight * Double(f[g][k].im[lane])
                    if !model.isEmpty {
                        re -= Double(memory * model[g][k].re[lane])
                        im -= Double(memory * model[g][k].im[lane])
                    }
                    #expect(abs(re) < 1e-4 && abs(im) < 1e-4)
                }
            }
        }
    }

    /// The confined filter is brought back through real signals, which drops what a random model has of imaginary parts
    /// where a spectrum of real signals has none.
    private static func isReal(_ k: Int, _ fourier: ChannelFourier) -> Bool {
        let column = k % fourier.spectrumWidth
        return column == 0 || column == fourier.width / 2
    }

    @Test("a filter with a long memory changes less than one with a short one")
    func memory() {
        var random = SplitMix64(seed: 4)
        let fourier = ChannelFourier(width: Self.side, height: Self.side)
        let (before, after) = (Self.spectra(fourier, &random), Self.spectra(fourier, &random))
        let label = [Float](repeating: 1, count: fourier.spectrumCount)
        func trained(_ spectra: [[ComplexLanes]], _ model: [[ComplexLanes]], memory: Float) -> [[ComplexLanes]] {
            var training = FilterTraining(
                fourier: fourier, spectra: spectra, label: label,
                mask: .init(repeating: 1, count: Self.side * Self.side), model: model, memory: memory, penalty: 0.1)
            return training.solve(iterations: 2)
        }
        let model = trained(before, [], memory: 0)
        func change(_ memory: Float) -> Float {
            zip(trained(after, model, memory: memory).joined(), model.joined()).reduce(0) { sum, pair in
                let difference = pair.0 - pair.1
                return sum + (difference.re * difference.re + difference.im * difference.im).sum()
            }
        }
        #expect(change(100) < change(1) && change(1) < change(0.01))
    }

    @Test(
        "a target is located to a fraction of a cell, to the side it went",
        arguments: [-5.5, -2.3, -1, 0, 0.7, 1.6, 3.1, 6])
    func subcell(shift: Double) throws {
        func picture(_ shift: Double) -> Image {
            let pixels = (0..<160 * 160).map { k -> UInt8 in
                let (x, y) = (Double(k % 160) - shift, Double(k / 160) + 0.5 * shift)
                func wave(_ a: Double, _ b: Double) -> Double { sineAndCosine(a * x + b * y).sine }
                let texture = 28 * wave(0.31, 0.12) + 24 * wave(-0.17, 0.4) + 30 * wave(0.07, -0.22)
                // It ends around the target, lest it looks the same a wave further.
                let distance = (x - 80) * (x - 80) + (y - 80) * (y - 80)
                return UInt8(128 + texture * exponential(-distance / 800))
            }
            return Image(width: 160, height: 160, pixels: pixels)
        }
        func frame(_ image: Image) -> PreparedFrame {
            PreparedFrame(gray: image, color: nil, workspace: AlignmentWorkspace())
        }
        let box = Box(x: 64, y: 64, width: 32, height: 32)
        var locator = TargetLocator(box: box, in: frame(picture(0)), options: TrackerOptions())
        let start = TargetLocator.Start(center: box.center, scale: 1)
        locator.learn(frame(picture(0)), at: start)
        let found = try #require(locator.locate(frame(picture(shift)), from: [start]))
        // A cell is four pixels here.
        #expect(abs(found.center.x - box.center.x - shift) < 1.2)
        #expect(abs(found.center.y - box.center.y + 0.5 * shift) < 1.2)
    }
}
