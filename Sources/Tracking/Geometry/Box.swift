/// An upright rectangle in pixels, written `[x, y, width, height]`; it may reach outside the image.
///
/// Coordinates are continuous with their origin at the top-left **corner** of the image: the pixel in column `i` and row
/// `j` covers `i … i + 1` by `j … j + 1`, so a box of the whole image is `[0, 0, width, height]`.
public struct Box: Hashable, Sendable {
    /// The top-left corner.
    public var x, y: Double
    public var width, height: Double

    public init(x: Double, y: Double, width: Double, height: Double) {
        self.x = x
        self.y = y
        self.width = width
        self.height = height
    }

    public init(center: Point, width: Double, height: Double) {
        self.init(x: center.x - width / 2, y: center.y - height / 2, width: width, height: height)
    }

    public var center: Point { Point(x: x + width / 2, y: y + height / 2) }

    /// In square pixels; 0 where a side is negative.
    public var area: Double { max(width, 0) * max(height, 0) }

    /// Whether all four numbers are finite.
    public var isFinite: Bool { x.isFinite && y.isFinite && width.isFinite && height.isFinite }

    /// The corners: top-left, top-right, bottom-right, bottom-left.
    public var quad: Quad {
        Quad(
            Point(x: x, y: y), Point(x: x + width, y: y), Point(x: x + width, y: y + height),
            Point(x: x, y: y + height))
    }

    /// The area that both cover, in square pixels.
    public func intersectionArea(_ other: Box) -> Double {
        let w = min(x + width, other.x + other.width) - max(x, other.x)
        let h = min(y + height, other.y + other.height) - max(y, other.y)
        return max(w, 0) * max(h, 0)
    }

    /// Intersection over union, 0 … 1; 0 for two empty boxes.
    public func intersectionOverUnion(_ other: Box) -> Double {
        let intersection = intersectionArea(other)
        let union = area + other.area - intersection
        // Rounding may put the ratio of equal boxes above 1, which would pass OTB's strict threshold of 1.
        return union > 0 ? min(intersection / union, 1) : 0
    }

    /// Whether a point lies in the box, its left and top edges included.
    public func contains(_ point: Point) -> Bool {
        point.x >= x && point.x < x + width && point.y >= y && point.y < y + height
    }

    /// Whether the other box lies wholly inside this one.
    public func contains(_ other: Box) -> Bool {
        other.x >= x && other.y >= y && other.x + other.width <= x + width && other.y + other.height <= y + height
    }
}

/// A point in pixels, in the coordinates of ``Box``.
public struct Point: Hashable, Sendable {
    public var x, y: Double

    public init(x: Double, y: Double) {
        self.x = x
        self.y = y
    }

    /// Euclidean, in pixels.
    public func distance(to other: Point) -> Double {
        let dx = x - other.x
        let dy = y - other.y
        return (dx * dx + dy * dy).squareRoot()
    }
}

/// Four corners in the order top-left, top-right, bottom-right, bottom-left of the box that they came from.
public struct Quad: Hashable, Sendable {
    public var topLeft, topRight, bottomRight, bottomLeft: Point

    public init(_ topLeft: Point, _ topRight: Point, _ bottomRight: Point, _ bottomLeft: Point) {
        self.topLeft = topLeft
        self.topRight = topRight
        self.bottomRight = bottomRight
        self.bottomLeft = bottomLeft
    }

    public var corners: [Point] { [topLeft, topRight, bottomRight, bottomLeft] }

    /// Eight numbers x, y, x, y …
    public var coordinates: [Double] { corners.flatMap { [$0.x, $0.y] } }

    /// Root mean square distance of corresponding corners, in pixels (the error measure of Baker & Matthews, IJCV 2004,
    /// section 3.4).
    public func rmsDistance(to other: Quad) -> Double {
        let squares = zip(corners, other.corners).map { pair in
            let distance = pair.0.distance(to: pair.1)
            return distance * distance
        }
        return (squares.reduce(0, +) / 4).squareRoot()
    }
}
