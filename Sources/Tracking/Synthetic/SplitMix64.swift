/// A small generator of pseudo-random numbers whose sequence is the same on every platform and in every release
/// (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014).
struct SplitMix64: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    /// An independent generator for a purpose, so that one part of a scene does not shift another's numbers.
    init(seed: UInt64, stream: UInt64) {
        var mixer = SplitMix64(seed: seed)
        self.init(seed: mixer.next() ^ (stream &* 0xD1B5_4A32_D192_ED03))
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// Uniform in `range`; not `Double.random(in:using:)`, whose algorithm the standard library may change.
    mutating func uniform(_ range: ClosedRange<Double>) -> Double {
        let unit = Double(next() >> 11) * 0x1p-53
        return range.lowerBound + unit * (range.upperBound - range.lowerBound)
    }

    /// About normal with mean 0 and variance 1, within ±3.5: the sum of four uniform 16-bit numbers (Irwin-Hall).
    mutating func normal() -> Float {
        let bits = next()
        let sum = (bits & 0xFFFF) + (bits >> 16 & 0xFFFF) + (bits >> 32 & 0xFFFF) + (bits >> 48)
        // The sum has mean 2 · 65535 and variance 4 · 65536² / 12.
        return (Float(sum) - 131_070) * (1.732_050_8 / 65_536)
    }
}
