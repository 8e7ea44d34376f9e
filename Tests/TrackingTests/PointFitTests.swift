import LucasKanade
import Testing

@testable import Tracking

@Suite("Motion of a target's points")
struct PointFitTests {
    private static let box = Box(x: 100, y: 80, width: 80, height: 60)
    private static let motion = AffineMap(a: 1.05, b: -0.08, tx: 12, c: 0.06, d: 1.02, ty: -7)
    private static let turn = AffineMap(a: 1.04, b: -0.1, tx: 12, c: 0.1, d: 1.04, ty: -7)

    private static let grid = (0..<100).map { number in
        Point(x: 104 + 8 * Double(number % 10), y: 83 + 6 * Double(number / 10))
    }

    private func solve(
        _ from: [Point], _ to: [Point], _ motion: TrackerOptions.Motion = .affine, last: AffineMap = .identity
    ) -> (map: AffineMap, agrees: [Bool])? {
        PointFit(
            from: from, to: to, box: Self.box, motion: motion, last: last, parameters: PointsTrackerParameters()
        ).solve()
    }

    private func expect(_ map: AffineMap?, near truth: AffineMap, _ tolerance: Double = 1e-6) throws {
        let map = try #require(map)
        #expect(map.apply(Self.box.quad).rmsDistance(to: truth.apply(Self.box.quad)) < tolerance)
    }

    @Test("exact points give the exact motion")
    func exact() throws {
        try expect(solve(Self.grid, Self.grid.map(Self.motion.apply))?.map, near: Self.motion)
        try expect(solve(Self.grid, Self.grid.map(Self.turn.apply), .similarity)?.map, near: Self.turn)
        let shift = AffineMap.translation(3, -2)
        try expect(solve(Self.grid, Self.grid.map(shift.apply), .translation)?.map, near: shift)
    }

    @Test("four points of ten that move together elsewhere have no say")
    func outliers() throws {
        let away = AffineMap.translation(-25, 14)
        let to = Self.grid.enumerated().map { ($0 % 10 < 4 ? away : Self.motion).apply($1) }
        let fit = try #require(solve(Self.grid, to))
        try expect(fit.map, near: Self.motion)
        #expect(fit.agrees == Self.grid.indices.map { $0 % 10 >= 4 })
    }

    @Test("few points, or points on a line, do not shear the box")
    func degenerate() throws {
        // A line tells scale and rotation, and nothing of what happens across it.
        let line = Self.grid.filter { $0.y == 107 }
        try expect(solve(line, line.map(Self.turn.apply))?.map, near: Self.turn)
        // One point tells a move; the shape stays the last one.
        let start = Self.grid[44]
        let target = Point(x: 140, y: 90)
        let one = try #require(solve([start], [target], last: Self.turn)?.map)
        #expect(one.apply(start).distance(to: target) < 1e-9 && one.a == Self.turn.a && one.b == Self.turn.b)
        let together = try #require(solve(.init(repeating: start, count: 50), .init(repeating: target, count: 50))?.map)
        #expect(together.determinant == 1 && together.apply(start).distance(to: target) < 1e-9)
        #expect(solve([], []) == nil)
    }

    @Test("a motion that no target makes in a frame is not believed")
    func runaway() throws {
        let blown = AffineMap(a: 3, b: 0, tx: -280, c: 0, d: 3, ty: -220)
        let fit = try #require(solve(Self.grid, Self.grid.map(blown.apply)))
        #expect(abs(fit.map.determinant.squareRoot() - 1) < 0.2)
        let mirrored = AffineMap(a: -1, b: 0, tx: 280, c: 0, d: 1, ty: 0)
        #expect(try #require(solve(Self.grid, Self.grid.map(mirrored.apply))).map.determinant > 0)
    }
}

@Suite("Surroundings of points")
struct PointViewsTests {
    private func area(_ points: [Point], width: Int, height: Int) -> Int {
        let frame = PreparedFrame(
            gray: .flat(7, width: width, height: height), color: nil, workspace: AlignmentWorkspace())
        var views = PointViews(points, window: 21, levels: 3)
        var (area, seen) = (0, [Int]())
        views.advance(to: frame, positions: points) { indices, _, now in
            area += now.region.width * now.region.height
            seen += indices
        }
        #expect(seen.sorted() == Array(points.indices))
        return area
    }

    @Test("what is looked at does not grow with the frame, also where points are far apart")
    func flat() {
        let near = (0..<100).map { Point(x: 300 + Double($0 % 10), y: 300 + Double($0 / 10)) }
        #expect(area(near, width: 640, height: 640) == area(near, width: 4096, height: 2160))
        #expect(area(near, width: 4096, height: 2160) < 60_000)
        let corners = [Point(x: 300, y: 300), Point(x: 3800, y: 300), Point(x: 300, y: 1800), Point(x: 3800, y: 1800)]
        #expect(area(corners + near, width: 4096, height: 2160) < 5 * 60_000)
    }

    @Test("a point that is left out costs nothing, and groups that are all out have no pyramid")
    func leftOut() {
        let frame = PreparedFrame(gray: .flat(7), color: nil, workspace: AlignmentWorkspace())
        var views = PointViews([Point(x: 3, y: 3), Point(x: 40, y: 3)], window: 21, levels: 1)
        var visits = 0
        views.advance(to: frame, positions: [nil, nil]) { _, _, _ in visits += 1 }
        #expect(visits == 0)
        views.advance(to: frame, positions: [nil, Point(x: 40, y: 3)]) { indices, _, _ in
            visits += 1
            #expect(indices == [1])
        }
        #expect(visits == 1)
    }
}
