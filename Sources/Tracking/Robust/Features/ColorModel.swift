import LucasKanade

/// Which colours are the target's and which its surroundings' (Possegger et al., CVPR 2015; Bertinetto et al., "Staple",
/// CVPR 2016): histograms of 16³ colours.
struct ColorModel: Sendable {
    private static let side = 16
    private var foreground: [Float] = []
    private var background: [Float] = []

    /// - Parameters:
    ///   - inner: half sides of what surely is the target, in the patch's pixels from its centre.
    ///   - outer: half sides of what may be.
    mutating func learn(
        _ patch: ColorPatch, inner: (x: Double, y: Double), outer: (x: Double, y: Double), rate: Double
    ) {
        let count = Self.side * Self.side * Self.side
        var (inside, outside) = ([Float](repeating: 0, count: count), [Float](repeating: 0, count: count))
        var (insideCount, outsideCount): (Float, Float) = (0, 0)
        let (cx, cy) = (Double(patch.width) / 2, Double(patch.height) / 2)
        patch.pixels.withUnsafeBufferPointer { pixels in
            for y in 0..<patch.height {
                let dy = abs(Double(y) + 0.5 - cy)
                for x in 0..<patch.width {
                    let dx = abs(Double(x) + 0.5 - cx)
                    if dx <= inner.x && dy <= inner.y {
                        inside[bin(pixels, y * patch.width + x)] += 1
                        insideCount += 1
                    } else if dx > outer.x || dy > outer.y {
                        outside[bin(pixels, y * patch.width + x)] += 1
                        outsideCount += 1
                    }
                }
            }
        }
        let isFirst = foreground.isEmpty
        if isFirst { (foreground, background) = (inside, outside) }
        let keep = isFirst ? 0 : Float(1 - rate)
        let (takeInside, takeOutside) = ((1 - keep) / max(insideCount, 1), (1 - keep) / max(outsideCount, 1))
        for k in 0..<count {
            foreground[k] = keep * foreground[k] + takeInside * inside[k]
            background[k] = keep * background[k] + takeOutside * outside[k]
        }
    }

    /// The share of the target in each colour of a patch, one value for each cell of 2 × 2 of its pixels.
    func likelihood(_ patch: ColorPatch) -> [Float] {
        let (columns, rows) = (patch.width / 2, patch.height / 2)
        var result = [Float](repeating: 0, count: columns * rows)
        patch.pixels.withUnsafeBufferPointer { pixels in
            for y in 0..<2 * rows {
                for x in 0..<2 * columns {
                    let k = bin(pixels, y * patch.width + x)
                    let (f, b) = (foreground[k], background[k])
                    result[y / 2 * columns + x / 2] += f + b > 0 ? f / (f + b) / 4 : 0.125
                }
            }
        }
        return result
    }

    @inline(__always)
    private func bin(_ pixels: UnsafeBufferPointer<Float>, _ pixel: Int) -> Int {
        let pixel = pixels.baseAddress! + 3 * pixel
        let side = Float(Self.side) / 256
        let (blue, green, red) = (Int(pixel[0] * side), Int(pixel[1] * side), Int(pixel[2] * side))
        // A mean of bytes is a byte at most, give or take what rounding adds.
        return (min(blue, 15) * 16 + min(green, 15)) * 16 + min(red, 15)
    }
}

/// Means over boxes of a grid's values, each centred on a cell: the share of the target in a box that lies there.
func boxMeans(_ values: [Float], columns: Int, rows: Int, halfX: Double, halfY: Double) -> [Float] {
    // Weights of the neighbours along a line: 1 inside the box, what is covered at its ends.
    func smooth(_ source: [Float], count: Int, lines: Int, step: Int, lineStep: Int, half: Double) -> [Float] {
        var result = source
        let reach = Int(half.rounded(.up))
        let weights = (-reach...reach).map { Float(min(max(half + 0.5 - abs(Double($0)), 0), 1)) }
        for line in 0..<lines {
            for i in 0..<count {
                var sum: Float = 0
                var weight: Float = 0
                for k in max(-reach, -i)...min(reach, count - 1 - i) {
                    let w = weights[k + reach]
                    sum += w * source[line * lineStep + (i + k) * step]
                    weight += w
                }
                result[line * lineStep + i * step] = sum / max(weight, 1e-6)
            }
        }
        return result
    }
    let across = smooth(values, count: columns, lines: rows, step: 1, lineStep: columns, half: halfX)
    return smooth(across, count: rows, lines: columns, step: columns, lineStep: 1, half: halfY)
}
