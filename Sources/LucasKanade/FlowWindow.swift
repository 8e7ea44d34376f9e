/// The window around a point on one level of the first image, with its gradients; and the steps of the least squares
/// that finds it in the second.
struct FlowWindow {
    private let side, stride, level: Int
    private let grids: AlignmentWorkspace.Grids
    private let workspace: AlignmentWorkspace
    /// Sums of the products of the gradients, in (grey levels / pixel of the level)².
    private var xx = 0.0, xy = 0.0, yy = 0.0

    init(side: Int, x: Double, y: Double, pyramid: Pyramid, level: Int, workspace: AlignmentWorkspace) {
        self.side = side
        self.level = level
        stride = paddedToLanes(side)
        // The largest first: memory that grows moves.
        _ = workspace.neighbourhood(columns: side + 2, rows: side + 2)
        grids = workspace.grids(columns: side, rows: side)
        let apron = workspace.apron(columns: side, rows: side)
        self.workspace = workspace
        let aproned = ShiftedWindow(side: side + 2, x: x, y: y, pyramid: pyramid, level: level)
        aproned.withPixels(of: pyramid[level], workspace) { $0.interpolate(to: apron) }
        differentiate(apron, stride: aproned.stride)
    }

    /// The window's pixels.
    private var samples: UnsafeMutablePointer<Float> { grids.residuals }

    private mutating func differentiate(_ apron: UnsafePointer<Float>, stride apronStride: Int) {
        var (xx, xy, yy) = (Lanes(), Lanes(), Lanes())
        for i in Swift.stride(from: 0, to: stride, by: laneCount) {
            // Padding has no gradient and so no part in any sum.
            let half = unsafeBitCast(
                unsafeBitCast(Lanes(repeating: 0.5), to: SIMD8<Int32>.self) & keptBits(columns: side, from: i),
                to: Lanes.self)
            for j in 0..<side {
                let centre = apron + (j + 1) * apronStride + 1
                let gx = half * (centre.lanes(i + 1) - centre.lanes(i - 1))
                let gy = half * (centre.lanes(i + apronStride) - centre.lanes(i - apronStride))
                let k = j * stride + i
                samples.setLanes(k, centre.lanes(i))
                grids.gradientX.setLanes(k, gx)
                grids.gradientY.setLanes(k, gy)
                xx += gx * gx
                xy += gx * gy
                yy += gy * gy
            }
        }
        (self.xx, self.xy, self.yy) = (Double(xx.sum()), Double(xy.sum()), Double(yy.sum()))
    }

    /// The lesser eigenvalue of the gradient matrix for each pixel of the window.
    var minimumEigenvalue: Double {
        StructureTensor(xx: xx, xy: xy, yy: yy).minimumEigenvalue / Double(side * side)
    }

    /// The Gauss-Newton step, in level-0 pixels, of the window from (x, y) of the second image.
    func step(_ pyramid: Pyramid, x: Double, y: Double) -> (x: Double, y: Double) {
        let window = ShiftedWindow(side: side, x: x, y: y, pyramid: pyramid, level: level)
        let (sumX, sumY) = window.withPixels(of: pyramid[level], workspace) {
            $0.steepestDescentSums(samples: samples, gradientX: grids.gradientX, gradientY: grids.gradientY)
        }
        let determinant = xx * yy - xy * xy
        return (
            ((yy * sumX - xy * sumY) / determinant).atLevel(-level),
            ((xx * sumY - xy * sumX) / determinant).atLevel(-level)
        )
    }

    /// Mean absolute difference from the window at (x, y) of the second image, in grey levels.
    func residual(_ pyramid: Pyramid, x: Double, y: Double) -> Double {
        let window = ShiftedWindow(side: side, x: x, y: y, pyramid: pyramid, level: level)
        window.withPixels(of: pyramid[level], workspace) { $0.interpolate(to: grids.image) }
        var sum = Lanes()
        for i in Swift.stride(from: 0, to: stride, by: laneCount) {
            let kept = keptBits(columns: side, from: i)
            for k in Swift.stride(from: i, to: i + side * stride, by: stride) {
                let difference = magnitude(samples.lanes(k) - grids.image.lanes(k))
                sum += unsafeBitCast(unsafeBitCast(difference, to: SIMD8<Int32>.self) & kept, to: Lanes.self)
            }
        }
        return Double(sum.sum()) / Double(side * side)
    }
}
