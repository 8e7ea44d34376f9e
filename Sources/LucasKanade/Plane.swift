/// A grey picture in `Float`, row by row without gaps; the values of an 8-bit image keep their range 0…255.
///
/// Beyond the borders a plane continues with its outermost pixels (replicate).
public struct Plane: Sendable, Hashable {
    /// In pixels, at least 1.
    public let width, height: Int
    /// `width * height` values.
    public private(set) var pixels: [Float]

    public init(width: Int, height: Int, pixels: [Float]) {
        precondition(width > 0 && height > 0 && pixels.count == width * height, "a plane needs width × height pixels")
        self.width = width
        self.height = height
        self.pixels = pixels
    }

    /// A plane whose pixels are written once by `fill`, which must set every one of them.
    init(width: Int, height: Int, fill: (UnsafeMutableBufferPointer<Float>) -> Void) {
        precondition(width > 0 && height > 0, "a plane is not empty")
        self.width = width
        self.height = height
        pixels = [Float](unsafeUninitializedCapacity: width * height) { buffer, count in
            fill(buffer)
            count = width * height
        }
    }

    /// The image's brightness, or that of a region of it; where the region reaches outside the image, the image's
    /// outermost pixels are repeated. Colour is weighted 0.299 red, 0.587 green, 0.114 blue (ITU-R BT.601).
    public init(_ image: Image, region: PixelRegion? = nil) {
        let region = region ?? .whole(width: image.width, height: image.height)
        self.init(width: region.width, height: region.height) { out in
            image.withBytes { bytes in
                let source = bytes.baseAddress!.assumingMemoryBound(to: UInt8.self)
                // Columns of the region that lie inside the image, counted in the region.
                let first = min(max(-region.x, 0), region.width - 1)
                let end = min(max(image.width - region.x, first + 1), region.width)
                for j in 0..<region.height {
                    let row = source + min(max(region.y + j, 0), image.height - 1) * image.bytesPerRow
                    let target = out.baseAddress! + j * region.width
                    let x = min(max(region.x + first, 0), image.width - 1)
                    copyGrey(row + x * image.channels, channels: image.channels, to: target + first, count: end - first)
                    for i in 0..<first { target[i] = target[first] }
                    for i in end..<max(end, region.width) { target[i] = target[end - 1] }
                }
            }
        }
    }

    /// The nearest pixel of the plane to (x, y).
    public subscript(x: Int, y: Int) -> Float {
        pixels[min(max(y, 0), height - 1) * width + min(max(x, 0), width - 1)]
    }

    /// The value at a position between pixel centres, bilinear; NaN where the position is not finite.
    public func sample(_ x: Double, _ y: Double) -> Float {
        guard x.isFinite, y.isFinite else { return .nan }
        let (x, y) = (min(max(x, 0), Double(width - 1)), min(max(y, 0), Double(height - 1)))
        let (left, top) = (x.rounded(.down), y.rounded(.down))
        let (i, j) = (Int(left), Int(top))
        let (fx, fy) = (Float(x - left), Float(y - top))
        let upper = self[i, j] + (self[i + 1, j] - self[i, j]) * fx
        let lower = self[i, j + 1] + (self[i + 1, j + 1] - self[i, j + 1]) * fx
        return upper + (lower - upper) * fy
    }

    /// The pixels, row by row; valid inside the closure only.
    public func withPixels<R>(_ body: (UnsafePointer<Float>) throws -> R) rethrows -> R {
        try pixels.withUnsafeBufferPointer { try body($0.baseAddress!) }
    }
}

/// Converts `count` pixels of 1 (grey) or 3 (blue, green, red) bytes.
private func copyGrey(_ source: UnsafePointer<UInt8>, channels: Int, to target: UnsafeMutablePointer<Float>, count: Int)
{
    if channels == 1 {
        for i in 0..<count { target[i] = Float(source[i]) }
    } else {
        for i in 0..<count {
            let pixel = source + 3 * i
            target[i] = 0.114 * Float(pixel[0]) + 0.587 * Float(pixel[1]) + 0.299 * Float(pixel[2])
        }
    }
}
