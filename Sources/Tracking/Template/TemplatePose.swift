import LucasKanade

/// A pose of the target in one frame, with what speaks for it.
struct TemplatePose {
    var warp: AffineWarp
    /// Correlation with the template in use.
    var correlation = 0.0
    /// Correlation with the first template, where that came to rest.
    var firstCorrelation = 0.0
    /// Root mean square of what the first template leaves unexplained, in grey levels.
    var residual = 0.0
    /// Spent on the way here.
    var iterations = 0
    /// Whether the first template was found at the same place.
    var agrees = false
}

extension AffineWarp {
    func moved(_ x: Double, _ y: Double) -> AffineWarp {
        AffineWarp(a: a, b: b, tx: tx + x, c: c, d: d, ty: ty + y)
    }

    /// How far apart two warps put the template's centre.
    func centerDistance(to other: AffineWarp) -> Double {
        let (dx, dy) = (tx - other.tx, ty - other.ty)
        return (dx * dx + dy * dy).squareRoot()
    }

    /// Lengths of the mapped axes and the cosine of the angle between them.
    var axes: (horizontal: Double, vertical: Double, cosine: Double) {
        let horizontal = (a * a + c * c).squareRoot()
        let vertical = (b * b + d * d).squareRoot()
        let product = horizontal * vertical
        return (horizontal, vertical, product > 0 ? (a * b + c * d) / product : 1)
    }
}
