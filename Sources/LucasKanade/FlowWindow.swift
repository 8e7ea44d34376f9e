/// The window around a point on one level of the first image, with its gradients; and the steps of the least squares
/// that finds it in the second.
struct FlowWindow {
    private let side, stride, level: Int
    private let grids: AlignmentWorkspace.Grids
    /// Sums of the products of the gradients, in (grey levels / pixel of the level)².
    private var xx = 0.0, xy = 0.0, yy = 0.0

    init(side: Int, x: Double, y: Double, pyramid: Pyramid, level: Int, workspace: AlignmentWorkspace) {
        self.side = side
        self.level = level
        stride = paddedToLanes(side)
        grids = workspace.grids(columns: side, rows: side)
        let grid = WarpedGrid(square: side + 2, x: x, y: y, pyramid: pyramid, level: level)
        let apron = workspace.apron(columns: side, rows: side)
        LucasKanade.sample(pyramid[level], on: grid, to: apron)
        differentiate(apron, stride: grid.stride)
    }

    /// The window's pixels.
    private var samples: UnsafeMutablePointer<Float> { grids.residuals }

    private mutating func differentiate(_ apron: UnsafePointer<Float>, stride apronStride: Int) {
        var (xx, xy, yy) = (Lanes(), Lanes(), Lanes())
        for j in 0..<side {
            let centre = apron + (j + 1) * apronStride + 1
            for i in Swift.stride(from: 0, to: stride, by: laneCount) {
                // Padding has no gradient and so no part in any sum.
                let isInside = (firstLanes + Float(i)) .< Float(side)
                let dx = 0.5 * (centre.lanes(i + 1) - centre.lanes(i - 1))
                let dy = 0.5 * (centre.lanes(i + apronStride) - centre.lanes(i - apronStride))
                let gx = Lanes().replacing(with: dx, where: isInside)
                let gy = Lanes().replacing(with: dy, where: isInside)
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
    var leastEigenvalue: Double {
        let spread = ((xx - yy) * (xx - yy) + 4 * xy * xy).squareRoot()
        return (xx + yy - spread) / 2 / Double(side * side)
    }

    /// The Gauss-Newton step, in level-0 pixels, of the window from (x, y) of the second image.
    func step(_ pyramid: Pyramid, x: Double, y: Double) -> (x: Double, y: Double) {
        let grid = WarpedGrid(square: side, x: x, y: y, pyramid: pyramid, level: level)
        sampleShifted(pyramid[level], on: grid, to: grids.image)
        var (bx, by) = (Lanes(), Lanes())
        for k in Swift.stride(from: 0, to: side * stride, by: laneCount) {
            let difference = samples.lanes(k) - grids.image.lanes(k)
            bx += difference * grids.gradientX.lanes(k)
            by += difference * grids.gradientY.lanes(k)
        }
        let (sumX, sumY) = (Double(bx.sum()), Double(by.sum()))
        let determinant = xx * yy - xy * xy
        return (
            ((yy * sumX - xy * sumY) / determinant).atLevel(-level),
            ((xx * sumY - xy * sumX) / determinant).atLevel(-level)
        )
    }

    /// Mean absolute difference from the window at (x, y) of the second image, in grey levels.
    func residual(_ pyramid: Pyramid, x: Double, y: Double) -> Double {
        let grid = WarpedGrid(square: side, x: x, y: y, pyramid: pyramid, level: level)
        sampleShifted(pyramid[level], on: grid, to: grids.image)
        var sum: Float = 0
        for j in 0..<side {
            for k in j * stride..<j * stride + side { sum += (samples[k] - grids.image[k]).magnitude }
        }
        return Double(sum) / Double(side * side)
    }
}

extension WarpedGrid {
    /// A square of pixels, unturned, centred on a position of the image given in level-0 pixels.
    init(square side: Int, x: Double, y: Double, pyramid: Pyramid, level: Int) {
        self.init(
            columns: side, rows: side, spacing: 1.0.atLevel(-level), warp: .translation(x, y), pyramid: pyramid,
            level: level)
    }
}

/// `sample` for a grid of pixels that is only shifted: neighbours are contiguous and weights are the same everywhere.
private func sampleShifted(_ plane: Plane, on grid: WarpedGrid, to out: UnsafeMutablePointer<Float>) {
    let (left, top) = (grid.x.rounded(.down), grid.y.rounded(.down))
    let (x, y) = (Int(left), Int(top))
    guard x >= 0, y >= 0, x + grid.stride < plane.width, y + grid.rows < plane.height else {
        return sample(plane, on: grid, to: out)
    }
    let (fx, fy) = (Float(grid.x - left), Float(grid.y - top))
    plane.withPixels { pixels in
        for j in 0..<grid.rows {
            let upperRow = pixels + (y + j) * plane.width + x
            let lowerRow = upperRow + plane.width
            for i in stride(from: 0, to: grid.stride, by: laneCount) {
                let (a, c) = (upperRow.lanes(i), lowerRow.lanes(i))
                let upper = a + (upperRow.lanes(i + 1) - a) * fx
                let lower = c + (lowerRow.lanes(i + 1) - c) * fx
                out.setLanes(j * grid.stride + i, upper + (lower - upper) * fy)
            }
        }
    }
}
