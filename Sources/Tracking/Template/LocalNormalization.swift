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
                let window = WindowSums(width: width, radius: radius)
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
///
/// Single precision does: grey levels are taken relative to the middle one, and what is left of rounding is far below
/// the floor that is added to a deviation.
private final class WindowSums {
    private typealias Lanes = SIMD8<Float>

    private let width, radius: Int
    private var rows = 0
    /// Column sums; behind them their prefix sums: `prefix[x]` is the sum over the columns before `x`.
    private let sums, squares, prefix, squarePrefix: UnsafeMutablePointer<Float>
    private static let middle: Float = 128

    init(width: Int, radius: Int) {
        self.width = width
        self.radius = radius
        sums = .allocate(capacity: 4 * (width + 1))
        sums.initialize(repeating: 0, count: 4 * (width + 1))
        squares = sums + (width + 1)
        prefix = squares + (width + 1)
        squarePrefix = prefix + (width + 1)
    }

    deinit { sums.deallocate() }

    func add(_ row: UnsafePointer<Float>) {
        rows += 1
        for x in 0..<width {
            let value = row[x] - Self.middle
            sums[x] += value
            squares[x] += value * value
        }
    }

    func remove(_ row: UnsafePointer<Float>) {
        rows -= 1
        for x in 0..<width {
            let value = row[x] - Self.middle
            sums[x] -= value
            squares[x] -= value * value
        }
    }

    func normalize(_ row: UnsafePointer<Float>, into output: UnsafeMutablePointer<Float>, floor: Float) {
        var (sum, square) = (Float(0), Float(0))
        for x in 0..<width {
            sum += sums[x]
            square += squares[x]
            prefix[x + 1] = sum
            squarePrefix[x + 1] = square
        }
        // Windows that lie wholly inside are of one size: eight at a time.
        let inside = min(radius, width)..<max(width - radius, min(radius, width))
        for x in 0..<inside.lowerBound { output[x] = contrast(row, x, floor) }
        var x = inside.lowerBound
        let scale = 1 / Float(rows * (2 * radius + 1))
        while x + Lanes.scalarCount <= inside.upperBound {
            let (low, high) = (x - radius, x + radius + 1)
            let mean = (lanes(prefix, high) - lanes(prefix, low)) * scale
            let variance = (lanes(squarePrefix, high) - lanes(squarePrefix, low)) * scale - mean * mean
            let deviation = variance.replacing(with: 0, where: variance .< 0).squareRoot()
            let result = LocalNormalization.unit * (lanes(row, x) - Self.middle - mean) / (deviation + floor)
            UnsafeMutableRawPointer(output + x).storeBytes(of: result, as: Lanes.self)
            x += Lanes.scalarCount
        }
        for x in x..<width { output[x] = contrast(row, x, floor) }
    }

    @inline(__always)
    private func lanes(_ values: UnsafePointer<Float>, _ index: Int) -> Lanes {
        UnsafeRawPointer(values + index).loadUnaligned(as: Lanes.self)
    }

    /// One pixel, its window cut off at the borders.
    private func contrast(_ row: UnsafePointer<Float>, _ x: Int, _ floor: Float) -> Float {
        let (low, high) = (max(x - radius, 0), min(x + radius + 1, width))
        let scale = 1 / Float(rows * (high - low))
        let mean = (prefix[high] - prefix[low]) * scale
        let variance = max((squarePrefix[high] - squarePrefix[low]) * scale - mean * mean, 0)
        return LocalNormalization.unit * (row[x] - Self.middle - mean) / (variance.squareRoot() + floor)
    }
}
