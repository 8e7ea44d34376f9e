import Testing
import Tracking

@Suite("Geometry")
struct GeometryTests {
    private let box = Box(x: 10, y: 20, width: 40, height: 20)

    @Test("overlap is 1 with itself, 0 apart or touching, a third when shifted by half")
    func overlap() {
        #expect(box.intersectionOverUnion(box) == 1)
        #expect(box.intersectionOverUnion(Box(x: 50, y: 20, width: 40, height: 20)) == 0)
        #expect(box.intersectionOverUnion(Box(x: 100, y: 0, width: 4, height: 4)) == 0)
        #expect(abs(box.intersectionOverUnion(Box(x: 30, y: 20, width: 40, height: 20)) - 1.0 / 3) < 1e-12)
        let empty = Box(x: 0, y: 0, width: 0, height: 0)
        #expect(empty.intersectionOverUnion(empty) == 0)
        #expect(Box(x: 0, y: 0, width: -5, height: -5).area == 0)
    }

    @Test("containment takes in the left and top edges only")
    func containment() {
        #expect(box.contains(Point(x: 10, y: 20)))
        #expect(!box.contains(Point(x: 50, y: 30)))
        #expect(box.contains(box))
        #expect(!box.contains(Box(x: 10, y: 20, width: 40.1, height: 20)))
    }

    @Test("corners go round from the top left")
    func corners() {
        #expect(box.quad.coordinates == [10, 20, 50, 20, 50, 40, 10, 40])
        #expect(box.center == Point(x: 30, y: 30))
        let moved = AffineMap.translation(3, 4).apply(box.quad)
        #expect(abs(moved.rmsDistance(to: box.quad) - 5) < 1e-12)
    }

    @Test("a map composed with its inverse is the identity")
    func inverse() throws {
        let map = AffineMap(a: 1.1, b: 0.2, tx: 5, c: -0.1, d: 0.9, ty: -3)
        let identity = map.composed(with: try #require(map.inverse))
        for (value, expected) in zip(identity.coefficients, AffineMap.identity.coefficients) {
            #expect(abs(value - expected) < 1e-12)
        }
        #expect(AffineMap(a: 1, b: 2, tx: 0, c: 2, d: 4, ty: 0).inverse == nil)
        let inner = AffineMap(a: 2, b: 0, tx: 1, c: 0, d: 2, ty: 1)
        let point = Point(x: 7, y: -2)
        #expect(map.composed(with: inner).apply(point).distance(to: map.apply(inner.apply(point))) < 1e-12)
    }

    @Test("neither rotation nor shear inflates the box; scale and aspect change it")
    func uprightBox() {
        let rotation = AffineMap(a: 0.8, b: -0.6, tx: 0, c: 0.6, d: 0.8, ty: 0)
        let rotated = rotation.uprightBox(of: box)
        #expect(abs(rotated.width - 40) < 1e-9 && abs(rotated.height - 20) < 1e-9)
        #expect(rotated.center.distance(to: rotation.apply(box.center)) < 1e-9)
        let sheared = AffineMap(a: 1, b: 0.5, tx: 0, c: 0, d: 1, ty: 0).uprightBox(of: box)
        #expect(abs(sheared.area - box.area) < 1e-9)
        let stretched = AffineMap(a: 2, b: 0, tx: 0, c: 0, d: 3, ty: 0).uprightBox(of: box)
        #expect(abs(stretched.width - 80) < 1e-9 && abs(stretched.height - 60) < 1e-9)
        #expect(AffineMap(a: 0, b: 0, tx: 1, c: 0, d: 0, ty: 1).uprightBox(of: box).isFinite)
    }
}
