/// How a pyramid is made.
public struct PyramidOptions: Sendable, Hashable {
    /// Number of levels, at least 1.
    public var levels: Int
    /// The number of the first level. 0 is the image itself; level b > 0 is the image averaged over squares of 2^b
    /// pixels, so that the cost of a very large target stays bounded.
    public var baseLevel: Int
    /// Standard deviation of a Gaussian that the first level is smoothed with, in pixels of that level, at most 20; 0
    /// for none.
    public var blurSigma: Double

    public init(levels: Int = 4, baseLevel: Int = 0, blurSigma: Double = 0) {
        self.levels = levels
        self.baseLevel = baseLevel
        self.blurSigma = blurSigma
    }

    /// A region's origin must be a multiple of this, so that its pixels are pixels of the whole image's pyramid.
    public var alignment: Int { 1 << min(max(baseLevel + levels - 1, 0), 30) }
}

/// An image, or a region of it, at halved resolutions.
///
/// Pixel i of a level is centred on pixel 2i of the level below, so coordinates of level l are those of level 0 divided
/// by exactly 2^l. Each level is smoothed by the binomial 1-4-6-4-1 before it is halved (Burt & Adelson, "The Laplacian
/// pyramid as a compact image code", 1983, with a = 0.375); borders are replicated.
public struct Pyramid: Sendable {
    /// The numbers of the levels that exist.
    public let levels: Range<Int>
    /// The part of the image that level 0 would cover.
    public let region: PixelRegion
    private let planes: [Plane]

    /// The pyramid of a region of an image (all of it by default).
    ///
    /// The region must lie in the image and its origin be a multiple of `options.alignment` (`PixelRegion.covering`
    /// gives such a region). Away from the region's borders the levels then equal those of the whole image.
    public init(_ image: Image, region: PixelRegion? = nil, options: PyramidOptions = PyramidOptions()) {
        let region = region ?? .whole(width: image.width, height: image.height)
        let base =
            options.baseLevel == 0
            ? Plane(image, region: region) : areaReduced(image, region: region, level: options.baseLevel)
        self.init(base: base, region: region, options: options)
    }

    /// The pyramid over a plane that is level 0 of a region with the given origin.
    public init(_ plane: Plane, originX: Int = 0, originY: Int = 0, levels: Int, blurSigma: Double = 0) {
        self.init(
            base: plane, region: PixelRegion(x: originX, y: originY, width: plane.width, height: plane.height),
            options: PyramidOptions(levels: levels, blurSigma: blurSigma))
    }

    private init(base: Plane, region: PixelRegion, options: PyramidOptions) {
        precondition(
            region.x % options.alignment == 0 && region.y % options.alignment == 0,
            "a region's origin must be a multiple of its pyramid's alignment")
        var planes = [options.blurSigma > 0 ? gaussianBlurred(base, sigma: options.blurSigma) : base]
        for _ in 1..<max(options.levels, 1) { planes.append(halved(planes[planes.count - 1])) }
        self.planes = planes
        self.region = region
        levels = options.baseLevel..<options.baseLevel + planes.count
    }

    /// The plane of a level that exists.
    public subscript(level: Int) -> Plane { planes[level - levels.lowerBound] }

    /// The column and row of the whole image's level at which the plane of `level` begins.
    public func origin(ofLevel level: Int) -> (x: Int, y: Int) { (region.x >> level, region.y >> level) }

    /// The existing level nearest to `level`.
    public func clampedLevel(_ level: Int) -> Int { min(max(level, levels.lowerBound), levels.upperBound - 1) }
}
