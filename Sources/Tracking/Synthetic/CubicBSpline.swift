/// The four weights of the uniform cubic B-spline at a fraction 0 … 1 between two knots; they are not negative, sum to
/// 1 and make a curve with two continuous derivatives that stays in the convex hull of its control values.
func cubicBSplineWeights(_ t: Float) -> SIMD4<Float> {
    let s = 1 - t
    let t2 = t * t
    return SIMD4(
        s * s * s / 6, (4 - 6 * t2 + 3 * t2 * t) / 6, (1 + 3 * t + 3 * t2 - 3 * t2 * t) / 6, t2 * t / 6)
}

/// A smooth function of time through the neighbourhood of control values (uniform cubic B-spline).
struct SmoothTrack: Sendable {
    /// One value every ``spacing`` frames; the first knot lies one spacing before time 0.
    private let controls: [Double]
    private let spacing: Double

    init(controls: [Double], spacing: Double) {
        precondition(controls.count >= 4 && spacing > 0, "a cubic spline needs four control values")
        self.controls = controls
        self.spacing = spacing
    }

    /// How many control values cover the times 0 … `duration`.
    static func controlCount(duration: Double, spacing: Double) -> Int { Int(duration / spacing) + 4 }

    /// The value at a time in frames; constant outside the span that the control values cover.
    func value(at time: Double) -> Double {
        let knot = min(max(time / spacing, 0), Double(controls.count - 3) - 1e-9)
        let index = Int(knot)
        let t = knot - Double(index)
        let s = 1 - t
        let weights = (
            s * s * s / 6, (4 - 6 * t * t + 3 * t * t * t) / 6, (1 + 3 * t + 3 * t * t - 3 * t * t * t) / 6,
            t * t * t / 6
        )
        return weights.0 * controls[index] + weights.1 * controls[index + 1] + weights.2 * controls[index + 2]
            + weights.3 * controls[index + 3]
    }
}
