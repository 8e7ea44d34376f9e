/// The products of an image's gradients, in the mean over the pixels of a region: the matrix of the least squares that
/// finds the region's translation (Lucas & Kanade 1981). Its eigenvalues tell in which directions that is determined (Shi
/// & Tomasi, "Good features to track", CVPR 1994).
public struct StructureTensor: Sendable, Hashable {
    /// In (grey levels / pixel)².
    public var xx, xy, yy: Double

    public init(xx: Double, xy: Double, yy: Double) {
        self.xx = xx
        self.xy = xy
        self.yy = yy
    }

    /// Of a part of a plane, by central differences; what lies outside the plane is left out. Zero where nothing is left.
    public init(_ plane: Plane, columns: Range<Int>, rows: Range<Int>) {
        self.init(xx: 0, xy: 0, yy: 0)
        let columns = columns.clamped(to: 0..<plane.width)
        let rows = rows.clamped(to: 0..<plane.height)
        guard !columns.isEmpty, !rows.isEmpty else { return }
        let width = plane.width
        plane.withPixels { pixels in
            for y in rows {
                let (row, above, below) = (y * width, max(y - 1, 0) * width, min(y + 1, plane.height - 1) * width)
                var (sumXX, sumXY, sumYY): (Float, Float, Float) = (0, 0, 0)
                for x in columns {
                    let gx = 0.5 * (pixels[row + min(x + 1, width - 1)] - pixels[row + max(x - 1, 0)])
                    let gy = 0.5 * (pixels[below + x] - pixels[above + x])
                    sumXX += gx * gx
                    sumXY += gx * gy
                    sumYY += gy * gy
                }
                xx += Double(sumXX)
                xy += Double(sumXY)
                yy += Double(sumYY)
            }
        }
        let count = Double(columns.count * rows.count)
        (xx, xy, yy) = (xx / count, xy / count, yy / count)
    }

    /// Across the direction in which the region varies most: 0 along an edge that looks the same all along.
    public var minimumEigenvalue: Double { (xx + yy - spread) / 2 }

    /// In the direction in which the region varies most.
    public var maximumEigenvalue: Double { (xx + yy + spread) / 2 }

    /// The same without what noise of a variance, in grey levels squared, that is independent from pixel to pixel adds:
    /// half of it, by central differences, to every direction.
    public func withoutNoise(ofVariance variance: Double) -> StructureTensor {
        let share = min(variance / 2, minimumEigenvalue)
        return StructureTensor(xx: xx - share, xy: xy, yy: yy - share)
    }

    private var spread: Double { ((xx - yy) * (xx - yy) + 4 * xy * xy).squareRoot() }
}
