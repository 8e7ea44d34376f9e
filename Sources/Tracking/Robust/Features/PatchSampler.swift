import LucasKanade

/// An upright rectangle of a frame, brought to a fixed number of pixels.
struct Patch {
    let width, height: Int
    /// Brightness, 0 … 255, row by row.
    let gray: [Float]
    /// The colours, where the frame has any.
    let color: ColorPatch?
}

/// The colours of a patch at half its resolution: they are only ever looked at in the mean over several pixels.
struct ColorPatch {
    let width, height: Int
    /// Blue, green and red in turn, 0 … 255.
    let pixels: [Float]
}

/// Cuts patches of one size out of frames.
///
/// Every pixel of a patch is the mean of the frame's pixels under it where the patch is smaller than what it shows, and
/// interpolated between them where it is larger. The frame's outermost pixels go on beyond its border.
struct PatchSampler: Sendable {
    let width, height: Int

    /// - Parameters:
    ///   - center: of the rectangle, in the frame's pixels with the origin at the corner of the first pixel.
    ///   - extentX: the rectangle's sides in the frame's pixels.
    func sample(
        _ frame: PreparedFrame, usesColor: Bool, center: Point, extentX: Double, extentY: Double
    ) -> Patch {
        let gray = Self.sample(
            frame.gray, width: width, height: height, center: center, extentX: extentX, extentY: extentY)
        guard usesColor, let image = frame.color else {
            return Patch(width: width, height: height, gray: gray, color: nil)
        }
        let pixels = Self.sample(
            image, width: width / 2, height: height / 2, center: center, extentX: extentX, extentY: extentY)
        return Patch(
            width: width, height: height, gray: gray,
            color: ColorPatch(width: width / 2, height: height / 2, pixels: pixels))
    }

    private static func sample(
        _ image: Image, width: Int, height: Int, center: Point, extentX: Double, extentY: Double
    ) -> [Float] {
        let columns = Taps(
            count: width, start: center.x - extentX / 2, extent: extentX, limit: image.width)
        let rows = Taps(count: height, start: center.y - extentY / 2, extent: extentY, limit: image.height)
        let channels = image.channels
        let first = columns.lowest
        let span = (columns.highest - first + 1) * channels
        return image.withBytes { bytes in
            let source = bytes.baseAddress!.assumingMemoryBound(to: UInt8.self) + first * channels
            return withUnsafeTemporaryAllocation(of: Float.self, capacity: span) { line in
                [Float](unsafeUninitializedCapacity: width * height * channels) { out, count in
                    for j in 0..<height {
                        line.update(repeating: 0)
                        for tap in rows.range(j) {
                            add(
                                source + rows.indices[tap] * image.bytesPerRow, times: rows.weights[tap],
                                to: line.baseAddress!, count: span)
                        }
                        let target = out.baseAddress! + j * width * channels
                        if channels == 1 {
                            gather(line.baseAddress!, columns, width: width, offset: first, to: target)
                        } else {
                            gatherColor(line.baseAddress!, columns, width: width, offset: first, to: target)
                        }
                    }
                    count = width * height * channels
                }
            }
        }
    }

    private static func add(
        _ row: UnsafePointer<UInt8>, times weight: Float, to line: UnsafeMutablePointer<Float>, count: Int
    ) {
        for i in 0..<count { line[i] += weight * Float(row[i]) }
    }

    private static func gather(
        _ line: UnsafePointer<Float>, _ columns: Taps, width: Int, offset: Int, to target: UnsafeMutablePointer<Float>
    ) {
        columns.weights.withUnsafeBufferPointer { weights in
            columns.indices.withUnsafeBufferPointer { indices in
                for i in 0..<width {
                    var sum: Float = 0
                    for tap in columns.range(i) { sum += weights[tap] * line[indices[tap] - offset] }
                    target[i] = sum
                }
            }
        }
    }

    private static func gatherColor(
        _ line: UnsafePointer<Float>, _ columns: Taps, width: Int, offset: Int, to target: UnsafeMutablePointer<Float>
    ) {
        columns.weights.withUnsafeBufferPointer { weights in
            columns.indices.withUnsafeBufferPointer { indices in
                for i in 0..<width {
                    var (blue, green, red): (Float, Float, Float) = (0, 0, 0)
                    for tap in columns.range(i) {
                        let pixel = line + 3 * (indices[tap] - offset)
                        let weight = weights[tap]
                        blue += weight * pixel[0]
                        green += weight * pixel[1]
                        red += weight * pixel[2]
                    }
                    (target[3 * i], target[3 * i + 1], target[3 * i + 2]) = (blue, green, red)
                }
            }
        }
    }
}

/// Which pixels of a line go into each pixel of a resampled line, and with what weight.
private struct Taps {
    /// At most this many for each pixel; of longer spans every n-th pixel counts, so that the cost of a large rectangle
    /// stays bounded.
    private static let most = 6

    private(set) var indices: [Int] = []
    private(set) var weights: [Float] = []
    private let perPixel: Int
    var lowest: Int { indices.min() ?? 0 }
    var highest: Int { indices.max() ?? 0 }

    init(count: Int, start: Double, extent: Double, limit: Int) {
        let step = extent / Double(count)
        // A triangle as wide as two pixels of whichever grid is the coarser: interpolation where the patch is larger,
        // a smooth mean where it is smaller.
        let radius = max(step, 1)
        let stride = max((2 * radius / Double(Self.most)).rounded(.up), 1)
        perPixel = max(Int((2 * radius / stride).rounded(.up)), 2)
        indices.reserveCapacity(count * perPixel)
        weights.reserveCapacity(count * perPixel)
        for i in 0..<count {
            // In pixels whose centres are whole numbers.
            let position = start + (Double(i) + 0.5) * step - 0.5
            let first = (position - radius).rounded(.down) + 1
            var sum = 0.0
            for k in 0..<perPixel {
                let at = first + Double(k) * stride
                let weight = max(1 - abs(at - position) / radius, 0)
                indices.append(Int(min(max(at, 0), Double(limit - 1))))
                weights.append(Float(weight))
                sum += weight
            }
            let scale = Float(1 / max(sum, 1e-9))
            for k in weights.count - perPixel..<weights.count { weights[k] *= scale }
        }
    }

    @inline(__always)
    func range(_ pixel: Int) -> Range<Int> { pixel * perPixel..<(pixel + 1) * perPixel }
}
