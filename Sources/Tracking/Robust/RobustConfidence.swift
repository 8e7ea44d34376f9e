import LucasKanade

/// Turns what was measured in a frame into a probability.
///
/// A logistic regression (Platt, 1999) of "the overlap with the truth is at least 0.5" on the filter's response and the
/// first template's correlation. It was fitted to 77 runs over the public sequences, from several starts, forwards and
/// backwards, every target weighing the same. The template in use, the peak ratio and the forward-backward error were
/// tried as well and got weights near 0: they are reported, but add nothing to these two.
enum RobustConfidence {
    private static let intercept = -0.84
    private static let responseWeight = 4.26
    private static let correlationWeight = 4.14

    /// Of a target that was found.
    static func found(response: Double, firstCorrelation: Double) -> Double {
        let sum = intercept + responseWeight * share(response) + correlationWeight * share(firstCorrelation)
        return 1 / (1 + exponential(-sum))
    }

    private static let firstCoasting = 0.3
    private static let coastingDecay = 0.8

    /// Of a target that was not: still where it was expected now and then, and less so the longer it is missed.
    static func missed(_ frames: Int) -> Double {
        (1..<max(frames, 1)).reduce(firstCoasting) { confidence, _ in confidence * coastingDecay }
    }

    private static func share(_ value: Double) -> Double { value.isFinite ? min(max(value, 0), 1) : 0 }
}
