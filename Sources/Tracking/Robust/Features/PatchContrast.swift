import LucasKanade

/// How much a target's cells differ from each other and from those just around it.
enum PatchContrast {
    /// Standard deviation of brightness and colours together, in grey levels, over the cells that a mask leaves. Cells are
    /// means over many pixels, so that noise counts for little.
    static func of(_ patch: Patch, mask: [Float], columns: Int) -> Double {
        let cell = CellFeatureExtractor.cell
        var spread = Spread()
        for k in mask.indices where mask[k] > 0 {
            let (x, y) = (k % columns, k / columns)
            var value = SIMD4<Float>.zero
            for v in 0..<cell {
                for u in 0..<cell { value[3] += patch.gray[(y * cell + v) * patch.width + x * cell + u] }
            }
            value[3] /= Float(cell * cell)
            if let color = patch.color {
                // Colours as they stand apart from grey: a change of light is counted once.
                let side = cell / 2
                for v in 0..<side {
                    for u in 0..<side {
                        let first = 3 * ((y * side + v) * color.width + x * side + u)
                        let (blue, green, red) = (color.pixels[first], color.pixels[first + 1], color.pixels[first + 2])
                        value += SIMD4(blue - green, red - green, 0, 0) / Float(side * side)
                    }
                }
            }
            spread.add(value)
        }
        return Double(spread.deviation)
    }

    private struct Spread {
        private var sum = SIMD4<Float>.zero
        private var squares = SIMD4<Float>.zero
        private var count: Float = 0

        mutating func add(_ value: SIMD4<Float>) {
            sum += value
            squares += value * value
            count += 1
        }

        var deviation: Float {
            guard count > 0 else { return 0 }
            let mean = sum / count
            return max((squares / count - mean * mean).sum(), 0).squareRoot()
        }
    }
}
