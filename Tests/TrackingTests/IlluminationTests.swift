import LucasKanade
import Testing

@testable import Tracking

@Suite("Illumination")
struct IlluminationTests {
    private func texture(width: Int, height: Int, seed: UInt64) -> Image {
        var generator = SplitMix64(seed: seed)
        let pixels = (0..<width * height).map { i in
            UInt8(40 + (i % width) * 60 / width + Int(generator.next() % 90))
        }
        return Image(width: width, height: height, pixels: pixels)
    }

    /// CLAHE as its definition reads, a pixel at a time; tiles divide the image.
    private func statedEqualization(_ image: Image, clipLimit: Double, tiles: Int) -> [Int] {
        let tileWidth = image.width / tiles
        let tileHeight = image.height / tiles
        let area = tileWidth * tileHeight
        func curve(_ tileX: Int, _ tileY: Int, _ level: Int) -> Double {
            var histogram = [Int](repeating: 0, count: 256)
            for y in 0..<tileHeight {
                for x in 0..<tileWidth { histogram[Int(image[tileX * tileWidth + x, tileY * tileHeight + y])] += 1 }
            }
            let limit = max(1, Int(clipLimit * Double(area) / 256))
            let excess = histogram.reduce(0) { $0 + max(0, $1 - limit) }
            var clipped = histogram.map { min($0, limit) + excess / 256 }
            let rest = excess % 256
            let step = rest > 0 ? max(256 / rest, 1) : 256
            for k in 0..<rest where k * step < 256 { clipped[k * step] += 1 }
            return (Double(clipped[0...level].reduce(0, +)) * 255 / Double(area)).rounded()
        }
        func tile(_ index: Int) -> Int { min(max(index, 0), tiles - 1) }
        return (0..<image.width * image.height).map { i in
            let fx = (Double(i % image.width) + 0.5) / Double(tileWidth) - 0.5
            let fy = (Double(i / image.width) + 0.5) / Double(tileHeight) - 0.5
            let (x0, y0) = (Int(fx.rounded(.down)), Int(fy.rounded(.down)))
            let (ax, ay) = (fx - Double(x0), fy - Double(y0))
            let level = Int(image[i % image.width, i / image.width])
            let top = curve(tile(x0), tile(y0), level) * (1 - ax) + curve(tile(x0 + 1), tile(y0), level) * ax
            let bottom = curve(tile(x0), tile(y0 + 1), level) * (1 - ax) + curve(tile(x0 + 1), tile(y0 + 1), level) * ax
            return Int((top * (1 - ay) + bottom * ay).rounded())
        }
    }

    @Test("CLAHE equals a plain statement of the algorithm", arguments: [(12.0, 2), (2.0, 4), (1.0, 1)])
    func equalization(clipLimit: Double, tiles: Int) {
        let image = texture(width: 24, height: 16, seed: 1)
        let expected = statedEqualization(image, clipLimit: clipLimit, tiles: tiles)
        let result = AdaptiveEqualizer(clipLimit: clipLimit, tiles: tiles).apply(to: image)
        let pixels = result.withBytes { $0.map { Int($0) } }
        // Single precision may round a half the other way.
        #expect(zip(pixels, expected).allSatisfy { abs($0.0 - $0.1) <= 1 })
        #expect(zip(pixels, expected).count { $0.0 != $0.1 } <= 2)
    }

    @Test("CLAHE takes any size of image, flat ones too", arguments: [(1, 1), (3, 2), (17, 13), (5, 40)])
    func anySize(width: Int, height: Int) {
        for tiles in [1, 2, 8] {
            let result = AdaptiveEqualizer(tiles: tiles).apply(to: texture(width: width, height: height, seed: 2))
            #expect(result.width == width && result.height == height)
        }
        let flat = Image(width: width, height: height, pixels: .init(repeating: 90, count: width * height))
        let result = AdaptiveEqualizer().apply(to: flat)
        let levels = result.withBytes { Set($0) }
        #expect(levels.count <= 4)
    }

    @Test("clipping a histogram keeps its sum")
    func clippingKeepsMass() {
        var generator = SplitMix64(seed: 9)
        for limit in [1, 5, 40] {
            var histogram = (0..<256).map { _ in Int(generator.next() % 30) }
            let sum = histogram.reduce(0, +)
            AdaptiveEqualizer.clip(&histogram, at: limit)
            #expect(histogram.reduce(0, +) == sum)
        }
    }

    @Test("gamma goes through 0 and 255, brightens below 1 and leaves the image alone at 1")
    func gamma() {
        #expect(GammaCurve(exponent: 1).table == (0...255).map { UInt8($0) })
        let bright = GammaCurve(exponent: 0.5).table
        #expect(bright[0] == 0 && bright[255] == 255)
        #expect(bright[64] == 128)  // 255 · √(64 / 255) = 127.75
        #expect(GammaCurve(exponent: 2).table[128] == 64)  // 255 · (128 / 255)² = 64.25
        let image = texture(width: 9, height: 7, seed: 3)
        let result = GammaCurve(exponent: 2).apply(to: image)
        #expect(result[4, 3] == GammaCurve(exponent: 2).table[Int(image[4, 3])])
    }

    @Test("padding between rows is not part of the picture")
    func paddedRows() {
        let plain = texture(width: 10, height: 6, seed: 4)
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 16 * 6, alignment: 16)
        defer { memory.deallocate() }
        for y in 0..<6 {
            for x in 0..<16 { memory[y * 16 + x] = x < 10 ? plain[x, y] : 255 }
        }
        let padded = Image(
            base: UnsafeRawPointer(memory.baseAddress!), width: 10, height: 6, channels: 1, bytesPerRow: 16, release: {}
        )
        func result(_ image: Image) -> [UInt8] { AdaptiveEqualizer().apply(to: image).withBytes { [UInt8]($0) } }
        #expect(result(padded) == result(plain))
    }
}
