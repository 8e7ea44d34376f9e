/// Weighted sums over template samples t (minus their mean) and image samples i (minus a shift).
struct PhotometricSums {
    var weight = 0.0, t = 0.0, tt = 0.0, i = 0.0, ii = 0.0, it = 0.0

    init(
        samples: UnsafePointer<Float>, weights: UnsafePointer<Float>, image: UnsafePointer<Float>, shift: Float,
        size: Int
    ) {
        var (w, t, tt) = (Lanes(), Lanes(), Lanes())
        var (i, ii, it) = (Lanes(), Lanes(), Lanes())
        for k in Swift.stride(from: 0, to: size, by: laneCount) {
            let (weight, sample, difference) = (weights.lanes(k), samples.lanes(k), image.lanes(k) - shift)
            let (weighted, weightedSample) = (weight * difference, weight * sample)
            w += weight
            t += weightedSample
            tt += weightedSample * sample
            i += weighted
            ii += weighted * difference
            it += weighted * sample
        }
        (weight, self.t, self.tt) = (Double(w.sum()), Double(t.sum()), Double(tt.sum()))
        (self.i, self.ii, self.it) = (Double(i.sum()), Double(ii.sum()), Double(it.sum()))
    }

    /// The sums over the template alone, which the normal equations contain.
    init(_ matrix: NormalMatrix) {
        weight = matrix[Column.bias, Column.bias]
        (t, tt) = (matrix[Column.gain, Column.bias], matrix[Column.gain, Column.gain])
    }

    /// With the sums over the image, which the right side of the normal equations contains.
    func adding(_ right: RightSide) -> PhotometricSums {
        var sums = self
        (sums.i, sums.ii, sums.it) = (right.values[Column.bias], right.squares, right.values[Column.gain])
        return sums
    }

    /// Weighted means, variances and covariance.
    var meanT: Double { weight > 0 ? t / weight : 0 }
    var meanI: Double { weight > 0 ? i / weight : 0 }
    var varianceT: Double { weight > 0 ? max(tt / weight - meanT * meanT, 0) : 0 }
    var varianceI: Double { weight > 0 ? max(ii / weight - meanI * meanI, 0) : 0 }
    var covariance: Double { weight > 0 ? it / weight - meanI * meanT : 0 }

    /// Zero-mean normalised cross-correlation; 0 where either side is flat.
    var zncc: Double {
        let product = varianceT * varianceI
        // Float sums of squares leave about 1e-5 of rounding noise.
        guard product > 1e-8 else { return 0 }
        return min(max(covariance / product.squareRoot(), -1), 1)
    }

    /// Root mean square of `i − gain·t − level`.
    func rms(gain: Double, level: Double) -> Double {
        let offset = meanI - gain * meanT - level
        let variance = varianceI - 2 * gain * covariance + gain * gain * varianceT
        return (max(variance, 0) + offset * offset).squareRoot()
    }
}

/// `image ≈ gain · (template − template's mean) + level`.
struct PhotometricState {
    var gain = 1.0
    var level: Double
    /// Gains outside would turn a misfit of the template into a step of any size.
    static let gainRange = 0.1...10.0
    /// Solved together with the motion, the gain of a poor start is too small, which lengthens inverse compositional's
    /// steps. That helps, until it is less than this share of the ratio of deviations: then steps run away.
    static let leastShareOfMatchedGain = 0.5

    /// The least squares line, or the ratio of deviations where `matchingDeviations`: while the alignment is still off,
    /// a regression underestimates the gain by the factor ZNCC.
    init(_ sums: PhotometricSums, shift: Float, matchingDeviations: Bool) {
        let variance = max(sums.varianceT, .leastNormalMagnitude)
        let raw = matchingDeviations ? (sums.varianceI / variance).squareRoot() : sums.covariance / variance
        gain = Self.clamped(raw)
        level = Double(shift) + sums.meanI - gain * sums.meanT
    }

    init(gain: Double, level: Double) {
        self.gain = Self.clamped(gain)
        self.level = level
    }

    private static func clamped(_ gain: Double) -> Double { min(max(gain, gainRange.lowerBound), gainRange.upperBound) }
}
