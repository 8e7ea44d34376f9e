import LucasKanade

/// A discriminative correlation filter over many channels with a limited support and a memory.
///
/// Minimises ½‖Σ f_d ⋆ x_d − y‖² + ½ Σ‖w · f_d‖² + μ/2 Σ‖f_d − f_d(before)‖² (Li et al., "Learning spatial-temporal
/// regularized correlation filters for visual tracking", CVPR 2018): the whole search window trains it, negative examples
/// included, but only what lies under the target's mask answers, and it changes slowly.
struct CorrelationFilter: Sendable {
    private let fourier: ChannelFourier
    private let parameters: RobustTrackerParameters
    /// The spectrum of the wanted response, a Gaussian at the origin: real.
    private let label: [Float]
    /// What the filter may keep of each cell, 0 … 1.
    private let mask: [Float]
    /// Spectra of the filter, one for each group of eight channels; empty before the first training.
    private var model: [[ComplexLanes]] = []
    /// Mean energy of a cell in the first picture: what penalties are measured in.
    private var energy: Float = 0

    /// - Parameter labelDeviation: in cells.
    init(fourier: ChannelFourier, mask: [Float], labelDeviation: Double, parameters: RobustTrackerParameters) {
        self.fourier = fourier
        self.mask = mask
        self.parameters = parameters
        let (width, height) = (fourier.width, fourier.height)
        var signal = [ChannelLanes](repeating: .zero, count: width * height)
        for j in 0..<height {
            for i in 0..<width {
                let (x, y) = (Double(min(i, width - i)), Double(min(j, height - j)))
                let value = exponential(-(x * x + y * y) / (2 * labelDeviation * labelDeviation))
                signal[j * width + i] = ChannelLanes(repeating: Float(value))
            }
        }
        label = fourier.forward(signal).map { $0.re[0] }
    }

    /// Learns a picture of the target: features whose grid's centre is the target's.
    mutating func train(_ features: CellFeatures) {
        let isFirst = model.isEmpty
        if isFirst {
            var sum: Float = 0
            for group in features.groups { for value in group { sum += (value * value).sum() } }
            energy = sum / Float(fourier.width * fourier.height)
        }
        let scale = max(energy, leastPositiveEnergy)
        var training = FilterTraining(
            fourier: fourier, spectra: features.groups.map { fourier.forward($0) }, label: label, mask: mask,
            model: model, memory: isFirst ? 0 : Float(parameters.filterMemory) * scale,
            penalty: Float(parameters.filterPenalty) * scale)
        model = training.solve(iterations: isFirst ? parameters.firstFilterIterations : parameters.filterIterations)
    }

    /// The responses to up to eight pictures at once, one in each lane; cell (0, 0) is the centre, shifts wrap around.
    func respond(_ pictures: [CellFeatures]) -> [ChannelLanes] {
        var sums = [ComplexLanes](repeating: .zero, count: fourier.spectrumCount)
        for (lane, picture) in pictures.enumerated() {
            for (g, group) in picture.groups.enumerated() {
                let spectrum = fourier.forward(group)
                for k in sums.indices {
                    let (f, z) = (model[g][k], spectrum[k])
                    sums[k].re[lane] += (f.re * z.re + f.im * z.im).sum()
                    sums[k].im[lane] += (f.re * z.im - f.im * z.re).sum()
                }
            }
        }
        return fourier.inverse(&sums)
    }
}

/// Keeps a picture without any structure from dividing by zero.
private let leastPositiveEnergy: Float = 1e-6
