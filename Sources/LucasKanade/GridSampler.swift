/// Samples a plane on a warped grid, bilinear, borders replicated. `out` gets `rows` rows of `stride` values, of which
/// the last `stride - columns` of a row are padding, 0. The grid must be sampleable.
func sample(_ plane: Plane, on grid: WarpedGrid, to out: UnsafeMutablePointer<Float>) {
    let stride = grid.stride
    let last = stride - laneCount
    // Padding is cleared by its bits, lest a NaN beyond the grid gets into sums, whatever its weight.
    let kept = keptBits(columns: grid.columns, from: last)
    let drift = GridDrift(grid)
    plane.withPixels { pixels in
        drift.lanes.span.withUnsafeBufferPointer { lanes in
            let lanes = lanes.baseAddress!
            for j in 0..<grid.rows {
                let row = GridRow(grid, row: j)
                let target = out + j * stride
                let isInterior = row.isInterior(of: plane, from: 0, through: stride - 1)
                var i = 0
                while i < stride {
                    if isInterior || row.isInterior(of: plane, from: i, through: i + laneCount - 1) {
                        let end = isInterior ? stride : i + laneCount
                        i = row.interior(
                            pixels, of: plane, from: i, upTo: end, drift: drift, lanes: lanes, to: target)
                    } else {
                        target.setLanes(i, row.border(pixels, of: plane, at: i))
                        i += laneCount
                    }
                }
                if stride > grid.columns {
                    let bits = unsafeBitCast(target.lanes(last), to: SIMD8<Int32>.self) & kept
                    target.setLanes(last, unsafeBitCast(bits, to: Lanes.self))
                }
            }
        }
    }
}

/// How far the samples of a vector stray, from its first lane to its last, from eight pixels side by side in a row.
private struct GridDrift {
    /// What each lane adds to the distances from its own pixel, eight in x and eight in y; what a vector adds, x and y.
    var lanes = InlineArray<18, Float>(repeating: 0)
    /// The last lane's distance where it is negative and where it is positive.
    let leastX, leastY, mostX, mostY: Float
    /// How many vectors it takes to stray by a pixel.
    private let vectorsX, vectorsY: Float

    init(_ grid: WarpedGrid) {
        let (stepX, stepY) = (Float(grid.columnX) - 1, Float(grid.columnY))
        for k in 0..<laneCount { (lanes[k], lanes[laneCount + k]) = (stepX * Float(k), stepY * Float(k)) }
        let (lastX, lastY) = (lanes[laneCount - 1], lanes[2 * laneCount - 1])
        (leastX, leastY) = (min(lastX, 0), min(lastY, 0))
        (mostX, mostY) = (max(lastX, 0), max(lastY, 0))
        let (vectorX, vectorY) = (stepX * Float(laneCount), stepY * Float(laneCount))
        (lanes[2 * laneCount], lanes[2 * laneCount + 1]) = (vectorX, vectorY)
        (vectorsX, vectorsY) = (1 / max(vectorX.magnitude, 1e-6), 1 / max(vectorY.magnitude, 1e-6))
    }

    /// How many vectors after one whose first lane lies at (x, y), 0…1, stay between the same rows and beside the same
    /// columns.
    @inline(__always)
    func vectorsLeft(x: Float, y: Float) -> Float {
        let roomX = leastX < 0 ? x + leastX : 1 - x - mostX
        let roomY = leastY < 0 ? y + leastY : 1 - y - mostY
        return max(min(roomX * vectorsX, roomY * vectorsY), 0)
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

    /// The eight samples from column `i` on, whose neighbours all lie in the plane, and as many of those up to `end` as
    /// can be had together with them.
    ///
    /// A warp near the identity keeps them within a pixel or two of eight pixels side by side, which are read by whole
    /// vectors: several times as fast as fetching the neighbours of every sample for itself.
    /// - Returns: the column after the last that was sampled.
    @inline(__always)
    func interior(
        _ pixels: UnsafePointer<Float>, of plane: Plane, from i: Int, upTo end: Int, drift: GridDrift,
        lanes: UnsafePointer<Float>, to out: UnsafeMutablePointer<Float>
    ) -> Int {
        let (u, v) = (x + Float(i) * stepX, y + Float(i) * stepY)
        let (left, column) = wholePart(u + drift.leastX)
        let (top, line) = wholePart(v + drift.leastY)
        let (startX, startY) = (u - left, v - top)
        let width = plane.width
        // No overflow: the four pixels lie in the plane.
        let start = pixels + ((baseY &+ line) &* width &+ baseX &+ column)
        if startX + drift.mostX <= 1, startY + drift.mostY <= 1 {
            let room = min(drift.vectorsLeft(x: startX, y: startY), Float((end &- i) / laneCount &- 1))
            let count = 1 &+ Int(room)
            between(start, width: width, startX, startY, lanes, count: count, to: out + i)
            return i &+ count &* laneCount
        }
        if startX + drift.mostX <= 2, startY + drift.mostY <= 2, baseX &+ column &+ laneCount + 1 < width,
            baseY &+ line + 2 < plane.height
        {
            amongNine(start, width: width, startX, startY, lanes, to: out + i)
        } else {
            out.setLanes(i, gathered(pixels, width: width, at: i))
        }
        return i &+ laneCount
    }

    /// Eight samples of any step, the neighbours of each fetched for itself.
    @inline(__always)
    private func gathered(_ pixels: UnsafePointer<Float>, width: Int, at i: Int) -> Lanes {
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

    /// The coordinates of the eight samples from column `i` on.
    @inline(__always)
    private func coordinates(_ i: Int) -> (Lanes, Lanes) {
        let column = firstLanes + Float(i)
        return (x + column * stepX, y + column * stepY)
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

/// The weights of pixels 0, 1 and 2 for a sample at `f`, 0…2: max(0, 1 − |f − k|). They add up to 1.
@inline(__always)
private func tents(_ f: Lanes) -> (Lanes, Lanes, Lanes) {
    let beyond = f - 1
    // max(0, f − 1); `pointwiseMax` runs lane by lane.
    let last = 0.5 * (beyond + magnitude(beyond))
    let first = last - beyond
    return (first, 1 - first - last, last)
}

/// The whole number before a coordinate, or the one before that for some whole coordinates: see `splitCoordinate`.
@inline(__always)
private func wholePart(_ value: Float) -> (Float, Int) {
    let magic: Float = 12_582_912
    let shifted = value - 0.5 + magic
    return (shifted - magic, Int(truncatingIfNeeded: shifted.bitPattern) &- Int(truncatingIfNeeded: magic.bitPattern))
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

/// `count` vectors of samples, each sample somewhere between the four pixels from its own pixel on.
///
/// A function of its own, because the compiler takes vectors apart into lanes where it sees what they are made of.
@inline(never)
private func between(
    _ start: UnsafePointer<Float>, width: Int, _ x: Float, _ y: Float, _ drift: UnsafePointer<Float>, count: Int,
    to out: UnsafeMutablePointer<Float>
) {
    var (source, target) = (start, out)
    var (x, y) = (x, y)
    for _ in 0..<count {
        let (fx, fy) = (x + drift.lanes(0), y + drift.lanes(laneCount))
        let upper = source.lanes(0) + (source.lanes(1) - source.lanes(0)) * fx
        let lower = source.lanes(width) + (source.lanes(width &+ 1) - source.lanes(width)) * fx
        target.setLanes(0, upper + (lower - upper) * fy)
        x += drift[2 * laneCount]
        y += drift[2 * laneCount + 1]
        source += laneCount
        target += laneCount
    }
}

/// Eight samples, each somewhere between the nine pixels from its own pixel on: bilinear interpolation as a sum
/// over tents, of which only the four around a sample are not 0.
@inline(never)
private func amongNine(
    _ start: UnsafePointer<Float>, width: Int, _ x: Float, _ y: Float, _ drift: UnsafePointer<Float>,
    to out: UnsafeMutablePointer<Float>
) {
    let (fx, fy) = (x + drift.lanes(0), y + drift.lanes(laneCount))
    let (x0, x1, x2) = tents(fx)
    let (y0, y1, y2) = tents(fy)
    @inline(__always)
    func row(_ k: Int) -> Lanes { start.lanes(k) * x0 + start.lanes(k &+ 1) * x1 + start.lanes(k &+ 2) * x2 }
    out.setLanes(0, row(0) * y0 + row(width) * y1 + row(2 &* width) * y2)
}
