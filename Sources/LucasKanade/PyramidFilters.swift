/// The level above: smoothed by the binomial 1-4-6-4-1 in both directions, every second pixel kept, borders replicated.
func halved(_ plane: Plane) -> Plane {
    let (width, height) = (plane.width, plane.height)
    let (columns, rows) = ((width + 1) / 2, (height + 1) / 2)
    // One row after the vertical pass, with two replicated pixels before it and, for whole vectors, some after it.
    let line = LineBuffer(width: width, margin: 2)
    return Plane(width: columns, height: rows) { out in
        plane.withPixels { source in
            for j in 0..<rows {
                let row = { (offset: Int) in source + min(max(2 * j + offset, 0), height - 1) * width }
                binomialColumn(row(-2), row(-1), row(0), row(1), row(2), to: line.start, count: width)
                line.replicateBorders()
                binomialHalved(line.start, to: out.baseAddress! + j * columns, count: columns)
            }
        }
    }
}

/// `(1·r0 + 4·r1 + 6·r2 + 4·r3 + 1·r4) / 16`, pixel by pixel.
@inline(__always)
private func binomialColumn(
    _ r0: UnsafePointer<Float>, _ r1: UnsafePointer<Float>, _ r2: UnsafePointer<Float>, _ r3: UnsafePointer<Float>,
    _ r4: UnsafePointer<Float>, to out: UnsafeMutablePointer<Float>, count: Int
) {
    for x in 0..<count {
        out[x] = (r0[x] + r4[x] + 4 * (r1[x] + r3[x]) + 6 * r2[x]) * 0.0625
    }
}

/// The same along a row that has two pixels more on either side, at every second pixel.
@inline(__always)
private func binomialHalved(_ line: UnsafePointer<Float>, to out: UnsafeMutablePointer<Float>, count: Int) {
    for i in 0..<count {
        let p = line + 2 * i
        out[i] = (p[-2] + p[2] + 4 * (p[-1] + p[1]) + 6 * p[0]) * 0.0625
    }
}

/// A plane smoothed by a Gaussian, cut off at three standard deviations, borders replicated.
func gaussianBlurred(_ plane: Plane, sigma: Double) -> Plane {
    let kernel = gaussianKernel(sigma: sigma)
    let radius = kernel.count - 1
    let (width, height) = (plane.width, plane.height)
    let line = LineBuffer(width: width, margin: radius)
    return Plane(width: width, height: height) { out in
        plane.withPixels { source in
            for j in 0..<height {
                scaled(source + j * width, by: kernel[0], to: line.start, count: width)
                for k in stride(from: 1, through: radius, by: 1) {
                    let above = source + max(j - k, 0) * width
                    let below = source + min(j + k, height - 1) * width
                    addScaledPairs(above, below, by: kernel[k], to: line.start, count: width)
                }
                line.replicateBorders()
                let target = out.baseAddress! + j * width
                scaled(line.start, by: kernel[0], to: target, count: width)
                for k in stride(from: 1, through: radius, by: 1) {
                    addScaledPairs(line.start - k, line.start + k, by: kernel[k], to: target, count: width)
                }
            }
        }
    }
}

/// `out = weight · a`.
private func scaled(_ a: UnsafePointer<Float>, by weight: Float, to out: UnsafeMutablePointer<Float>, count: Int) {
    for x in 0..<count { out[x] = weight * a[x] }
}

/// `out += weight · (a + b)`.
private func addScaledPairs(
    _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, by weight: Float, to out: UnsafeMutablePointer<Float>,
    count: Int
) {
    for x in 0..<count { out[x] += weight * (a[x] + b[x]) }
}

/// The centre and one half of a sampled Gaussian whose whole sums to 1.
func gaussianKernel(sigma: Double) -> [Float] {
    let radius = Int((3 * min(sigma, 20)).rounded(.up))
    let half = (0...radius).map { exponential(-Double($0 * $0) / (2 * sigma * sigma)) }
    let sum = 2 * half.reduce(0, +) - half[0]
    return half.map { Float($0 / sum) }
}

/// The image's region averaged over squares of s × s pixels, s = 2^level, centred on every s-th pixel: the squares'
/// edges run through pixels, which count by half there. Borders are replicated.
func areaReduced(_ image: Image, region: PixelRegion, level: Int) -> Plane {
    let step = 1 << level
    let (columns, rows) = ((region.width + step - 1) / step, (region.height + step - 1) / step)
    // Half a square more on each side; the image itself ends the region where it ends.
    let rim = step / 2
    let lineWidth = (columns - 1) * step + step + 1
    let norm = 1 / Float(step * step)
    return Plane(width: columns, height: rows) { out in
        var line = [Float](repeating: 0, count: lineWidth)
        for j in 0..<rows {
            for x in 0..<lineWidth { line[x] = 0 }
            let strip = Plane(
                image,
                region: PixelRegion(x: region.x - rim, y: region.y + j * step - rim, width: lineWidth, height: step + 1)
            )
            strip.withPixels { source in
                line.withUnsafeMutableBufferPointer { sums in
                    for k in 0...step {
                        let weight: Float = k == 0 || k == step ? 0.5 : 1
                        let row = source + k * lineWidth
                        for x in 0..<lineWidth { sums[x] += weight * row[x] }
                    }
                    for i in 0..<columns {
                        var sum = 0.5 * (sums[i * step] + sums[i * step + step])
                        for k in 1..<step { sum += sums[i * step + k] }
                        out[j * columns + i] = sum * norm
                    }
                }
            }
        }
    }
}

/// One row of pixels with room for replicated pixels before and after it.
private final class LineBuffer {
    /// The first pixel; `margin` pixels before it and as many after the last may be read.
    let start: UnsafeMutablePointer<Float>
    private let width, margin: Int

    init(width: Int, margin: Int) {
        self.width = width
        self.margin = margin
        start = UnsafeMutablePointer<Float>.allocate(capacity: width + 2 * margin + 1) + margin
    }

    deinit { (start - margin).deallocate() }

    /// An odd row needs one pixel more on the right than its margin, hence `margin + 1` there.
    func replicateBorders() {
        for k in 1...max(margin, 1) where k <= margin { start[-k] = start[0] }
        for k in 0...margin { start[width + k] = start[width - 1] }
    }
}
