import LucasKanade

/// A pose of the target in one frame, with what speaks for it.
struct TemplatePose {
    var warp: AffineWarp
    /// Correlation with the template in use, and with the first one where that was aligned too.
    var correlation = 0.0
    var firstCorrelation = 0.0
    /// Of the template in use, in grey levels.
    var residual = 0.0
    /// Spent on the way here.
    var iterations = 0
    /// Whether the first template was found at the same place.
    var agrees = false
}

extension AffineWarp {
    /// From template-local coordinates to pixel centres, as the map of edge coordinates that ``AffineMap`` is.
    func map(ofBox box: Box) -> AffineMap {
        let center = box.center
        return AffineMap(
            a: a, b: b, tx: tx + 0.5 - a * center.x - b * center.y, c: c, d: d,
            ty: ty + 0.5 - c * center.x - d * center.y)
    }

    /// The template-local coordinates of a box, where it was drawn: origin at its centre, pixel centres at integers.
    static func origin(of box: Box) -> AffineWarp {
        .translation(box.center.x - 0.5, box.center.y - 0.5)
    }

    func moved(_ x: Double, _ y: Double) -> AffineWarp {
        AffineWarp(a: a, b: b, tx: tx + x, c: c, d: d, ty: ty + y)
    }

    /// How far apart two warps put the template's centre, in pixels.
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
