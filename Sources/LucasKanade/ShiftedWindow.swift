/// A square of pixels laid over a plane without turning or stretching it: the neighbours of its samples lie side by side
/// in memory, and have the same weights everywhere.
struct ShiftedWindow {
    private let side: Int
    /// The pixel left of and above sample (0, 0), and the shares of the way to the next.
    private let column, line: Int
    private let shareX, shareY: Float

    /// Floats from a row of results to the next: whole vectors.
    let stride: Int

    /// Centred on a position of the image given in level-0 pixels, which must lie on the plane or near it.
    init(side: Int, x: Double, y: Double, pyramid: Pyramid, level: Int) {
        self.side = side
        stride = paddedToLanes(side)
        let origin = pyramid.origin(ofLevel: level)
        let half = Double(side - 1) / 2
        let (x, y) = (x.atLevel(level) - half - Double(origin.x), y.atLevel(level) - half - Double(origin.y))
        let (left, top) = (x.rounded(.down), y.rounded(.down))
        (column, line) = (Int(left), Int(top))
        (shareX, shareY) = (Float(x - left), Float(y - top))
    }

    /// The pixels a window needs, as far as whole vectors read.
    struct Pixels {
        fileprivate let start: UnsafePointer<Float>
        fileprivate let width, side, stride: Int
        fileprivate let shareX, shareY: Float
    }

    /// Hands over the pixels: the plane's own, or copies where the window reaches beyond it.
    func withPixels<R>(of plane: Plane, _ workspace: AlignmentWorkspace, _ body: (Pixels) -> R) -> R {
        plane.withPixels { pixels in
            if column >= 0, line >= 0, column + stride < plane.width, line + side < plane.height {
                return body(self.pixels(pixels + (line * plane.width + column), width: plane.width))
            }
            let copy = workspace.neighbourhood(columns: side, rows: side)
            let width = stride + laneCount
            for j in 0...side {
                let source = pixels + min(max(line + j, 0), plane.height - 1) * plane.width
                let target = copy + j * width
                for i in 0...stride { target[i] = source[min(max(column + i, 0), plane.width - 1)] }
            }
            return body(self.pixels(copy, width: width))
        }
    }

    private func pixels(_ start: UnsafePointer<Float>, width: Int) -> Pixels {
        Pixels(start: start, width: width, side: side, stride: stride, shareX: shareX, shareY: shareY)
    }
}

extension ShiftedWindow.Pixels {
    /// The samples, bilinear; what is written as padding is of no meaning, but finite.
    @inline(never)
    func interpolate(to out: UnsafeMutablePointer<Float>) {
        for i in Swift.stride(from: 0, to: stride, by: laneCount) {
            var source = start + i
            var upper = between(source)
            var target = out + i
            for _ in 0..<side {
                source += width
                let lower = between(source)
                target.setLanes(0, upper + (lower - upper) * shareY)
                upper = lower
                target += stride
            }
        }
    }

    /// Σ ∇x·(template − image) and Σ ∇y·(template − image): Baker & Matthews 2004, figure 4, step (7).
    @inline(never)
    func steepestDescentSums(
        samples: UnsafePointer<Float>, gradientX: UnsafePointer<Float>, gradientY: UnsafePointer<Float>
    ) -> (Double, Double) {
        var (sumX, sumY) = (Lanes(), Lanes())
        for i in Swift.stride(from: 0, to: stride, by: laneCount) {
            var source = start + i
            var upper = between(source)
            var k = i
            for _ in 0..<side {
                source += width
                let lower = between(source)
                let difference = samples.lanes(k) - (upper + (lower - upper) * shareY)
                sumX += difference * gradientX.lanes(k)
                sumY += difference * gradientY.lanes(k)
                upper = lower
                k &+= stride
            }
        }
        return (Double(sumX.sum()), Double(sumY.sum()))
    }

    /// Eight samples of the columns, on a row of pixels.
    @inline(__always)
    private func between(_ pixels: UnsafePointer<Float>) -> Lanes {
        let left = pixels.lanes(0)
        return left + (pixels.lanes(1) - left) * shareX
    }
}
