import Foundation

/// Pseudo-random numbers that are the same in each run (SplitMix64: Steele, Lea, Flood, "Fast splittable pseudorandom
/// number generators", OOPSLA 2014).
struct RandomNumbers {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    /// Uniform, from 0 and below 1.
    mutating func unit() -> Double {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return Double((z ^ (z >> 31)) >> 11) * 0x1p-53
    }

    /// Between two events of a Poisson process, in the unit of the mean.
    mutating func exponential(mean: Double) -> Double { -mean * log(1 - unit()) }
}

/// How long jobs keep a worker, in seconds.
public enum JobLength: Sendable {
    case fixed(Double)
    case exponential(mean: Double)
    /// Many short ones, and a few that are longer by orders of magnitude, as videos are: a Pareto distribution of this
    /// shape (above 1) between a least and a greatest length.
    case boundedPareto(shape: Double, least: Double, greatest: Double)

    public var mean: Double {
        switch self {
        case .fixed(let seconds): seconds
        case .exponential(let mean): mean
        case .boundedPareto(let shape, let least, let greatest):
            pow(least, shape) / (1 - pow(least / greatest, shape)) * shape / (shape - 1)
                * (pow(least, 1 - shape) - pow(greatest, 1 - shape))
        }
    }

    func sample(_ random: inout RandomNumbers) -> Double {
        switch self {
        case .fixed(let seconds): seconds
        case .exponential(let mean): random.exponential(mean: mean)
        case .boundedPareto(let shape, let least, let greatest):
            // The inverse of the distribution function.
            least / pow(1 - random.unit() * (1 - pow(least / greatest, shape)), 1 / shape)
        }
    }
}
