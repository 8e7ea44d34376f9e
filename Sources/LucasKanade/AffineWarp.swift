/// An affine map of the plane, `x' = a·x + b·y + tx`, `y' = c·x + d·y + ty`, in pixels.
///
/// Pixel centres have integer coordinates. A warp `W` of this module maps template-local coordinates (level-0 pixels,
/// origin at the centre of the box) to coordinates of the whole image; it says the same for every region and level.
public struct AffineWarp: Sendable, Hashable {
    /// The linear part, row by row, and the translation in pixels.
    public var a, b, tx, c, d, ty: Double

    public init(a: Double, b: Double, tx: Double, c: Double, d: Double, ty: Double) {
        self.a = a
        self.b = b
        self.tx = tx
        self.c = c
        self.d = d
        self.ty = ty
    }

    public static let identity = AffineWarp(a: 1, b: 0, tx: 0, c: 0, d: 1, ty: 0)

    public static func translation(_ x: Double, _ y: Double) -> AffineWarp {
        AffineWarp(a: 1, b: 0, tx: x, c: 0, d: 1, ty: y)
    }

    /// Scales by `scale`, turns by the angle of this cosine and sine (from x towards y), then moves.
    public static func similarity(
        scale: Double, cosine: Double = 1, sine: Double = 0, tx: Double = 0, ty: Double = 0
    ) -> AffineWarp {
        AffineWarp(a: scale * cosine, b: -scale * sine, tx: tx, c: scale * sine, d: scale * cosine, ty: ty)
    }

    /// The affine warp that takes three points to three others; nil where the first three lie on a line.
    public static func mapping(
        _ from: (Point, Point, Point), to: (Point, Point, Point)
    ) -> AffineWarp? {
        frame(from).inverse.map { frame(to) * $0 }
    }

    /// Takes (0, 0), (1, 0) and (0, 1) to the three points.
    private static func frame(_ p: (Point, Point, Point)) -> AffineWarp {
        AffineWarp(
            a: p.1.x - p.0.x, b: p.2.x - p.0.x, tx: p.0.x,
            c: p.1.y - p.0.y, d: p.2.y - p.0.y, ty: p.0.y)
    }

    /// A position in pixels.
    public typealias Point = (x: Double, y: Double)

    public func apply(_ x: Double, _ y: Double) -> Point {
        (a * x + b * y + tx, c * x + d * y + ty)
    }

    /// `outer ∘ inner`: `inner` is applied first.
    public static func * (outer: AffineWarp, inner: AffineWarp) -> AffineWarp {
        AffineWarp(
            a: outer.a * inner.a + outer.b * inner.c, b: outer.a * inner.b + outer.b * inner.d,
            tx: outer.a * inner.tx + outer.b * inner.ty + outer.tx,
            c: outer.c * inner.a + outer.d * inner.c, d: outer.c * inner.b + outer.d * inner.d,
            ty: outer.c * inner.tx + outer.d * inner.ty + outer.ty)
    }

    public var determinant: Double { a * d - b * c }

    /// `√|det|`: the factor by which lengths grow in the mean.
    public var scale: Double { determinant.magnitude.squareRoot() }

    public var isFinite: Bool {
        a.isFinite && b.isFinite && tx.isFinite && c.isFinite && d.isFinite && ty.isFinite
    }

    /// The inverse map; nil where the warp is singular (its determinant vanishes beside its own coefficients).
    public var inverse: AffineWarp? {
        let determinant = determinant
        let size = a * a + b * b + c * c + d * d
        guard isFinite, determinant.magnitude > 1e-12 * size else { return nil }
        let (ia, ib, ic, id) = (d / determinant, -b / determinant, -c / determinant, a / determinant)
        return AffineWarp(a: ia, b: ib, tx: -(ia * tx + ib * ty), c: ic, d: id, ty: -(ic * tx + id * ty))
    }

    /// The same map between coordinates of pyramid level `level`, which are those of level 0 divided by 2^level:
    /// the translation is scaled, the linear part is kept. A negative level goes back.
    public func atLevel(_ level: Int) -> AffineWarp {
        let factor = Double(sign: .plus, exponent: -level, significand: 1)
        return AffineWarp(a: a, b: b, tx: tx * factor, c: c, d: d, ty: ty * factor)
    }

    /// The four corners of a centred `width` × `height` box under the warp, clockwise from the top left (y down).
    public func corners(width: Double, height: Double) -> [Point] {
        let (u, v) = (width / 2, height / 2)
        return [apply(-u, -v), apply(u, -v), apply(u, v), apply(-u, v)]
    }

    /// The farthest that any corner of a centred `width` × `height` box lies from where `other` puts it, in pixels.
    public func maximumCornerDistance(to other: AffineWarp, width: Double, height: Double) -> Double {
        let difference = AffineWarp(
            a: a - other.a, b: b - other.b, tx: tx - other.tx, c: c - other.c, d: d - other.d, ty: ty - other.ty)
        var farthest = 0.0
        for (u, v) in [(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)] {
            let (x, y) = difference.apply(u * width, v * height)
            let distance = (x * x + y * y).squareRoot()
            // A NaN must not be swallowed by max().
            if !(distance <= farthest) { farthest = distance }
        }
        return farthest
    }
}
