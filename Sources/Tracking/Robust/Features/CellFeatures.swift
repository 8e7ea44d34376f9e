/// What the locator sees of a patch: a grid of cells, and in each of them channels that stand up to changes of light and
/// small deformations. Channels lie innermost, in groups of eight.
struct CellFeatures {
    /// One grid of cells for each group of eight channels.
    var groups: [[ChannelLanes]]
}

/// How cells are made of pixels.
struct CellFeatureExtractor: Sendable {
    /// Sides of a cell in a patch's pixels.
    static let cell = 4

    let columns, rows: Int
    let parameters: RobustTrackerParameters
    /// Weighs cells by their distance from the centre, lest the patch's border looks like an edge.
    let window: [Float]

    init(columns: Int, rows: Int, parameters: RobustTrackerParameters) {
        self.columns = columns
        self.rows = rows
        self.parameters = parameters
        // A target reaches this far from the centre, as a share of half the window.
        let reach = min(1 / parameters.searchSize, largestFlatShare)
        let flat = max((reach - parameters.windowSlope) / (1 - parameters.windowSlope), 0)
        let across = taperedCosine(columns, flat: flat)
        let down = taperedCosine(rows, flat: flat)
        window = down.flatMap { v in across.map { $0 * v } }
    }

    /// Shares of the 16 bins in a gradient of each of 256 directions; one more, for a full turn.
    private let directionTable: [SIMD16<Float>] = (0...256).map { k in
        var shares = SIMD16<Float>.zero
        let bin = (Float(k) + 0.5) / 16
        let low = Int(bin)
        shares[low % 16] = 1 - (bin - Float(low))
        shares[(low + 1) % 16] += bin - Float(low)
        return shares
    }

    func extract(_ patch: Patch) -> CellFeatures {
        let histogram = orientationHistogram(patch)
        var groups = [orientations(histogram), appearance(patch)]
        for g in groups.indices { finish(&groups[g]) }
        return CellFeatures(groups: groups)
    }

    // MARK: Orientations

    /// Gradient magnitudes by direction, 16 bins over the full turn, soft in direction and position: every pixel counts
    /// for the four cells around it.
    private func orientationHistogram(_ patch: Patch) -> [SIMD16<Float>] {
        let (width, height, cell) = (patch.width, patch.height, Self.cell)
        var histogram = [SIMD16<Float>](repeating: .zero, count: columns * rows)
        histogram.withUnsafeMutableBufferPointer { histogram in
            patch.gray.withUnsafeBufferPointer { gray in
                directionTable.withUnsafeBufferPointer { table in
                    withUnsafeTemporaryAllocation(of: SIMD16<Float>.self, capacity: columns + 2) { line in
                        withUnsafeTemporaryAllocation(of: Float.self, capacity: 2 * width + 16) { polar in
                            let (directions, magnitudes) = (polar.baseAddress!, polar.baseAddress! + width + 8)
                            for y in 0..<height {
                                gradient(
                                    gray.baseAddress!, width: width, height: height, row: y, directions: directions,
                                    magnitudes: magnitudes)
                                pool(directions, magnitudes, table, to: line)
                                // Between the centres of two rows of cells.
                                let position = Float(2 * y + 1) / Float(2 * cell) - 0.5
                                let top = Int(position.rounded(.down))
                                let share = position - Float(top)
                                if top >= 0 { add(line, times: 1 - share, to: histogram, row: top) }
                                if top + 1 < rows { add(line, times: share, to: histogram, row: top + 1) }
                            }
                        }
                    }
                }
            }
        }
        return histogram
    }

    /// Sums one row of pixels into cells; `line[k + 1]` is column k, the ends gather what lies beyond the outer centres.
    @inline(__always)
    private func pool(
        _ directions: UnsafePointer<Float>, _ magnitudes: UnsafePointer<Float>,
        _ table: UnsafeBufferPointer<SIMD16<Float>>, to line: UnsafeMutableBufferPointer<SIMD16<Float>>
    ) {
        let cell = Self.cell
        let table = table.baseAddress!
        line.baseAddress!.update(repeating: .zero, count: columns + 2)
        for k in 0...columns {
            // The pixels between the centres of columns k − 1 and k.
            var (sum, right) = (SIMD16<Float>.zero, SIMD16<Float>.zero)
            for x in max(k * cell - cell / 2, 0)..<min(k * cell + cell / 2, columns * cell) {
                let share = Float(2 * (x - k * cell + cell / 2) + 1) / Float(2 * cell)
                let value = table[Int(directions[x])] * magnitudes[x]
                sum += value
                right += value * share
            }
            line[k] += sum - right
            line[k + 1] += right
        }
    }

    @inline(__always)
    private func add(
        _ line: UnsafeMutableBufferPointer<SIMD16<Float>>, times share: Float,
        to histogram: UnsafeMutableBufferPointer<SIMD16<Float>>, row: Int
    ) {
        let (source, target) = (line.baseAddress! + 1, histogram.baseAddress! + row * columns)
        for i in 0..<columns { target[i] += source[i] * share }
    }

    /// Direction in 256 parts of a turn and length of the gradient of one row's pixels.
    private func gradient(
        _ gray: UnsafePointer<Float>, width: Int, height: Int, row y: Int, directions: UnsafeMutablePointer<Float>,
        magnitudes: UnsafeMutablePointer<Float>
    ) {
        let here = gray + y * width
        let above = gray + max(y - 1, 0) * width
        let below = gray + min(y + 1, height - 1) * width
        // The row without its ends, where a vector may look one pixel to either side.
        magnitudes[0] = 2 * (here[1] - here[0])
        for x in 1..<width - 1 { magnitudes[x] = here[x + 1] - here[x - 1] }
        magnitudes[width - 1] = 2 * (here[width - 1] - here[width - 2])
        for x in 0..<width {
            let (dx, dy) = (magnitudes[x], below[x] - above[x])
            let (ax, ay) = (dx.magnitude, dy.magnitude)
            let isSteep = ay > ax
            let (long, short) = (isSteep ? ay : ax, isSteep ? ax : ay)
            // A polynomial arc tangent of 0 … 1, good to 10⁻⁴.
            let t = short / (long + 1e-20)
            let s = t * t
            var angle: Float = -0.01172120
            angle = angle * s + 0.05265332
            angle = angle * s - 0.11643287
            angle = angle * s + 0.19354346
            angle = angle * s - 0.33262347
            angle = (angle * s + 0.99997726) * t
            angle = isSteep ? 1.5707964 - angle : angle
            angle = dx < 0 ? 3.1415927 - angle : angle
            angle = dy < 0 ? 6.2831855 - angle : angle
            directions[x] = angle * 40.743664
            magnitudes[x] = (dx * dx + dy * dy).squareRoot()
        }
    }

    private func orientations(_ histogram: [SIMD16<Float>]) -> [ChannelLanes] {
        let count = columns * rows
        var energy = [Float](repeating: 0, count: count)
        for k in 0..<count {
            let folded = histogram[k].lowHalf + histogram[k].highHalf
            energy[k] = (folded * folded).sum()
        }
        var unsigned = [ChannelLanes](repeating: .zero, count: count)
        let (gain, limit) = (
            Float(parameters.orientationGain), ChannelLanes(repeating: Float(parameters.orientationLimit))
        )
        for j in 0..<rows {
            for i in 0..<columns {
                var sum: Float = 0
                for v in max(j - 1, 0)...min(j + 1, rows - 1) {
                    for u in max(i - 1, 0)...min(i + 1, columns - 1) { sum += energy[v * columns + u] }
                }
                let k = j * columns + i
                let scale = gain / (sum + Float(parameters.orientationFloor)).squareRoot()
                let h = histogram[k]
                unsigned[k] = pointwiseMin((h.lowHalf + h.highHalf) * scale, limit)
            }
        }
        return unsigned
    }

    // MARK: Brightness and colour

    private func appearance(_ patch: Patch) -> [ChannelLanes] {
        let cell = Self.cell
        var result = [ChannelLanes](repeating: .zero, count: columns * rows)
        let grayScale = Float(parameters.grayWeight) / 255 / Float(cell * cell)
        let colorScale = Float(parameters.colorWeight) / 128
        patch.gray.withUnsafeBufferPointer { gray in
            for j in 0..<rows {
                for i in 0..<columns {
                    var sum = SIMD4<Float>.zero
                    for y in 0..<cell {
                        let start = gray.baseAddress! + (j * cell + y) * patch.width + i * cell
                        sum += UnsafeRawPointer(start).loadUnaligned(as: SIMD4<Float>.self)
                    }
                    result[j * columns + i][0] = sum.sum() * grayScale
                }
            }
        }
        guard let color = patch.color else { return result }
        color.pixels.withUnsafeBufferPointer { pixels in
            for j in 0..<rows {
                for i in 0..<columns {
                    let k = j * columns + i
                    let first = pixels.baseAddress! + 3 * (2 * j * color.width + 2 * i)
                    let second = first + 3 * color.width
                    let blue = (first[0] + first[3] + second[0] + second[3]) / 4
                    let green = (first[1] + first[4] + second[1] + second[4]) / 4
                    let red = (first[2] + first[5] + second[2] + second[5]) / 4
                    let (a, b) = opponents(blue, green, red)
                    result[k][1] = a * colorScale
                    result[k][2] = b * colorScale
                }
            }
        }
        return result
    }

    /// Every channel without its mean, under the window.
    private func finish(_ group: inout [ChannelLanes]) {
        var sum = ChannelLanes.zero
        for value in group { sum += value }
        let mean = sum / Float(group.count)
        for k in group.indices { group[k] = (group[k] - mean) * window[k] }
    }
}

/// a* and b* of CIE L*a*b*, roughly: gamma 2 instead of sRGB's.
private func opponents(_ blue: Float, _ green: Float, _ red: Float) -> (a: Float, b: Float) {
    let (r, g, b) = (red * red / 65025, green * green / 65025, blue * blue / 65025)
    let x = cubeRoot((0.412453 * r + 0.357580 * g + 0.180423 * b) / 0.950456)
    let y = cubeRoot(0.212671 * r + 0.715160 * g + 0.072169 * b)
    let z = cubeRoot((0.019334 * r + 0.119193 * g + 0.950227 * b) / 1.088754)
    return (500 * (x - y), 200 * (y - z))
}

private func cubeRoot(_ t: Float) -> Float {
    guard t > 0.008856 else { return 7.787 * t + 16 / 116 }
    // Two Newton steps from a guess that halves the exponent by three.
    var x = Float(bitPattern: t.bitPattern / 3 + 709_921_077)
    for _ in 0..<3 { x = (2 * x + t / (x * x)) / 3 }
    return x
}

/// What a window must leave for its slopes.
private let largestFlatShare = 0.9

/// 1 over the middle share `flat` of the samples, falling to 0 at either end: a Tukey window, and a Hann window where
/// nothing is flat.
func taperedCosine(_ count: Int, flat: Double) -> [Float] {
    (0..<count).map { index in
        let distance = abs(2 * (Double(index) + 0.5) / Double(count) - 1)
        let slope = max(distance - flat, 0) / (1 - flat)
        return Float(0.5 + 0.5 * sineAndCosine(.pi * slope).cosine)
    }
}
