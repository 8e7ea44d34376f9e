import LucasKanade

/// Contrast-limited adaptive histogram equalisation (CLAHE; Zuiderveld, "Contrast limited adaptive histogram
/// equalization", Graphics Gems IV, 1994) of a grey image.
///
/// The image is cut into `tiles × tiles` equal tiles; where it does not divide, it is continued by reflection. Each
/// tile's histogram is clipped, what was cut off is spread evenly over all grey levels, and the cumulative histogram
/// becomes the tile's curve. A pixel goes through the curves of the four nearest tile centres, blended bilinearly.
public struct AdaptiveEqualizer: Sendable {
    /// The highest count of a grey level, as a multiple of the mean count of a tile; at least 1.
    public let clipLimit: Double
    /// Tiles along each side; at least 1.
    public let tiles: Int

    public init(clipLimit: Double = 12, tiles: Int = 2) {
        precondition(
            clipLimit >= 1 && clipLimit.isFinite && tiles >= 1, "CLAHE needs a clip limit and tiles of at least 1")
        self.clipLimit = clipLimit
        self.tiles = tiles
    }

    /// A new grey image. The input is grey.
    public func apply(to image: Image) -> Image {
        precondition(image.channels == 1, "CLAHE works on grey images")
        let tileWidth = (image.width + tiles - 1) / tiles
        let tileHeight = (image.height + tiles - 1) / tiles
        let curves = tileCurves(of: image, tileWidth: tileWidth, tileHeight: tileHeight)
        let columns = (0..<image.width).map { blend(of: $0, tileSize: tileWidth) }
        return curves.withUnsafeBufferPointer { curves in
            Image.mapRows(of: image) { y, source, target in
                let row = blend(of: y, tileSize: tileHeight)
                let upper = row.first * tiles
                let lower = row.second * tiles
                for x in source.indices {
                    let column = columns[x]
                    let value = Int(source[x])
                    let top = mix(
                        curves[(upper + column.first) << 8 + value], curves[(upper + column.second) << 8 + value],
                        column.share)
                    let bottom = mix(
                        curves[(lower + column.first) << 8 + value], curves[(lower + column.second) << 8 + value],
                        column.share)
                    target[x] = UInt8(mix(top, bottom, row.share) + 0.5)
                }
            }
        }
    }

    /// The two tiles whose centres a coordinate lies between, and the second one's share.
    private func blend(of coordinate: Int, tileSize: Int) -> (first: Int, second: Int, share: Float) {
        let position = (Float(coordinate) + 0.5) / Float(tileSize) - 0.5
        let floor = position.rounded(.down)
        let first = Int(floor)
        return (min(max(first, 0), tiles - 1), min(max(first + 1, 0), tiles - 1), position - floor)
    }

    /// 256 values 0 … 255 for each tile, tile after tile.
    private func tileCurves(of image: Image, tileWidth: Int, tileHeight: Int) -> [Float] {
        let area = tileWidth * tileHeight
        let clip = max(1, Int(clipLimit * Double(area) / 256))
        var curves: [Float] = []
        curves.reserveCapacity(tiles * tiles * 256)
        image.withBytes { bytes in
            for tileY in 0..<tiles {
                for tileX in 0..<tiles {
                    var histogram = [Int](repeating: 0, count: 256)
                    for y in tileY * tileHeight..<(tileY + 1) * tileHeight {
                        let row = reflect(y, image.height) * image.bytesPerRow
                        for x in tileX * tileWidth..<(tileX + 1) * tileWidth {
                            histogram[Int(bytes[row + reflect(x, image.width)])] += 1
                        }
                    }
                    Self.clip(&histogram, at: clip)
                    var sum = 0
                    for count in histogram {
                        sum += count
                        curves.append((Float(sum) * 255 / Float(area)).rounded())
                    }
                }
            }
        }
        return curves
    }

    /// Cuts counts above the limit and spreads the excess evenly; what does not divide goes to levels at even steps.
    static func clip(_ histogram: inout [Int], at limit: Int) {
        var excess = 0
        for level in histogram.indices where histogram[level] > limit {
            excess += histogram[level] - limit
            histogram[level] = limit
        }
        let share = excess / histogram.count
        var rest = excess % histogram.count
        for level in histogram.indices { histogram[level] += share }
        guard rest > 0 else { return }
        for level in stride(from: 0, to: histogram.count, by: max(histogram.count / rest, 1)) where rest > 0 {
            histogram[level] += 1
            rest -= 1
        }
    }
}

@inline(__always)
private func mix(_ first: Float, _ second: Float, _ share: Float) -> Float { first + (second - first) * share }

/// Continues `0 ..< count` by reflection about the last element; an index is less than `2 · count`, or clamped.
@inline(__always)
private func reflect(_ index: Int, _ count: Int) -> Int {
    index < count ? index : max(2 * count - 2 - index, 0)
}
