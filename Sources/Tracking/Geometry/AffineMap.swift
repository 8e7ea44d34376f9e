import LucasKanade

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

    private init(_ warp: AffineWarp) {
        self.init(a: warp.a, b: warp.b, tx: warp.tx, c: warp.c, d: warp.d, ty: warp.ty)
    }

    /// What calculates. It is not shown, because it counts from the pixels' centres elsewhere, and a map from their
    /// corners.
    private var warp: AffineWarp { AffineWarp(a: a, b: b, tx: tx, c: c, d: d, ty: ty) }

    public static let identity = AffineMap(.identity)

    public static func translation(_ x: Double, _ y: Double) -> AffineMap { AffineMap(.translation(x, y)) }

    /// `[a, b, tx, c, d, ty]`
    public var coefficients: [Double] { [a, b, tx, c, d, ty] }

    /// How the map scales areas.
    public var determinant: Double { warp.determinant }

    public func apply(_ p: Point) -> Point {
        let (x, y) = warp.apply(p.x, p.y)
        return Point(x: x, y: y)
    }

    public func apply(_ quad: Quad) -> Quad {
        Quad(apply(quad.topLeft), apply(quad.topRight), apply(quad.bottomRight), apply(quad.bottomLeft))
    }

    /// The map that applies `inner` first and this one to its outcome.
    public func composed(with inner: AffineMap) -> AffineMap { AffineMap(warp * inner.warp) }

    /// `nil` where the map has no inverse: a number of it is not finite, or its determinant vanishes beside its own
    /// coefficients.
    public var inverse: AffineMap? { warp.inverse.map { AffineMap($0) } }

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
