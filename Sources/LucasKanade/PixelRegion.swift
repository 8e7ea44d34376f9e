/// A rectangle of whole pixels: columns `x ..< x + width`, rows `y ..< y + height` of an image.
public struct PixelRegion: Sendable, Hashable {
    public var x, y, width, height: Int

    public init(x: Int, y: Int, width: Int, height: Int) {
        self.x = x
        self.y = y
        self.width = width
        self.height = height
    }

    /// The pixels that an image of this size has.
    public static func whole(width: Int, height: Int) -> PixelRegion {
        PixelRegion(x: 0, y: 0, width: width, height: height)
    }

    /// The part of an image that a target needs: the bounds of the warped `width` × `height` box, `margin` pixels more
    /// on each side, cut to the image, with an origin that is a multiple of `alignment`
    /// (`PyramidOptions.alignment`). Never empty: a target outside the image gets the pixels nearest to it.
    public static func covering(
        _ warp: AffineWarp, width: Double, height: Double, margin: Double, alignment: Int,
        imageWidth: Int, imageHeight: Int
    ) -> PixelRegion {
        let corners = warp.corners(width: width, height: height)
        let (x, columns) = span(corners.map { $0.x }, margin: margin, alignment: alignment, size: imageWidth)
        let (y, rows) = span(corners.map { $0.y }, margin: margin, alignment: alignment, size: imageHeight)
        return PixelRegion(x: x, y: y, width: columns, height: rows)
    }

    /// The first pixel (a multiple of `alignment`) and the number of pixels of one axis.
    private static func span(_ values: [Double], margin: Double, alignment: Int, size: Int) -> (Int, Int) {
        // Swift's min and max let a NaN through in one order only, so it is turned into the image's edge first.
        let finite = values.map { $0.isFinite ? $0 : 0 }
        let last = Double(size - 1)
        let low = min(max(finite.min()! - margin, 0), last)
        let high = min(max(finite.max()! + margin, low), last)
        let start = Int(low.rounded(.down)) / alignment * alignment
        return (start, Int(high.rounded(.up)) - start + 1)
    }
}
