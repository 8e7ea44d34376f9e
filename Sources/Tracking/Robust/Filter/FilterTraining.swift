/// One training of a ``CorrelationFilter`` by alternating directions (ADMM; Li et al., CVPR 2018, section 3.2): a filter
/// that is free everywhere and one that is confined to its support are pulled together. In the Fourier domain all channels
/// of a frequency are solved for at once, by the Sherman-Morrison formula.
struct FilterTraining {
    private let fourier: ChannelFourier
    /// Spectra of the picture's channels, in groups of eight.
    private let spectra: [[ComplexLanes]]
    private let label: [Float]
    private let mask: [Float]
    /// The filter before; empty where there is none.
    private let model: [[ComplexLanes]]
    private let memory, penalty: Float
    /// Positions of the picture, which scale spectra.
    private let total: Float
    /// Energy of each frequency over all channels, over `total`.
    private var power: [Float]
    private var free, confined, multiplier: [[ComplexLanes]]

    init(
        fourier: ChannelFourier, spectra: [[ComplexLanes]], label: [Float], mask: [Float], model: [[ComplexLanes]],
        memory: Float, penalty: Float
    ) {
        self.fourier = fourier
        self.spectra = spectra
        self.label = label
        self.mask = mask
        self.model = model
        self.memory = memory
        self.penalty = penalty
        total = Float(fourier.width * fourier.height)
        power = [Float](repeating: 0, count: fourier.spectrumCount)
        for spectrum in spectra { for k in power.indices { power[k] += spectrum[k].power / total } }
        free = spectra.map { $0.map { _ in .zero } }
        confined = free
        multiplier = free
    }

    /// - Returns: the spectra of the confined filter.
    mutating func solve(iterations: Int) -> [[ComplexLanes]] {
        for iteration in 0..<iterations {
            release()
            confine()
            if iteration + 1 < iterations { reconcile() }
        }
        return confined
    }

    /// The free filter: (x xᴴ/T + (γ + μ)·1) f = v with v = x·y/T + γ·g − h + μ·f(before).
    private mutating func release() {
        let weight = penalty + memory
        var along = [(re: Float, im: Float)](repeating: (0, 0), count: power.count)
        for g in spectra.indices {
            for k in power.indices {
                let x = spectra[g][k]
                var v = x * (label[k] / total) + confined[g][k] * penalty - multiplier[g][k]
                if !model.isEmpty { v = v + model[g][k] * memory }
                free[g][k] = v
                along[k].re += (x.re * v.re + x.im * v.im).sum()
                along[k].im += (x.re * v.im - x.im * v.re).sum()
            }
        }
        for k in power.indices {
            let scale = 1 / (total * (power[k] + weight))
            along[k].re *= scale
            along[k].im *= scale
        }
        for g in spectra.indices {
            for k in power.indices {
                free[g][k] = (free[g][k] - spectra[g][k].times(along[k].re, along[k].im)) * (1 / weight)
            }
        }
    }

    /// The confined filter: what the mask leaves of f + h/γ.
    private mutating func confine() {
        for g in spectra.indices {
            var sum = free[g]
            for k in power.indices { sum[k] = sum[k] + multiplier[g][k] * (1 / penalty) }
            var signal = fourier.inverse(&sum)
            for k in signal.indices { signal[k] *= mask[k] }
            confined[g] = fourier.forward(signal)
        }
    }

    private mutating func reconcile() {
        for g in spectra.indices {
            for k in power.indices {
                multiplier[g][k] = multiplier[g][k] + (free[g][k] - confined[g][k]) * penalty
            }
        }
    }
}

extension ComplexLanes {
    /// Σ|z|² over the lanes.
    @inline(__always)
    fileprivate var power: Float { (re * re + im * im).sum() }
}
