/// Turns what speaks for a pose into a confidence: a lower bound for the share of such poses that are right.
///
/// Of poses that passed verification on real sequences more than 99 % overlapped the truth by half, at every
/// correlation; the curve stays well below, for targets that are unlike those.
enum TemplateConfidence {
    /// Correlation of the first template, and the confidence that it gives; linear in between.
    private static let curve: [(correlation: Double, confidence: Double)] = [
        (0, 0.3), (0.4, 0.6), (0.6, 0.85), (0.8, 0.95), (1, 1),
    ]
    /// Share that remains where the first template does not confirm the pose.
    private static let unconfirmed = 0.7
    /// Confidence in a box that coasts for the first frame, and what remains of it in each frame more.
    private static let coasting = 0.25
    private static let coastingDecay = 0.7

    static func found(_ pose: TemplatePose) -> Double {
        let value = interpolate(pose.firstCorrelation)
        return pose.agrees ? value : value * unconfirmed
    }

    /// - Parameter missed: frames since the target was found, from 1.
    static func coasted(_ missed: Int) -> Double {
        (1..<max(missed, 1)).reduce(coasting) { confidence, _ in confidence * coastingDecay }
    }

    private static func interpolate(_ correlation: Double) -> Double {
        var last = curve[0]
        for point in curve.dropFirst() {
            if correlation < point.correlation {
                let share = max(correlation - last.correlation, 0) / (point.correlation - last.correlation)
                return last.confidence + share * (point.confidence - last.confidence)
            }
            last = point
        }
        return last.confidence
    }
}
