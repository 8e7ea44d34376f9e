import LucasKanade

/// Finds a target's position: a discriminative filter over gradient, grey and colour channels, and where the video has
/// colours, the share of the target's.
struct TargetLocator: Sendable {
    private let box: Box
    private let parameters: RobustTrackerParameters
    private let usesColor: Bool
    /// Cells of the search window, across and down.
    private let cells: Int
    /// Frame pixels under a cell where the target has its first size.
    private let cellSize: Double
    private let sampler: PatchSampler
    private let extractor: CellFeatureExtractor
    private var filter: CorrelationFilter
    private var colors = ColorModel()
    /// Where the filter may answer: the box, softly.
    private let mask: [Float]
    /// Of the first picture; `nil` before it.
    private var contrast: Double?

    /// A place to look at.
    struct Start {
        var center: Point
        /// The target's scale, relative to its first box.
        var scale: Double

        func moved(_ x: Double, _ y: Double) -> Start {
            Start(center: Point(x: center.x + x, y: center.y + y), scale: scale)
        }
    }

    /// What was found there.
    struct Location {
        var center: Point
        /// The filter's response; 1 on the picture it was trained on, were it free.
        var response: Double
        /// How far the response stands above those around it, in their deviations (PSR; Bolme et al., CVPR 2010).
        var peakRatio: Double
        /// Share of the target's colours, 0 … 1; 0.5 without colours.
        var colorShare: Double
        /// Response and colours together: what candidates are compared by.
        var score: Double
    }

    init(box: Box, in frame: PreparedFrame, options: TrackerOptions) {
        let parameters = options.robust
        self.box = box
        self.parameters = parameters
        usesColor = frame.color.map { Self.hasColor($0) } ?? false
        let size = (box.width * box.height).squareRoot()
        let side = parameters.searchSize * size
        let magnification = min(parameters.targetSide / size, parameters.maximumMagnification)
        let cell = CellFeatureExtractor.cell
        cells = ChannelFourier.length(
            atLeast: max(Int((side * magnification / Double(cell)).rounded()), parameters.minimumCells))
        cellSize = side / Double(cells)
        sampler = PatchSampler(width: cells * cell, height: cells * cell)
        extractor = CellFeatureExtractor(columns: cells, rows: cells, parameters: parameters)
        mask = Self.mask(
            cells, halfX: box.width / cellSize / 2, halfY: box.height / cellSize / 2,
            softness: parameters.maskSoftness)
        filter = CorrelationFilter(
            fourier: ChannelFourier(width: cells, height: cells), mask: mask,
            labelDeviation: max(parameters.labelDeviation * size / cellSize, parameters.minimumLabelDeviation),
            parameters: parameters)
    }

    /// Whether there was anything to learn. A box in the middle of the sky has nothing that tells it from its
    /// surroundings, and noise would lead anywhere.
    var isUsable: Bool { contrast ?? 0 >= parameters.minimumContrast }

    /// How much there is to learn of a first picture: what decides whether it ``isUsable``.
    func contrast(_ frame: PreparedFrame, at pose: Start) -> Double {
        PatchContrast.of(cut(frame, pose), mask: mask, columns: cells)
    }

    // MARK: Search

    /// The best of what is found around several starts.
    func locate(_ frame: PreparedFrame, from starts: [Start]) -> Location? {
        var best: Location?
        for first in stride(from: 0, to: starts.count, by: ChannelLanes.scalarCount) {
            let group = starts[first..<min(first + ChannelLanes.scalarCount, starts.count)]
            let patches = group.map { cut(frame, $0) }
            let responses = filter.respond(patches.map(extractor.extract))
            for (lane, (start, patch)) in zip(group, patches).enumerated() {
                let shares = patch.color.map { colorShares($0) }
                let location = peak(responses, lane: lane, shares: shares, start: start)
                if location.score > best?.score ?? -.infinity { best = location }
            }
        }
        return best
    }

    private func cut(_ frame: PreparedFrame, _ start: Start) -> Patch {
        let extent = cellSize * Double(cells) * start.scale
        return sampler.sample(
            frame, usesColor: usesColor, center: start.center, extentX: extent, extentY: extent)
    }

    /// The share of the target's colours in a box centred on every cell.
    private func colorShares(_ patch: ColorPatch) -> [Float] {
        boxMeans(
            colors.likelihood(patch), columns: cells, rows: cells, halfX: box.width / cellSize / 2,
            halfY: box.height / cellSize / 2)
    }

    private func peak(_ responses: [ChannelLanes], lane: Int, shares: [Float]?, start: Start) -> Location {
        let count = cells
        let weight = Float(shares == nil ? 0 : parameters.colorShare)
        var scores = [Float](repeating: 0, count: count * count)
        for j in 0..<count {
            for i in 0..<count {
                let k = j * count + i
                scores[k] = responses[k][lane] * (1 - weight)
                guard let shares else { continue }
                // The filter answers around cell 0; the patch's centre lies between its four middle cells.
                let (u, v) = ((i + count / 2) % count, (j + count / 2) % count)
                let (left, above) = (max(u - 1, 0), max(v - 1, 0))
                let mean =
                    shares[v * count + u] + shares[v * count + left] + shares[above * count + u]
                    + shares[above * count + left]
                scores[k] += weight * mean / 4
            }
        }
        var k = 0
        for candidate in scores.indices where scores[candidate] > scores[k] { k = candidate }
        let (i, j) = (k % count, k / count)
        func score(_ u: Int, _ v: Int) -> Float {
            scores[(v + count) % count * count + (u + count) % count]
        }
        let x = Double(i > count / 2 ? i - count : i) + vertex(score(i - 1, j), scores[k], score(i + 1, j))
        let y = Double(j > count / 2 ? j - count : j) + vertex(score(i, j - 1), scores[k], score(i, j + 1))
        let response = Double(responses[k][lane])
        let unit = cellSize * start.scale
        return Location(
            center: Point(x: start.center.x + x * unit, y: start.center.y + y * unit), response: response,
            peakRatio: peakRatio(responses, lane: lane, column: i, row: j),
            colorShare: weight > 0 ? (Double(scores[k]) - Double(1 - weight) * response) / Double(weight) : 0.5,
            score: Double(scores[k]))
    }

    /// Where a parabola through three values has its vertex, relative to the middle one, which is the largest.
    private func vertex(_ left: Float, _ middle: Float, _ right: Float) -> Double {
        let curvature = left - 2 * middle + right
        return curvature < -1e-9 ? Double(0.5 * (left - right) / curvature) : 0
    }

    private func peakRatio(_ responses: [ChannelLanes], lane: Int, column: Int, row: Int) -> Double {
        var (sum, squares, number): (Float, Float, Float) = (0, 0, 0)
        for v in 0..<cells {
            let down = min(abs(v - row), cells - abs(v - row))
            for u in 0..<cells {
                let across = min(abs(u - column), cells - abs(u - column))
                guard max(across, down) > parameters.peakRadius else { continue }
                let value = responses[v * cells + u][lane]
                sum += value
                squares += value * value
                number += 1
            }
        }
        let mean = sum / max(number, 1)
        let deviation = max(squares / max(number, 1) - mean * mean, 0).squareRoot()
        return Double((responses[row * cells + column][lane] - mean) / max(deviation, 1e-6))
    }

    // MARK: Learning

    /// Learns the target where it is now, its surroundings as what it is not.
    mutating func learn(_ frame: PreparedFrame, at pose: Start) {
        let patch = cut(frame, pose)
        if contrast == nil { contrast = PatchContrast.of(patch, mask: mask, columns: cells) }
        if let color = patch.color {
            let half = (x: box.width / cellSize, y: box.height / cellSize)
            let inner = (x: half.x * parameters.colorInner, y: half.y * parameters.colorInner)
            colors.learn(color, inner: inner, outer: half, rate: parameters.colorRate)
        }
        filter.train(extractor.extract(patch))
    }

    // MARK: Set up

    /// Whether a picture has colours at all: blue and red differ somewhere.
    private static func hasColor(_ image: Image) -> Bool {
        guard image.channels == 3 else { return false }
        return image.withBytes { bytes in
            for y in stride(from: 0, to: image.height, by: 2) {
                for x in stride(from: 0, to: image.width, by: 2) {
                    let k = y * image.bytesPerRow + 3 * x
                    if abs(Int(bytes[k]) - Int(bytes[k + 2])) > leastColorDifference { return true }
                }
            }
            return false
        }
    }

    /// What compression makes of grey stays below.
    private static let leastColorDifference = 8

    /// 1 inside the box, falling to 0 around it.
    private static func mask(_ cells: Int, halfX: Double, halfY: Double, softness: Double) -> [Float] {
        var mask = [Float](repeating: 0, count: cells * cells)
        let middle = Double(cells - 1) / 2
        for j in 0..<cells {
            for i in 0..<cells {
                let outside = max(abs(Double(i) - middle) / halfX, abs(Double(j) - middle) / halfY) - 1
                mask[j * cells + i] = Float(min(max(1 - outside / softness, 0), 1))
            }
        }
        return mask
    }
}
