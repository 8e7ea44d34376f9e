/// Eight pixels at once.
typealias Lanes = SIMD8<Float>

/// The number of pixels in `Lanes`.
let laneCount = 8

/// The positions of the lanes.
@inline(__always)
var firstLanes: Lanes { Lanes(0, 1, 2, 3, 4, 5, 6, 7) }

/// `count` rounded up to whole vectors.
func paddedToLanes(_ count: Int) -> Int { (count + laneCount - 1) / laneCount * laneCount }

/// |v|, by clearing the signs: the standard library's way runs lane by lane.
@inline(__always)
func magnitude(_ values: Lanes) -> Lanes {
    unsafeBitCast(unsafeBitCast(values, to: SIMD8<Int32>.self) & Int32.max, to: Lanes.self)
}

/// All bits set where the lane of a vector from column `first` on is one of `columns`; none where it is padding.
func keptBits(columns: Int, from first: Int) -> SIMD8<Int32> {
    var bits = SIMD8<Int32>()
    for k in 0..<laneCount where first + k < columns { bits[k] = -1 }
    return bits
}

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
