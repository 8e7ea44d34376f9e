import LucasKanade

/// What is done to every frame once, before any target is looked for.
struct FramePreprocessor: Sendable {
    private enum Correction {
        case none
        case gamma(GammaCurve)
        case equalization(AdaptiveEqualizer)
    }

    private let correction: Correction

    init(_ options: TrackerOptions) {
        correction =
            switch options.illumination {
            case .none, .gainBias: .none
            case .gamma: .gamma(GammaCurve(exponent: options.gamma))
            case .clahe: .equalization(AdaptiveEqualizer())
            }
    }

    func apply(to gray: Image) -> Image {
        switch correction {
        case .none: gray
        case .gamma(let curve): curve.apply(to: gray)
        case .equalization(let equalizer): equalizer.apply(to: gray)
        }
    }
}
