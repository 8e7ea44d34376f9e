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
    /// Grey levels are taken relative to this, so that sums keep their precision.
    private static let middle: Float = 128

    init(width: Int, radius: Int) {
        self.width = width
        self.radius = radius
        sums = [Float](repeating: 0, count: width)
        squares = sums
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

    func normalize(_ row: UnsafePointer<Float>, into output: UnsafeMutablePointer<Float>, floor: Float) {
        var (sum, square) = (0.0, 0.0)
        sums.withUnsafeBufferPointer { sums in
            squares.withUnsafeBufferPointer { squares in
                for x in 0..<min(radius, width) {
                    sum += Double(sums[x])
                    square += Double(squares[x])
                }
                for x in 0..<width {
                    if x + radius < width {
                        sum += Double(sums[x + radius])
                        square += Double(squares[x + radius])
                    }
                    if x > radius {
                        sum -= Double(sums[x - radius - 1])
                        square -= Double(squares[x - radius - 1])
                    }
                    let count = Double(rows * (min(x + radius, width - 1) - max(x - radius, 0) + 1))
                    let mean = sum / count
                    let deviation = Float(max(square / count - mean * mean, 0)).squareRoot()
                    let difference = row[x] - Self.middle - Float(mean)
                    output[x] = LocalNormalization.unit * difference / (deviation + floor)
                }
            }
        }
    }
}
