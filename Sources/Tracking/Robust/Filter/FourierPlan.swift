/// A one-dimensional complex transform of many interleaved sequences, in Stockham's self-sorting form.
struct FourierPlan: Sendable {
    private struct Stage: Sendable {
        let radix: Int
        /// What remains of the length after this stage.
        let rest: Int
        /// Where this stage's twiddle factors start: `rest × (radix − 1)` of them.
        let twiddle: Int
    }

    private let stages: [Stage]
    private let twiddleRe, twiddleIm: [Float]

    static func isSupported(_ count: Int) -> Bool {
        var rest = count
        for factor in [2, 3, 5] { while rest % factor == 0 { rest /= factor } }
        return rest == 1
    }

    init(count: Int) {
        precondition(Self.isSupported(count), "a transform's length has other factors than 2, 3 and 5")
        var stages: [Stage] = []
        var (re, im): ([Float], [Float]) = ([], [])
        var length = count
        while length > 1 {
            let radix = length % 4 == 0 ? 4 : length % 2 == 0 ? 2 : length % 3 == 0 ? 3 : 5
            let rest = length / radix
            stages.append(Stage(radix: radix, rest: rest, twiddle: re.count))
            for p in 0..<rest {
                for k in 1..<radix {
                    let angle = -2 * Double.pi * Double(p * k % length) / Double(length)
                    let (sine, cosine) = sineAndCosine(angle)
                    re.append(Float(cosine))
                    im.append(Float(sine))
                }
            }
            length = rest
        }
        self.stages = stages
        (twiddleRe, twiddleIm) = (re, im)
    }

    /// Transforms `stride` interleaved sequences and returns which of the two buffers holds the result.
    @inline(__always)
    func transform(
        _ data: UnsafeMutablePointer<ComplexLanes>, _ scratch: UnsafeMutablePointer<ComplexLanes>, stride: Int,
        inverse: Bool
    ) -> UnsafeMutablePointer<ComplexLanes> {
        // The inverse transform conjugates every factor.
        let sign: Float = inverse ? -1 : 1
        var (source, target) = (data, scratch)
        var stride = stride
        twiddleRe.withUnsafeBufferPointer { re in
            twiddleIm.withUnsafeBufferPointer { im in
                for stage in stages {
                    let twiddles = Twiddles(
                        re: re.baseAddress! + stage.twiddle, im: im.baseAddress! + stage.twiddle, sign: sign)
                    switch stage.radix {
                    case 2: radix2(source, target, rest: stage.rest, stride: stride, twiddles)
                    case 3: radix3(source, target, rest: stage.rest, stride: stride, twiddles)
                    case 4: radix4(source, target, rest: stage.rest, stride: stride, twiddles)
                    default: radix5(source, target, rest: stage.rest, stride: stride, twiddles)
                    }
                    (source, target) = (target, source)
                    stride *= stage.radix
                }
            }
        }
        return source
    }
}

private struct Twiddles {
    let re, im: UnsafePointer<Float>
    let sign: Float

    @inline(__always)
    func turn(_ value: ComplexLanes, _ index: Int) -> ComplexLanes { value.times(re[index], im[index] * sign) }
}

private typealias Buffer = UnsafeMutablePointer<ComplexLanes>

private func radix2(_ x: Buffer, _ y: Buffer, rest: Int, stride s: Int, _ w: Twiddles) {
    for p in 0..<rest {
        for q in 0..<s {
            let (a, b) = (x[q + s * p], x[q + s * (p + rest)])
            y[q + s * 2 * p] = a + b
            y[q + s * (2 * p + 1)] = w.turn(a - b, p)
        }
    }
}

private func radix3(_ x: Buffer, _ y: Buffer, rest: Int, stride s: Int, _ w: Twiddles) {
    let sine = Float(0.866_025_403_784_438_6) * w.sign
    for p in 0..<rest {
        for q in 0..<s {
            let (a, b, c) = (x[q + s * p], x[q + s * (p + rest)], x[q + s * (p + 2 * rest)])
            let sum = b + c
            let centre = a - sum * 0.5
            let turned = ((b - c) * sine).timesI
            y[q + s * 3 * p] = a + sum
            y[q + s * (3 * p + 1)] = w.turn(centre - turned, 2 * p)
            y[q + s * (3 * p + 2)] = w.turn(centre + turned, 2 * p + 1)
        }
    }
}

private func radix4(_ x: Buffer, _ y: Buffer, rest: Int, stride s: Int, _ w: Twiddles) {
    for p in 0..<rest {
        for q in 0..<s {
            let (a, b) = (x[q + s * p], x[q + s * (p + rest)])
            let (c, d) = (x[q + s * (p + 2 * rest)], x[q + s * (p + 3 * rest)])
            let (even, odd) = (a + c, b + d)
            let (difference, turned) = (a - c, ((b - d) * w.sign).timesI)
            y[q + s * 4 * p] = even + odd
            y[q + s * (4 * p + 1)] = w.turn(difference - turned, 3 * p)
            y[q + s * (4 * p + 2)] = w.turn(even - odd, 3 * p + 1)
            y[q + s * (4 * p + 3)] = w.turn(difference + turned, 3 * p + 2)
        }
    }
}

private func radix5(_ x: Buffer, _ y: Buffer, rest: Int, stride s: Int, _ w: Twiddles) {
    // cos and sin of 72° and 144°.
    let (c1, c2) = (Float(0.309_016_994_374_947_45), Float(-0.809_016_994_374_947_5))
    let (s1, s2) = (Float(0.951_056_516_295_153_5) * w.sign, Float(0.587_785_252_292_473_1) * w.sign)
    for p in 0..<rest {
        for q in 0..<s {
            let a = x[q + s * p]
            let (b, c) = (x[q + s * (p + rest)], x[q + s * (p + 2 * rest)])
            let (d, e) = (x[q + s * (p + 3 * rest)], x[q + s * (p + 4 * rest)])
            let (outer, inner) = (b + e, c + d)
            let (outerDifference, innerDifference) = (b - e, c - d)
            let first = a + outer * c1 + inner * c2
            let second = a + outer * c2 + inner * c1
            let firstTurned = (outerDifference * s1 + innerDifference * s2).timesI
            let secondTurned = (outerDifference * s2 - innerDifference * s1).timesI
            y[q + s * 5 * p] = a + outer + inner
            y[q + s * (5 * p + 1)] = w.turn(first - firstTurned, 4 * p)
            y[q + s * (5 * p + 2)] = w.turn(second - secondTurned, 4 * p + 1)
            y[q + s * (5 * p + 3)] = w.turn(second + secondTurned, 4 * p + 2)
            y[q + s * (5 * p + 4)] = w.turn(first + firstTurned, 4 * p + 3)
        }
    }
}

/// Sine and cosine without a mathematics library: reduced to an eighth of a turn, then their series, exact to a few
/// units in the last place.
func sineAndCosine(_ angle: Double) -> (sine: Double, cosine: Double) {
    let quarter = Double.pi / 2
    let turns = (angle / quarter).rounded()
    let x = angle - turns * quarter
    let square = x * x
    var (sine, cosine) = (1.0, 1.0)
    for k in stride(from: 20.0, to: 0, by: -2) {
        sine = 1 - sine * square / (k * (k + 1))
        cosine = 1 - cosine * square / (k * (k - 1))
    }
    sine *= x
    switch Int(turns) & 3 {
    case 0: return (sine, cosine)
    case 1: return (cosine, -sine)
    case 2: return (-sine, -cosine)
    default: return (-cosine, sine)
    }
}
