import LucasKanade

/// The parts of a frame that a target's points are followed in: pyramids of the points' surroundings, not of the frame.
///
/// Points that are far from each other are in groups of their own, each with a pyramid, so that a handful of points all
/// over a large frame does not cost the frame.
struct PointViews: Sendable {
    private struct View {
        var indices: [Int]
        var pyramid: Pyramid?
    }

    private var views: [View]
    private let levels: Int
    /// How far around a point its pyramid must reach, in pixels: a window on the coarsest level, as far again for the
    /// way that the point may go in a frame, and what gradients and smoothing look at beyond.
    private let margin: Double

    /// Groups the points for good.
    init(_ points: [Point], window: Int, levels: Int) {
        self.levels = levels
        let fringe = 4
        margin = Double((2 * (window / 2) + fringe) << (levels - 1))
        views = Self.groups(Array(points.indices), points, margin: margin).map { View(indices: $0) }
    }

    /// Makes the pyramids of a frame around points, and visits each group with those of the frame before.
    ///
    /// - Parameters:
    ///   - positions: of all points, in the coordinates of `Box`; `nil` leaves a point out.
    ///   - body: takes the group's points that are not left out, and its pyramids; the first is that of the frame before,
    ///     and for the first frame its own.
    mutating func advance(
        to frame: PreparedFrame, positions: [Point?], body: (_ indices: [Int], _ last: Pyramid, _ now: Pyramid) -> Void
    ) {
        for number in views.indices {
            let indices = views[number].indices.filter { positions[$0] != nil }
            guard let bounds = Box(bounding: indices.compactMap { positions[$0] }) else {
                views[number].pyramid = nil
                continue
            }
            let options = PyramidOptions(levels: levels)
            let region = PixelRegion.covering(
                .translation(bounds.center.x - 0.5, bounds.center.y - 0.5), width: bounds.width, height: bounds.height,
                margin: margin, alignment: options.alignment, imageWidth: frame.gray.width,
                imageHeight: frame.gray.height)
            let now = Pyramid(frame.gray, region: region, options: options)
            body(indices, views[number].pyramid ?? now, now)
            views[number].pyramid = now
        }
    }

    /// Parts a group at its widest gap as long as the parts' surroundings are together smaller than the whole's by this
    /// factor.
    private static let worthwhile = 0.75

    private static func groups(_ indices: [Int], _ points: [Point], margin: Double) -> [[Int]] {
        guard let whole = area(indices, points, margin: margin) else { return [] }
        let parts = [parted(indices, by: { points[$0].x }), parted(indices, by: { points[$0].y })]
        guard let (first, second, _) = parts.max(by: { $0.gap < $1.gap }),
            let a = area(first, points, margin: margin), let b = area(second, points, margin: margin),
            a + b < worthwhile * whole
        else { return [indices] }
        return groups(first, points, margin: margin) + groups(second, points, margin: margin)
    }

    private static func parted(
        _ indices: [Int], by coordinate: (Int) -> Double
    ) -> (first: [Int], second: [Int], gap: Double) {
        let sorted = indices.sorted { (coordinate($0), $0) < (coordinate($1), $1) }
        let gaps = zip(sorted, sorted.dropFirst()).map { coordinate($1) - coordinate($0) }
        guard let widest = gaps.indices.max(by: { gaps[$0] < gaps[$1] }) else { return (indices, [], 0) }
        return (Array(sorted[...widest]), Array(sorted[(widest + 1)...]), gaps[widest])
    }

    /// Of the surroundings of points; `nil` without points.
    private static func area(_ indices: [Int], _ points: [Point], margin: Double) -> Double? {
        Box(bounding: indices.map { points[$0] }).map { ($0.width + 2 * margin) * ($0.height + 2 * margin) }
    }
}

extension Box {
    /// The smallest box that holds points; `nil` without any.
    init?(bounding points: [Point]) {
        guard let first = points.first else { return nil }
        var (left, top, right, bottom) = (first.x, first.y, first.x, first.y)
        for point in points {
            (left, right) = (min(left, point.x), max(right, point.x))
            (top, bottom) = (min(top, point.y), max(bottom, point.y))
        }
        self.init(x: left, y: top, width: right - left, height: bottom - top)
    }
}
