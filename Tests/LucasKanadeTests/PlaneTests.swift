import LucasKanade
import Testing

@Suite("Planes and regions")
struct PlaneTests {
    private static let image = Image(width: 5, height: 3, pixels: (0..<15).map { UInt8($0 * 10) })

    @Test("a plane of the whole image holds its grey levels")
    func whole() {
        let plane = Plane(Self.image)
        #expect(plane.width == 5 && plane.height == 3)
        #expect(plane.pixels == (0..<15).map { Float($0 * 10) })
    }

    @Test("a plane of a region is the crop, also where the image's rows have gaps")
    func region() {
        let plane = Plane(Self.image, region: PixelRegion(x: 1, y: 1, width: 3, height: 2))
        #expect(plane.pixels == [60, 70, 80, 110, 120, 130])
        let bytes: [UInt8] = [1, 2, 99, 99, 3, 4, 99, 99]
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 8, alignment: 8)
        memory.copyBytes(from: bytes)
        nonisolated(unsafe) let owned = memory
        let gaps = Image(base: UnsafeRawPointer(memory.baseAddress!), width: 2, height: 2, channels: 1, bytesPerRow: 4)
        {
            owned.deallocate()
        }
        #expect(Plane(gaps).pixels == [1, 2, 3, 4])
    }

    @Test(
        "outside the image a region repeats the outermost pixels, however far it reaches",
        arguments: [-40, -3, 0, 2, 4, 30])
    func replicatedRegion(origin: Int) {
        let region = PixelRegion(x: origin, y: origin - 1, width: 7, height: 6)
        let plane = Plane(Self.image, region: region)
        for y in 0..<6 {
            for x in 0..<7 {
                let column = min(max(region.x + x, 0), 4)
                let row = min(max(region.y + y, 0), 2)
                #expect(plane[x, y] == Float(Self.image[column, row]))
            }
        }
    }

    @Test("colour becomes brightness by the weights of BT.601")
    func colour() {
        let image = Image(width: 2, height: 1, channels: 3, pixels: [255, 0, 0, 10, 20, 30])
        let plane = Plane(image)
        #expect(abs(plane[0, 0] - 0.114 * 255) < 1e-3)
        #expect(abs(plane[1, 0] - (1.14 + 11.74 + 8.97)) < 1e-3)
    }

    @Test("sampling is exact at pixels, linear between them and constant outside")
    func sampling() {
        let plane = Plane(Self.image)
        #expect(plane.sample(3, 2) == 130)
        #expect(abs(plane.sample(1.25, 0.5) - (10 * 1.25 + 25)) < 1e-4)
        #expect(plane.sample(-5, -5) == 0 && plane.sample(99, 99) == 140)
        #expect(plane.sample(.nan, 0).isNaN && plane.sample(0, .infinity).isNaN)
    }

    @Test("a covering region is aligned, inside the image, and holds box and margin")
    func covering() {
        var generator = SeededGenerator(seed: 7)
        for _ in 0..<200 {
            let warp = AffineWarp.translation(generator.uniform(-60...260), generator.uniform(-60...180))
            let region = PixelRegion.covering(
                warp, width: 30, height: 20, margin: 12.5, alignment: 8, imageWidth: 200, imageHeight: 121)
            #expect(region.x % 8 == 0 && region.y % 8 == 0 && region.x >= 0 && region.y >= 0)
            #expect(region.width > 0 && region.height > 0)
            #expect(region.x + region.width <= 200 && region.y + region.height <= 121)
            // The part of the box with its margin that lies in the image.
            let (left, right) = (max(warp.tx - 27.5, 0), min(warp.tx + 27.5, 199))
            if left <= right { #expect(Double(region.x) <= left && Double(region.x + region.width - 1) >= right) }
        }
    }

    @Test("a covering region survives numbers that are none")
    func coveringNonsense() {
        for value in [Double.nan, .infinity, -.infinity, 1e300, -1e300] {
            let region = PixelRegion.covering(
                .translation(value, value), width: 30, height: 20, margin: 5, alignment: 4, imageWidth: 64,
                imageHeight: 48)
            #expect(region.width > 0 && region.x + region.width <= 64)
            #expect(region.height > 0 && region.y + region.height <= 48)
        }
    }
}
