import Testing

@testable import Tracking

@Suite("The Fourier transform of eight channels")
struct ChannelFourierTests {
    private static let sizes = [(8, 8), (10, 8), (12, 30), (36, 36), (40, 24), (50, 18)]

    private static func signal(_ width: Int, _ height: Int, seed: UInt64) -> [ChannelLanes] {
        var random = SplitMix64(seed: seed)
        return (0..<width * height).map { _ in
            var lanes = ChannelLanes.zero
            for lane in lanes.indices { lanes[lane] = Float(random.uniform(-0.5...0.5)) }
            return lanes
        }
    }

    @Test("a spectrum is that of the definition, in every channel", arguments: sizes)
    func definition(width: Int, height: Int) {
        let signal = Self.signal(width, height, seed: 1)
        let fourier = ChannelFourier(width: width, height: height)
        let spectrum = fourier.forward(signal)
        var worst = 0.0
        for v in 0..<height {
            for u in stride(from: 0, to: fourier.spectrumWidth, by: 3) {
                let lane = (u + v) % 8
                var (re, im) = (0.0, 0.0)
                for y in 0..<height {
                    for x in 0..<width {
                        let turns = Double(u * x % width) / Double(width) + Double(v * y % height) / Double(height)
                        let (sine, cosine) = sineAndCosine(-2 * .pi * turns)
                        let value = Double(signal[y * width + x][lane])
                        re += value * cosine
                        im += value * sine
                    }
                }
                let found = spectrum[v * fourier.spectrumWidth + u]
                worst = max(worst, abs(Double(found.re[lane]) - re), abs(Double(found.im[lane]) - im))
            }
        }
        #expect(worst < 1e-4 * Double(width + height))
    }

    @Test("the inverse undoes the transform", arguments: sizes)
    func inverse(width: Int, height: Int) {
        let signal = Self.signal(width, height, seed: 2)
        let fourier = ChannelFourier(width: width, height: height)
        var spectrum = fourier.forward(signal)
        let back = fourier.inverse(&spectrum)
        let worst = zip(signal, back).map { (abs($0.0 - $0.1)).max() }.max() ?? 1
        #expect(worst < 1e-5)
    }

    @Test("lengths are the next even products of 2, 3 and 5")
    func lengths() {
        #expect([1, 7, 9, 14, 22, 33, 34, 41, 61].map(ChannelFourier.length) == [2, 8, 10, 16, 24, 36, 36, 48, 64])
    }

    @Test("sine and cosine are exact to a few units in the last place")
    func sine() {
        for k in -40...40 {
            let angle = Double(k) * .pi / 12
            let (sine, cosine) = sineAndCosine(angle)
            #expect(abs(sine * sine + cosine * cosine - 1) < 1e-15)
            let (doubled, _) = sineAndCosine(2 * angle)
            #expect(abs(doubled - 2 * sine * cosine) < 1e-14)
        }
        #expect(abs(sineAndCosine(.pi / 6).sine - 0.5) < 1e-16)
        #expect(sineAndCosine(0).cosine == 1)
    }
}

private func abs(_ value: ChannelLanes) -> ChannelLanes { value.replacing(with: -value, where: value .< 0) }
