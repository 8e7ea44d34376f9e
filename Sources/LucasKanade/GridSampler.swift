/// Eight pixels at once.
typealias Lanes = SIMD8<Float>

/// The number of pixels in `Lanes`.
let laneCount = 8

/// The positions of the lanes.
@inline(__always)
var firstLanes: Lanes { Lanes(0, 1, 2, 3, 4, 5, 6, 7) }

/// `count` rounded up to whole vectors.
func paddedToLanes(_ count: Int) -> Int { (count + laneCount - 1) / laneCount * laneCount }

extension UnsafePointer<Float> {
    /// Eight values from here on, wherever they lie.
    @inline(__always)
    func lanes(_ offset: Int) -> Lanes {
        UnsafeRawPointer(self + offset).loadUnaligned(as: Lanes.self)
    }
}

extension UnsafeMutablePointer<Float> {
    /// Eight values from here on, wherever they lie.
    @inline(__always)
    func lanes(_ offset: Int) -> Lanes {
        UnsafeRawPointer(self + offset).loadUnaligned(as: Lanes.self)
    }

    /// Writes eight values from `offset` on.
    @inline(__always)
    func setLanes(_ offset: Int, _ value: Lanes) {
        UnsafeMutableRawPointer(self + offset).storeBytes(of: value, as: Lanes.self)
    }
}

/// A canonical grid of samples as an affine warp lays it over a plane.
struct WarpedGrid {
    /// Samples in a row and rows.
    let columns, rows: Int
    /// The plane's coordinates of sample (0, 0).
    let x, y: Double
    /// Steps of the plane's coordinates from a column to the next and from a row to the next.
    let columnX, columnY, rowX, rowY: Double

    /// Floats from a row of results to the next: whole vectors.
    var stride: Int { paddedToLanes(columns) }

    /// A grid of `columns × rows` samples, `spacing` level-0 pixels apart and centred on the origin of template-local
    /// coordinates, under a warp to the image, in the coordinates of a pyramid's plane.
    init(columns: Int, rows: Int, spacing: Double, warp: AffineWarp, pyramid: Pyramid, level: Int) {
        let warp = warp.atLevel(level)
        let step = spacing.atLevel(level)
        let origin = pyramid.origin(ofLevel: level)
        (columnX, columnY, rowX, rowY) = (warp.a * step, warp.c * step, warp.b * step, warp.d * step)
        let (halfColumns, halfRows) = (Double(columns - 1) / 2, Double(rows - 1) / 2)
        x = warp.tx - halfColumns * columnX - halfRows * rowX - Double(origin.x)
        y = warp.ty - halfColumns * columnY - halfRows * rowY - Double(origin.y)
        self.columns = columns
        self.rows = rows
    }

    /// Whether all coordinates are small enough to be told apart in `Float` and converted to `Int32`.
    var isSampleable: Bool {
        let limit = 1_000_000.0
        let (width, height) = (Double(stride), Double(rows))
        let reach =
            max(x.magnitude, y.magnitude) + width * max(columnX.magnitude, columnY.magnitude)
            + height * max(rowX.magnitude, rowY.magnitude)
        return reach < limit  // false for a NaN
    }
}

extension Double {
    /// A length at pyramid level `level`.
    func atLevel(_ level: Int) -> Double { self * Double(sign: .plus, exponent: -level, significand: 1) }
}

/// Samples a plane on a warped grid, bilinear, borders replicated. `out` gets `rows` rows of `stride` values, of which
/// the last `stride - columns` of a row are padding, 0. The grid must be sampleable.
func sample(_ plane: Plane, on grid: WarpedGrid, to out: UnsafeMutablePointer<Float>) {
    let stride = grid.stride
    let last = stride - laneCount
    // Padding is cleared, lest a NaN beyond the grid gets into sums, whatever its weight.
    let isPadding = firstLanes + Float(last) .>= Float(grid.columns)
    plane.withPixels { pixels in
        for j in 0..<grid.rows {
            let row = GridRow(grid, row: j)
            let target = out + j * stride
            let isInterior = row.isInterior(of: plane, from: 0, through: stride - 1)
            for i in Swift.stride(from: 0, to: stride, by: laneCount) {
                target.setLanes(
                    i,
                    isInterior || row.isInterior(of: plane, from: i, through: i + laneCount - 1)
                        ? row.interior(pixels, width: plane.width, at: i)
                        : row.border(pixels, of: plane, at: i))
            }
            target.setLanes(last, target.lanes(last).replacing(with: 0, where: isPadding))
        }
    }
}

/// One row of a warped grid: a whole start pixel, and coordinates relative to it, which keep their precision in
/// `Float` however large the plane is.
private struct GridRow {
    let baseX, baseY: Int
    let x, y, stepX, stepY: Float

    init(_ grid: WarpedGrid, row: Int) {
        let (startX, startY) = (grid.x + Double(row) * grid.rowX, grid.y + Double(row) * grid.rowY)
        let (floorX, floorY) = (startX.rounded(.down), startY.rounded(.down))
        (baseX, baseY) = (Int(floorX), Int(floorY))
        (x, y) = (Float(startX - floorX), Float(startY - floorY))
        (stepX, stepY) = (Float(grid.columnX), Float(grid.columnY))
    }

    /// Whether samples `first … last` and the four pixels around each of them lie in the plane. A straight line does
    /// where its ends do. One pixel is kept in hand, because `splitCoordinate` may name the pixel before.
    @inline(__always)
    func isInterior(of plane: Plane, from first: Int, through last: Int) -> Bool {
        let (x0, x1) = (x + Float(first) * stepX, x + Float(last) * stepX)
        let (y0, y1) = (y + Float(first) * stepY, y + Float(last) * stepY)
        // What is left of the start pixel, above, right and below it.
        let (left, top) = (Float(1 - baseX), Float(1 - baseY))
        let (right, bottom) = (Float(plane.width - 2 - baseX), Float(plane.height - 2 - baseY))
        return min(x0, x1) >= left && max(x0, x1) <= right && min(y0, y1) >= top && max(y0, y1) <= bottom
    }

    /// The coordinates of the eight samples from column `i` on.
    @inline(__always)
    private func coordinates(_ i: Int) -> (Lanes, Lanes) {
        let column = firstLanes + Float(i)
        return (x + column * stepX, y + column * stepY)
    }

    /// Eight samples whose neighbours all lie in the plane.
    @inline(__always)
    func interior(_ pixels: UnsafePointer<Float>, width: Int, at i: Int) -> Lanes {
        let (u, v) = coordinates(i)
        let (left, fx) = splitCoordinate(u)
        let (top, fy) = splitCoordinate(v)
        let index = top &* Int32(truncatingIfNeeded: width) &+ left
        let start = pixels + (baseY * width + baseX)
        let (a, b) = pixelPairs(start, index)
        let (c, d) = pixelPairs(start + width, index)
        let upper = a + (b - a) * fx
        let lower = c + (d - c) * fx
        return upper + (lower - upper) * fy
    }

    /// Eight samples anywhere: the same arithmetic with each neighbour moved into the plane.
    func border(_ pixels: UnsafePointer<Float>, of plane: Plane, at i: Int) -> Lanes {
        let (u, v) = coordinates(i)
        let (left, fx) = splitCoordinate(u)
        let (top, fy) = splitCoordinate(v)
        var result = Lanes()
        for k in 0..<laneCount {
            let (x0, y0) = (baseX + Int(left[k]), baseY + Int(top[k]))
            let xa = min(max(x0, 0), plane.width - 1)
            let xb = min(max(x0 + 1, 0), plane.width - 1)
            let upperRow = pixels + min(max(y0, 0), plane.height - 1) * plane.width
            let lowerRow = pixels + min(max(y0 + 1, 0), plane.height - 1) * plane.width
            let upper = upperRow[xa] + (upperRow[xb] - upperRow[xa]) * fx[k]
            let lower = lowerRow[xa] + (lowerRow[xb] - lowerRow[xa]) * fx[k]
            result[k] = upper + (lower - upper) * fy[k]
        }
        return result
    }
}

/// The pixel before a coordinate and the share of the way to the next, 0…1.
///
/// `SIMD8<Int32>(SIMD8<Float>)` runs lane by lane; adding 1.5 · 2^23 instead leaves the rounded number in the low bits.
/// Rounding `v − ½` to even gives `v − 1` and a share of 1 for odd whole `v`: the same sample.
@inline(__always)
private func splitCoordinate(_ value: Lanes) -> (SIMD8<Int32>, Lanes) {
    let magic: Float = 12_582_912
    let shifted = value - 0.5 + magic
    let whole = unsafeBitCast(shifted, to: SIMD8<Int32>.self) &- Int32(bitPattern: magic.bitPattern)
    return (whole, value - (shifted - magic))
}

/// For each of eight indices the pixel there and the next one. Both are fetched by one 64-bit load.
@inline(__always)
private func pixelPairs(_ start: UnsafePointer<Float>, _ index: SIMD8<Int32>) -> (Lanes, Lanes) {
    @inline(__always)
    func pair(_ k: Int) -> Double {
        UnsafeRawPointer(start + Int(index[k])).loadUnaligned(as: Double.self)
    }
    let low = unsafeBitCast(SIMD4<Double>(pair(0), pair(1), pair(2), pair(3)), to: Lanes.self)
    let high = unsafeBitCast(SIMD4<Double>(pair(4), pair(5), pair(6), pair(7)), to: Lanes.self)
    return (
        Lanes(lowHalf: low.evenHalf, highHalf: high.evenHalf), Lanes(lowHalf: low.oddHalf, highHalf: high.oddHalf)
    )
}
