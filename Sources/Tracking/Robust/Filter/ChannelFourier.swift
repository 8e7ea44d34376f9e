/// Eight channels of one position.
typealias ChannelLanes = SIMD8<Float>

/// Eight channels of one spatial frequency.
struct ComplexLanes {
    var re: ChannelLanes
    var im: ChannelLanes

    static let zero = ComplexLanes(re: .zero, im: .zero)

    @inline(__always)
    static func + (a: ComplexLanes, b: ComplexLanes) -> ComplexLanes { .init(re: a.re + b.re, im: a.im + b.im) }

    @inline(__always)
    static func - (a: ComplexLanes, b: ComplexLanes) -> ComplexLanes { .init(re: a.re - b.re, im: a.im - b.im) }

    @inline(__always)
    static func * (a: ComplexLanes, s: Float) -> ComplexLanes { .init(re: a.re * s, im: a.im * s) }

    /// Multiplies by `re + i·im`, the same number in every lane.
    @inline(__always)
    func times(_ re: Float, _ im: Float) -> ComplexLanes {
        .init(re: self.re * re - self.im * im, im: self.re * im + self.im * re)
    }

    /// Multiplies by i.
    @inline(__always)
    var timesI: ComplexLanes { .init(re: -im, im: re) }
}

/// The two-dimensional Fourier transform of eight real channels at once.
///
/// Channels lie innermost, so that every butterfly is a vector operation without a shuffle; along a row, two rows go
/// through one complex transform; the lengths' factors are 2, 3 and 5 (Stockham's self-sorting form, so that nothing is
/// permuted). A spectrum keeps the columns 0 … width / 2; the others are their conjugates.
struct ChannelFourier: Sendable {
    let width, height: Int
    /// Columns of a spectrum.
    var spectrumWidth: Int { width / 2 + 1 }
    var spectrumCount: Int { spectrumWidth * height }

    private let rows: FourierPlan
    private let columns: FourierPlan

    /// - Precondition: both sides are even and have no other factors than 2, 3 and 5.
    init(width: Int, height: Int) {
        precondition(width % 2 == 0 && height % 2 == 0, "sides of a transform are even")
        self.width = width
        self.height = height
        rows = FourierPlan(count: width)
        columns = FourierPlan(count: height)
    }

    /// The smallest length from `minimum` on that can be transformed.
    static func length(atLeast minimum: Int) -> Int {
        var length = max(minimum + minimum % 2, 2)
        while !FourierPlan.isSupported(length) { length += 2 }
        return length
    }

    /// Elements of scratch memory that a transform needs.
    var scratchCount: Int { 2 * max(width, spectrumCount) }

    /// `signal`: `width × height`, row by row; `spectrum`: `spectrumWidth × height`, overwritten.
    func forward(
        _ signal: UnsafePointer<ChannelLanes>, to spectrum: UnsafeMutablePointer<ComplexLanes>,
        scratch: UnsafeMutablePointer<ComplexLanes>
    ) {
        let (line, spare) = (scratch, scratch + width)
        let half = width / 2
        for j in stride(from: 0, to: height, by: 2) {
            let (first, second) = (signal + j * width, signal + (j + 1) * width)
            for i in 0..<width { line[i] = ComplexLanes(re: first[i], im: second[i]) }
            let z = rows.transform(line, spare, stride: 1, inverse: false)
            let (a, b) = (spectrum + j * spectrumWidth, spectrum + (j + 1) * spectrumWidth)
            for k in 0...half {
                let (p, q) = (z[k], z[k == 0 ? 0 : width - k])
                a[k] = ComplexLanes(re: (p.re + q.re) * 0.5, im: (p.im - q.im) * 0.5)
                b[k] = ComplexLanes(re: (p.im + q.im) * 0.5, im: (q.re - p.re) * 0.5)
            }
        }
        let result = columns.transform(spectrum, scratch, stride: spectrumWidth, inverse: false)
        if result != spectrum { spectrum.update(from: result, count: spectrumCount) }
    }

    /// `spectrum` is overwritten; `signal` gets the channels, scaled so that this undoes ``forward(_:to:scratch:)``.
    func inverse(
        _ spectrum: UnsafeMutablePointer<ComplexLanes>, to signal: UnsafeMutablePointer<ChannelLanes>,
        scratch: UnsafeMutablePointer<ComplexLanes>
    ) {
        let source = columns.transform(spectrum, scratch, stride: spectrumWidth, inverse: true)
        // What is not the source is free.
        let line = source == spectrum ? scratch : spectrum
        let spare = line + width
        let half = width / 2
        let scale = 1 / Float(width * height)
        // The free half may be smaller than two lines only where the picture is a strip.
        for j in stride(from: 0, to: height, by: 2) {
            let (a, b) = (source + j * spectrumWidth, source + (j + 1) * spectrumWidth)
            for k in 0...half {
                let (p, q) = (a[k], b[k])
                line[k] = ComplexLanes(re: p.re - q.im, im: p.im + q.re)
                if k > 0 && k < width - k { line[width - k] = ComplexLanes(re: p.re + q.im, im: q.re - p.im) }
            }
            let z = rows.transform(line, spare, stride: 1, inverse: true)
            let (first, second) = (signal + j * width, signal + (j + 1) * width)
            for i in 0..<width {
                first[i] = z[i].re * scale
                second[i] = z[i].im * scale
            }
        }
    }
}

extension ChannelFourier {
    func forward(_ signal: [ChannelLanes]) -> [ComplexLanes] {
        [ComplexLanes](unsafeUninitializedCapacity: spectrumCount) { out, count in
            withUnsafeTemporaryAllocation(of: ComplexLanes.self, capacity: scratchCount) { scratch in
                signal.withUnsafeBufferPointer {
                    forward($0.baseAddress!, to: out.baseAddress!, scratch: scratch.baseAddress!)
                }
            }
            count = spectrumCount
        }
    }

    func inverse(_ spectrum: inout [ComplexLanes]) -> [ChannelLanes] {
        spectrum.withUnsafeMutableBufferPointer { spectrum in
            [ChannelLanes](unsafeUninitializedCapacity: width * height) { out, count in
                withUnsafeTemporaryAllocation(of: ComplexLanes.self, capacity: scratchCount) { scratch in
                    inverse(spectrum.baseAddress!, to: out.baseAddress!, scratch: scratch.baseAddress!)
                }
                count = width * height
            }
        }
    }
}
