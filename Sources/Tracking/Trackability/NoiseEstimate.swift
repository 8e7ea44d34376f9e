import LucasKanade

/// How noisy a picture is, told from the picture alone.
enum NoiseEstimate {
    /// Side of the blocks that are looked at, in pixels.
    private static let block = 16
    /// Texture is taken for noise, so that the block in which there is little of it counts: the one that this share of
    /// the blocks lies below.
    private static let quantile = 0.1
    /// A camera's picture is hardly noisier, in grey levels; what is more is texture all over.
    private static let most = 12.0

    /// Standard deviation in grey levels: the mean of the differences of two Laplacians, which edges and slopes leave
    /// alone (Immerkær, "Fast noise variance estimation", CVIU 1996), in the smoothest parts of a plane.
    static func deviation(_ plane: Plane) -> Double {
        var deviations: [Double] = []
        for top in stride(from: 1, to: plane.height - 1, by: block) {
            for left in stride(from: 1, to: plane.width - 1, by: block) {
                let rows = top..<min(top + block, plane.height - 1)
                let columns = left..<min(left + block, plane.width - 1)
                // Parts of blocks at the edges tell too little, unless there is nothing else.
                guard rows.count * columns.count >= block * block / 2 || deviations.isEmpty else { continue }
                deviations.append(deviation(plane, columns: columns, rows: rows))
            }
        }
        guard !deviations.isEmpty else { return 0 }
        deviations.sort()
        return min(deviations[Int(Double(deviations.count) * quantile)], most)
    }

    private static func deviation(_ plane: Plane, columns: Range<Int>, rows: Range<Int>) -> Double {
        let width = plane.width
        return plane.withPixels { pixels in
            var sum: Float = 0
            for y in rows {
                for x in columns {
                    let k = y * width + x
                    let corners =
                        pixels[k - width - 1] + pixels[k - width + 1] + pixels[k + width - 1] + pixels[k + width + 1]
                    let sides = pixels[k - width] + pixels[k - 1] + pixels[k + 1] + pixels[k + width]
                    sum += abs(corners - 2 * sides + 4 * pixels[k])
                }
            }
            // The operator has the norm 6, and a normal deviate the mean magnitude √(2/π).
            return (Double.pi / 2).squareRoot() / 6 * Double(sum) / Double(columns.count * rows.count)
        }
    }
}
