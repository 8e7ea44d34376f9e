import LucasKanade

/// Takes light and shade out of a picture: from each pixel the mean of its surroundings is subtracted, and the
/// difference divided by their standard deviation.
///
/// A gain and a bias for the whole template cannot follow a shadow's edge that passes over the target; here each
/// neighbourhood has its own.
struct LocalNormalization: Hashable, Sendable {
    /// The surroundings are a square of `2 · radius + 1` pixels, cut off at the borders.
    let radius: Int
    /// Added to the standard deviation, in grey levels, so that noise in flat parts is not blown up.
    let floor: Float
    /// What a deviation from the mean by one standard deviation becomes.
    static let unit: Float = 40

    func apply(to plane: Plane) -> Plane {
        let (width, height) = (plane.width, plane.height)
        let pixels = [Float](unsafeUninitializedCapacity: width * height) { output, count in
            plane.withPixels { input in
                var window = WindowSums(width: width, radius: radius)
                for y in 0..<min(radius, height) { window.add(input + y * width) }
                for y in 0..<height {
                    if y + radius < height { window.add(input + (y + radius) * width) }
                    if y > radius { window.remove(input + (y - radius - 1) * width) }
                    window.normalize(input + y * width, into: output.baseAddress! + y * width, floor: floor)
                }
            }
            count = width * height
        }
        return Plane(width: width, height: height, pixels: pixels)
    }
}

/// Sums of pixels and their squares over the rows of a window, column by column.
private struct WindowSums {
    private let width, radius: Int
    private var rows = 0
    private var sums: [Float]
    private var squares: [Float]
    /// `prefix[x]` is the sum over the columns before `x`; double, so that differences of them keep their precision.
    private var prefix: [Double]
    private var squarePrefix: [Double]
    /// Grey levels are taken relative to this, for the same reason.
    private static let middle: Float = 128

    init(width: Int, radius: Int) {
        self.width = width
        self.radius = radius
        sums = [Float](repeating: 0, count: width)
        squares = sums
        prefix = [Double](repeating: 0, count: width + 1)
        squarePrefix = prefix
    }

    mutating func add(_ row: UnsafePointer<Float>) {
        rows += 1
        accumulate(row, sign: 1)
    }

    mutating func remove(_ row: UnsafePointer<Float>) {
        rows -= 1
        accumulate(row, sign: -1)
    }

    private mutating func accumulate(_ row: UnsafePointer<Float>, sign: Float) {
        sums.withUnsafeMutableBufferPointer { sums in
            squares.withUnsafeMutableBufferPointer { squares in
                for x in 0..<width {
                    let value = row[x] - Self.middle
                    sums[x] += sign * value
                    squares[x] += sign * value * value
                }
            }
        }
    }

    mutating func normalize(_ row: UnsafePointer<Float>, into output: UnsafeMutablePointer<Float>, floor: Float) {
        for x in 0..<width {
            prefix[x + 1] = prefix[x] + Double(sums[x])
            squarePrefix[x + 1] = squarePrefix[x] + Double(squares[x])
        }
        prefix.withUnsafeBufferPointer { prefix in
            squarePrefix.withUnsafeBufferPointer { squarePrefix in
                // Windows that lie wholly inside are of one size: eight at a time, with one reciprocal for all.
                let inside = radius..<max(width - radius, radius)
                var x = 0
                while x < width {
                    if inside.contains(x), x + 8 <= inside.upperBound {
                        let (low, high) = (x - radius, x + radius + 1)
                        let scale = 1 / Double(rows * (high - low))
                        let mean = Self.difference(prefix, low, high) * scale
                        let square = Self.difference(squarePrefix, low, high) * scale
                        let variance = SIMD8<Float>(
                            (square - mean * mean).replacing(with: 0, where: square .< mean * mean))
                        let pixels = UnsafeRawPointer(row + x).loadUnaligned(as: SIMD8<Float>.self)
                        let contrast = pixels - Self.middle - SIMD8<Float>(mean)
                        let result = LocalNormalization.unit * contrast / (variance.squareRoot() + floor)
                        UnsafeMutableRawPointer(output + x).storeBytes(of: result, as: SIMD8<Float>.self)
                        x += 8
                    } else {
                        let (low, high) = (max(x - radius, 0), min(x + radius + 1, width))
                        let count = Double(rows * (high - low))
                        let mean = (prefix[high] - prefix[low]) / count
                        let variance = Float(max((squarePrefix[high] - squarePrefix[low]) / count - mean * mean, 0))
                        let contrast = row[x] - Self.middle - Float(mean)
                        output[x] = LocalNormalization.unit * contrast / (variance.squareRoot() + floor)
                        x += 1
                    }
                }
            }
        }
    }

    /// Eight neighbouring windows' sums from prefix sums.
    private static func difference(
        _ prefix: UnsafeBufferPointer<Double>, _ low: Int, _ high: Int
    ) -> SIMD8<Double> {
        let base = UnsafeRawPointer(prefix.baseAddress!)
        let stride = MemoryLayout<Double>.stride
        return base.loadUnaligned(fromByteOffset: high * stride, as: SIMD8<Double>.self)
            - base.loadUnaligned(fromByteOffset: low * stride, as: SIMD8<Double>.self)
    }
}
