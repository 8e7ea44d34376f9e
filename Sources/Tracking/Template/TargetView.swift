import LucasKanade

/// The part of a frame in which a target is looked for.
struct TargetView {
    /// Light and shade taken out, where the illumination model asks for it: what templates are found in.
    let contrast: Pyramid
    /// The grey levels themselves, from which ``TargetViewer/gray(of:)`` makes a pyramid where one is needed.
    fileprivate let base: Plane
    fileprivate let region: PixelRegion
}

/// What a target looks like.
struct TargetTemplates: Sendable {
    let contrast: TemplatePyramid
    let gray: TemplatePyramid
}

/// Cuts a target's surroundings out of frames, at a resolution that suits its size.
///
/// All that a template tracker does is in *units*: pixels of the coarsest pyramid level that still has a sample of the
/// template in every pixel or two. A large target is so looked at in a reduced picture and its cost is bounded.
struct TargetViewer: Sendable {
    /// Number of the level whose pixels are the units.
    private let baseLevel: Int
    private let pyramidLevels: Int
    /// How many levels a template of this size can have.
    let templateLevels: Int
    private let smoothing: Double
    private let normalization: LocalNormalization?

    /// The size of the box in units.
    let width, height: Double
    /// Pixels in a unit; a power of two.
    let unit: Double

    init(box: Box, options: TrackerOptions) {
        let parameters = options.template
        // A template is sampled from the level whose pixels are about as far apart as its samples. One finer level lets
        // the target shrink, one coarser lets it grow; finer ones would only cost time.
        let spacing = max((box.width * box.height).squareRoot() / Double(parameters.gridSide), 1)
        let finest = Int(spacing.exponent)
        baseLevel = max(finest - 1, 0)
        smoothing = parameters.smoothing
        unit = Double(1 << baseLevel)
        (width, height) = (box.width / unit, box.height / unit)
        let coarsest = min(width, height) / parameters.minimumCoarseSide
        templateLevels = min(options.levels, max(finest - baseLevel, coarsest > 1 ? Int(coarsest.exponent) : 0) + 1)
        pyramidLevels = finest - baseLevel + templateLevels + 1
        let radius = Int((parameters.normalizationRadius * (width * height).squareRoot()).rounded())
        normalization =
            options.illumination == .gainBias && parameters.normalizationRadius > 0
            ? LocalNormalization(radius: max(radius, 2), floor: Float(parameters.normalizationFloor)) : nil
    }

    /// Whether a view's contrast is something else than its grey levels.
    var isNormalized: Bool { normalization != nil }

    /// The surroundings of a pose.
    ///
    /// - Parameter margin: on each side of the box, in units.
    func view(of frame: PreparedFrame, around warp: AffineWarp, margin: Double) -> TargetView {
        let region = PixelRegion.covering(
            warp.atLevel(-baseLevel), width: width * unit, height: height * unit, margin: margin * unit,
            alignment: 1 << (baseLevel + pyramidLevels - 1), imageWidth: frame.gray.width,
            imageHeight: frame.gray.height)
        let base = Pyramid(
            frame.gray, region: region, options: PyramidOptions(levels: 1, baseLevel: baseLevel))[baseLevel]
        let contrast = pyramid(over: normalization?.apply(to: base) ?? base, region: region)
        return TargetView(contrast: contrast, base: base, region: region)
    }

    /// The grey levels of a view: what a pose is measured and refined on. Made only where a target was found, because
    /// most of what a wide search looks at is not looked at again.
    func gray(of view: TargetView) -> Pyramid {
        isNormalized ? pyramid(over: view.base, region: view.region) : view.contrast
    }

    /// The grey levels alone, not smoothed, and where in the frame they begin, in units.
    func grayPlane(of view: TargetView) -> Plane { view.base }
    func origin(of view: TargetView) -> (x: Int, y: Int) { (view.region.x >> baseLevel, view.region.y >> baseLevel) }

    private func pyramid(over plane: Plane, region: PixelRegion) -> Pyramid {
        Pyramid(
            plane, originX: region.x >> baseLevel, originY: region.y >> baseLevel, levels: pyramidLevels,
            blurSigma: smoothing)
    }

    // MARK: Between units and pixels

    /// The template-local coordinates of a box, where it was drawn: origin at its centre, pixel centres at integers.
    func origin(of box: Box) -> AffineWarp {
        AffineWarp.translation(box.center.x - 0.5, box.center.y - 0.5).atLevel(baseLevel)
    }

    /// A warp of this target as a map of the pixels of the frame in which `box` was drawn.
    func map(_ warp: AffineWarp, ofBox box: Box) -> AffineMap {
        let warp = warp.atLevel(-baseLevel)
        let center = box.center
        return AffineMap(
            a: warp.a, b: warp.b, tx: warp.tx + 0.5 - warp.a * center.x - warp.b * center.y, c: warp.c, d: warp.d,
            ty: warp.ty + 0.5 - warp.c * center.x - warp.d * center.y)
    }

    /// Whether a pose's centre lies in the frame.
    func isInside(_ warp: AffineWarp, _ frame: PreparedFrame) -> Bool {
        frame.contains(Point(x: warp.tx * unit + 0.5, y: warp.ty * unit + 0.5))
    }
}
