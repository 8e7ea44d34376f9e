/// Finds the motion that most of a target's points share.
///
/// It is fitted between the points' first positions and those in the frame at hand, not from frame to frame, so that the
/// scale does not drift. Points that were drawn onto something else do not agree, and have no part in it: hypotheses
/// from pairs of points are scored (Torr & Zisserman's MSAC, 2000), and the best is refined by least squares.
struct PointFit {
    /// Where the points were at first, and where they are.
    private let from, to: [Point]
    /// The box's size at first.
    private let size: Double
    private let motion: TrackerOptions.Motion
    private let parameters: PointsTrackerParameters
    /// The motion in the frame before.
    private let last: AffineMap
    /// Points beyond this distance, in pixels, do not agree.
    private let tolerance: Double

    init(
        from: [Point], to: [Point], box: Box, motion: TrackerOptions.Motion, last: AffineMap,
        parameters: PointsTrackerParameters
    ) {
        (self.from, self.to, self.motion, self.last, self.parameters) = (from, to, motion, last, parameters)
        size = box.area.squareRoot()
        let growth = max(last.determinant, 0).squareRoot()
        tolerance = max(parameters.inlierDistance, parameters.inlierShare * size * growth)
    }

    /// Rounds of least squares after the best hypothesis.
    private static let refinements = 4

    /// - Returns: the motion, and whether each point agrees with it; `nil` without points.
    func solve() -> (map: AffineMap, agrees: [Bool])? {
        guard !from.isEmpty else { return nil }
        var best = hypotheses().reduce(into: (map: last, cost: Double.infinity)) { best, map in
            let cost = cost(of: map)
            if cost < best.cost { best = (map, cost) }
        }.map
        var agreeing = agreement(with: best)
        for _ in 0..<Self.refinements {
            guard let refined = refine(agreeing) else { break }
            best = refined
            let next = agreement(with: best)
            if next == agreeing { break }
            agreeing = next
        }
        return (best, agreeing)
    }

    private func residual(_ map: AffineMap, _ index: Int) -> Double { map.apply(from[index]).distance(to: to[index]) }

    private func cost(of map: AffineMap) -> Double {
        from.indices.reduce(0) { sum, index in
            let distance = min(residual(map, index), tolerance)
            return sum + distance * distance
        }
    }

    private func agreement(with map: AffineMap) -> [Bool] { from.indices.map { residual(map, $0) < tolerance } }

    // MARK: Hypotheses

    /// Similarities that take two points along, and moves of the last shape that take one along. Which points is the R2
    /// sequence's choice (Roberts, 2018), which spreads pairs evenly and is the same every time.
    private func hypotheses() -> [AffineMap] {
        let count = Double(from.count)
        let (stepA, stepB) = (0.7548776662466927, 0.5698402909980532)
        return (0..<parameters.hypotheses).flatMap { number -> [AffineMap] in
            let a = Int((0.5 + stepA * Double(number)).truncatingRemainder(dividingBy: 1) * count)
            let b = Int((0.5 + stepB * Double(number)).truncatingRemainder(dividingBy: 1) * count)
            let moved = last.moved(from[a], to: to[a])
            guard motion != .translation, from[a].distance(to: from[b]) >= parameters.baseline * size else {
                return [moved]
            }
            return [moved, similarity([a, b])].compactMap { $0.flatMap { isSound($0) ? $0 : nil } }
        }
    }

    // MARK: Least squares

    /// The richest motion that the points determine and that is sound.
    private func refine(_ agreeing: [Bool]) -> AffineMap? {
        let indices = from.indices.filter { agreeing[$0] }
        guard !indices.isEmpty else { return nil }
        let spread = Spread(indices.map { from[$0] })
        let least = parameters.minimumSpread * size
        if motion == .affine, indices.count >= parameters.affinePoints, spread.least >= least,
            let map = affine(indices, spread), isSound(map)
        {
            return map
        }
        if motion != .translation, indices.count >= parameters.similarityPoints, spread.total >= least,
            let map = similarity(indices), isSound(map)
        {
            return map
        }
        return last.moved(spread.mean, to: Spread(indices.map { to[$0] }).mean)
    }

    private func similarity(_ indices: [Int]) -> AffineMap? {
        let (source, target) = (mean(from, indices), mean(to, indices))
        var (along, across, square) = (0.0, 0.0, 0.0)
        for index in indices {
            let (u, v) = (from[index].x - source.x, from[index].y - source.y)
            let (x, y) = (to[index].x - target.x, to[index].y - target.y)
            along += u * x + v * y
            across += u * y - v * x
            square += u * u + v * v
        }
        guard square > 0 else { return nil }
        let (c, s) = (along / square, across / square)
        return AffineMap(a: c, b: -s, tx: 0, c: s, d: c, ty: 0).moved(source, to: target)
    }

    private func affine(_ indices: [Int], _ spread: Spread) -> AffineMap? {
        let (source, target) = (spread.mean, mean(to, indices))
        var (ux, vx, uy, vy) = (0.0, 0.0, 0.0, 0.0)
        for index in indices {
            let (u, v) = (from[index].x - source.x, from[index].y - source.y)
            let (x, y) = (to[index].x - target.x, to[index].y - target.y)
            ux += u * x
            vx += v * x
            uy += u * y
            vy += v * y
        }
        let (uu, uv, vv) = (spread.xx, spread.xy, spread.yy)
        let determinant = (uu * vv - uv * uv) * Double(indices.count)
        guard determinant > 0 else { return nil }
        return AffineMap(
            a: (ux * vv - vx * uv) / determinant, b: (vx * uu - ux * uv) / determinant, tx: 0,
            c: (uy * vv - vy * uv) / determinant, d: (vy * uu - uy * uv) / determinant, ty: 0
        ).moved(source, to: target)
    }

    private func mean(_ points: [Point], _ indices: [Int]) -> Point { Spread(indices.map { points[$0] }).mean }

    // MARK: Bounds

    /// Whether a target may move so: a few points that err must not blow up its box.
    private func isSound(_ map: AffineMap) -> Bool {
        let determinant = map.determinant
        guard map.coefficients.allSatisfy(\.isFinite), determinant > 0 else { return false }
        let scale = determinant.squareRoot()
        let step = scale / max(last.determinant, .leastNormalMagnitude).squareRoot()
        let horizontal = (map.a * map.a + map.c * map.c).squareRoot()
        let vertical = (map.b * map.b + map.d * map.d).squareRoot()
        let skew = abs(map.a * map.b + map.c * map.d) / (horizontal * vertical)
        return isWithin(step, parameters.maximumScaleStep) && isWithin(scale, parameters.maximumScale)
            && isWithin(horizontal / vertical, parameters.maximumAspect) && skew <= parameters.maximumSkew
    }

    private func isWithin(_ ratio: Double, _ factor: Double) -> Bool { ratio <= factor && ratio * factor >= 1 }
}

/// Mean and covariance of points.
private struct Spread {
    private(set) var mean = Point(x: 0, y: 0)
    private(set) var (xx, xy, yy) = (0.0, 0.0, 0.0)

    init(_ points: [Point]) {
        let count = Double(points.count)
        for point in points { mean = Point(x: mean.x + point.x / count, y: mean.y + point.y / count) }
        for point in points {
            let (u, v) = (point.x - mean.x, point.y - mean.y)
            xx += u * u / count
            xy += u * v / count
            yy += v * v / count
        }
    }

    /// Standard deviation from the mean, in pixels.
    var total: Double { (xx + yy).squareRoot() }

    /// Standard deviation in the direction in which it is least, in pixels.
    var least: Double {
        let difference = ((xx - yy) * (xx - yy) + 4 * xy * xy).squareRoot()
        return max((xx + yy - difference) / 2, 0).squareRoot()
    }
}

extension AffineMap {
    /// The same linear part, moved so that one point goes to another.
    fileprivate func moved(_ point: Point, to target: Point) -> AffineMap {
        let now = apply(point)
        return AffineMap(a: a, b: b, tx: tx + target.x - now.x, c: c, d: d, ty: ty + target.y - now.y)
    }
}
