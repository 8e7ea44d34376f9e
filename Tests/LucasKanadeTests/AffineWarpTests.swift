import LucasKanade
import Testing

@Suite("Affine warps")
struct AffineWarpTests {
    private static func randomWarps(_ count: Int, seed: UInt64) -> [AffineWarp] {
        var generator = SeededGenerator(seed: seed)
        return (0..<count).map { _ in
            AffineWarp(
                a: generator.uniform(0.5...1.5), b: generator.uniform(-0.4...0.4), tx: generator.uniform(-300...300),
                c: generator.uniform(-0.4...0.4), d: generator.uniform(0.5...1.5), ty: generator.uniform(-300...300))
        }
    }

    @Test("a composition applies the inner warp first")
    func composition() {
        for (outer, inner) in zip(Self.randomWarps(50, seed: 1), Self.randomWarps(50, seed: 2)) {
            let inside = inner.apply(3.5, -7.25)
            let expected = outer.apply(inside.x, inside.y)
            let found = (outer * inner).apply(3.5, -7.25)
            #expect(abs(found.x - expected.x) < 1e-9 && abs(found.y - expected.y) < 1e-9)
        }
    }

    @Test("composition is associative and the identity is neutral")
    func associativity() {
        let warps = Self.randomWarps(60, seed: 3)
        for k in stride(from: 0, to: 60, by: 3) {
            let left = (warps[k] * warps[k + 1]) * warps[k + 2]
            let right = warps[k] * (warps[k + 1] * warps[k + 2])
            #expect(left.maximumCornerDistance(to: right, width: 100, height: 100) < 1e-9)
            #expect(warps[k] * .identity == warps[k] && .identity * warps[k] == warps[k])
        }
    }

    @Test("a warp and its inverse undo each other on both sides")
    func inversion() throws {
        for warp in Self.randomWarps(50, seed: 4) {
            let inverse = try #require(warp.inverse)
            for product in [warp * inverse, inverse * warp] {
                #expect(product.maximumCornerDistance(to: .identity, width: 100, height: 100) < 1e-9)
            }
            #expect(abs(warp.determinant * inverse.determinant - 1) < 1e-12)
        }
    }

    @Test(
        "a singular warp has no inverse",
        arguments: [
            AffineWarp(a: 1, b: 2, tx: 3, c: 2, d: 4, ty: 5), AffineWarp(a: 0, b: 0, tx: 0, c: 0, d: 0, ty: 0),
            AffineWarp(a: .nan, b: 0, tx: 0, c: 0, d: 1, ty: 0),
            AffineWarp(a: 1, b: 0, tx: .infinity, c: 0, d: 1, ty: 0),
        ])
    func singular(warp: AffineWarp) {
        #expect(warp.inverse == nil)
    }

    @Test("a tiny but regular warp has an inverse: the test for singular does not depend on units")
    func tiny() {
        #expect(AffineWarp.similarity(scale: 1e-9).inverse != nil)
    }

    @Test("between levels the translation is scaled and the linear part is kept")
    func levels() {
        for warp in Self.randomWarps(20, seed: 5) {
            let coarse = warp.atLevel(3)
            #expect([coarse.a, coarse.b, coarse.c, coarse.d] == [warp.a, warp.b, warp.c, warp.d])
            #expect(coarse.tx == warp.tx / 8 && coarse.ty == warp.ty / 8)
            #expect(coarse.atLevel(-3) == warp)
            // The law itself: going down and mapping is mapping and going down.
            let (fine, low) = (warp.apply(40, 24), coarse.apply(5, 3))
            #expect(abs(fine.x / 8 - low.x) < 1e-12 && abs(fine.y / 8 - low.y) < 1e-12)
        }
    }

    @Test("three points determine a warp, unless they lie on a line")
    func mapping() throws {
        let from = ((0.0, 0.0), (10.0, 1.0), (2.0, 8.0))
        let to = ((5.0, 4.0), (14.0, 6.0), (6.0, 13.0))
        let warp = try #require(AffineWarp.mapping(from, to: to))
        for (start, end) in [(from.0, to.0), (from.1, to.1), (from.2, to.2)] {
            let found = warp.apply(start.0, start.1)
            #expect(abs(found.x - end.0) < 1e-12 && abs(found.y - end.1) < 1e-12)
        }
        #expect(AffineWarp.mapping(((0, 0), (1, 1), (2, 2)), to: to) == nil)
    }

    @Test("shear leaves the scale alone, so a sheared box is not reported as larger")
    func shearIsNotScale() {
        #expect(AffineWarp(a: 1, b: 0.5, tx: 0, c: 0, d: 1, ty: 0).scale == 1)
        #expect(abs(AffineWarp.similarity(scale: 1.25, cosine: 0.6, sine: 0.8).scale - 1.25) < 1e-12)
        #expect(AffineWarp(a: -2, b: 0, tx: 0, c: 0, d: 2, ty: 0).scale == 2)
    }

    @Test("the distance of corners is the farthest one's, and a NaN shows")
    func cornerDistance() {
        let turned = AffineWarp(a: 1, b: 0, tx: 3, c: 0.1, d: 1, ty: 4)
        let distance = turned.maximumCornerDistance(to: .identity, width: 20, height: 10)
        #expect(abs(distance - (9.0 + 25).squareRoot()) < 1e-12)
        let broken = AffineWarp(a: .nan, b: 0, tx: 0, c: 0, d: 1, ty: 0)
        #expect(broken.maximumCornerDistance(to: .identity, width: 20, height: 10).isNaN)
    }

    @Test("corners go around the box from the top left")
    func corners() {
        let corners = AffineWarp.translation(100, 50).corners(width: 20, height: 10)
        #expect(corners.map(\.x) == [90, 110, 110, 90])
        #expect(corners.map(\.y) == [45, 45, 55, 55])
    }
}
