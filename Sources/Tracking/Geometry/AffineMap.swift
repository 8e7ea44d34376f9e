/// An affine map of pixel coordinates (those of ``Box``): `x' = a·x + b·y + tx`, `y' = c·x + d·y + ty`.
///
/// Written as `[a, b, tx, c, d, ty]`.
public struct AffineMap: Hashable, Sendable {
    public var a, b, tx, c, d, ty: Double

    public init(a: Double, b: Double, tx: Double, c: Double, d: Double, ty: Double) {
        self.a = a
        self.b = b
        self.tx = tx
        self.c = c
        self.d = d
        self.ty = ty
    }

    public static let identity = AffineMap(a: 1, b: 0, tx: 0, c: 0, d: 1, ty: 0)

    public static func translation(_ x: Double, _ y: Double) -> AffineMap {
        AffineMap(a: 1, b: 0, tx: x, c: 0, d: 1, ty: y)
    }

    /// `[a, b, tx, c, d, ty]`
    public var coefficients: [Double] { [a, b, tx, c, d, ty] }

    /// How the map scales areas.
    public var determinant: Double { a * d - b * c }

    public func apply(_ p: Point) -> Point { Point(x: a * p.x + b * p.y + tx, y: c * p.x + d * p.y + ty) }

    public func apply(_ quad: Quad) -> Quad {
        Quad(apply(quad.topLeft), apply(quad.topRight), apply(quad.bottomRight), apply(quad.bottomLeft))
    }

    /// The map that applies `inner` first and this one to its outcome.
    public func composed(with inner: AffineMap) -> AffineMap {
        AffineMap(
            a: a * inner.a + b * inner.c, b: a * inner.b + b * inner.d, tx: a * inner.tx + b * inner.ty + tx,
            c: c * inner.a + d * inner.c, d: c * inner.b + d * inner.d, ty: c * inner.tx + d * inner.ty + ty)
    }

    /// `nil` where the map has no inverse.
    public var inverse: AffineMap? {
        let det = determinant
        guard det != 0, (1 / det).isFinite else { return nil }
        let (ia, ib, ic, id) = (d / det, -b / det, -c / det, a / det)
        return AffineMap(a: ia, b: ib, tx: -(ia * tx + ib * ty), c: ic, d: id, ty: -(ic * tx + id * ty))
    }

    /// The upright box that stands for a mapped box: centred on the mapped centre, its sides scaled.
    ///
    /// The area is the mapped area (`|determinant|`), and the sides' ratio changes with the lengths of the mapped axes;
    /// so rotation and shear do not inflate the box as the bounds of its moved corners would.
    public func uprightBox(of box: Box) -> Box {
        let scale = abs(determinant).squareRoot()
        let horizontal = (a * a + c * c).squareRoot()
        let vertical = (b * b + d * d).squareRoot()
        let aspect = horizontal > 0 && vertical > 0 ? (horizontal / vertical).squareRoot() : 1
        return Box(center: apply(box.center), width: box.width * scale * aspect, height: box.height * scale / aspect)
    }
}
