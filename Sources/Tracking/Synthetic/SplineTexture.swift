/// A texture that is defined at every point of the plane: a periodic bicubic B-spline surface over random coefficients.
///
/// The spline is smooth, so a texture can be evaluated under any warp without interpolating pixels, and the picture of
/// a warped texture is exact. Periods are long against a frame.
struct SplineTexture: Sendable {
    /// Coefficients along a side; a power of two, so that wrapping is a mask.
    private static let side = 128
    private let coefficients: [Float]
    /// Knots a pixel.
    private let frequency: Float
    private let mean: Float

    /// - Parameters:
    ///   - spacing: pixels between knots; details are about twice as large.
    ///   - contrast: standard deviation of the texture, roughly, in grey levels.
    init(spacing: Double, mean: Double, contrast: Double, generator: inout SplitMix64) {
        let side = Self.side
        var values = [Float](repeating: 0, count: side * side)
        // Octaves of noise: each is a coarser lattice of random values, held over 1, 2, 4 … knots. The spline smooths
        // their edges.
        for (octave, share) in [(0, Float(0.9)), (1, 0.9), (2, 0.8), (3, 0.6)] {
            let cells = side >> octave
            let lattice = (0..<cells * cells).map { _ in Float(generator.uniform(-1...1)) }
            for y in 0..<side {
                for x in 0..<side { values[y * side + x] += share * lattice[(y >> octave) * cells + (x >> octave)] }
            }
        }
        // The shares above give a deviation of about 0.8 after the spline's smoothing.
        coefficients = values.map { $0 * Float(contrast) / 0.8 }
        frequency = Float(1 / spacing)
        self.mean = Float(mean)
    }

    /// Evaluates points `start + i · step` for each `i` in `0 ..< output.count`.
    func evaluate(from start: SIMD2<Float>, step: SIMD2<Float>, into output: UnsafeMutableBufferPointer<Float>) {
        coefficients.withUnsafeBufferPointer { table in
            for i in output.indices {
                output[i] = mean + Self.surface(table, at: (start + Float(i) * step) * frequency)
            }
        }
    }

    private static func surface(_ table: UnsafeBufferPointer<Float>, at knot: SIMD2<Float>) -> Float {
        let floor = knot.rounded(.down)
        let wx = cubicBSplineWeights(knot.x - floor.x)
        let wy = cubicBSplineWeights(knot.y - floor.y)
        let column = Int(floor.x)
        let row = Int(floor.y)
        let mask = side - 1
        let columns = SIMD4(column & mask, (column + 1) & mask, (column + 2) & mask, (column + 3) & mask)
        var sum: Float = 0
        for j in 0..<4 {
            let line = ((row + j) & mask) * side
            let values = SIMD4(
                table[line + columns.x], table[line + columns.y], table[line + columns.z], table[line + columns.w])
            sum += wy[j] * (wx * values).sum()
        }
        return sum
    }
}
