import LucasKanade
import Media
import Testing

@Suite("Crops")
struct CropperTests {
    /// Grey levels that rise to the right and downwards, so that a linear interpolation is exact.
    private static let ramp = Image(
        width: 60, height: 40, pixels: (0..<40).flatMap { y in (0..<60).map { x in UInt8(20 + 2 * x + y) } })

    private static func box(_ x: Double, _ y: Double, _ width: Double, _ height: Double) -> [SIMD2<Double>] {
        [SIMD2(x, y), SIMD2(x + width, y), SIMD2(x + width, y + height), SIMD2(x, y + height)]
    }

    @Test("a box at whole pixels is those pixels")
    func identity() throws {
        let crop = try Cropper.crop(Self.ramp, Self.box(7, 5, 16, 12), width: 16, height: 12)
        #expect((crop.width, crop.height, crop.channels) == (16, 12, 1))
        let isExact = (0..<12).allSatisfy { y in (0..<16).allSatisfy { crop[$0, y] == Self.ramp[$0 + 7, y + 5] } }
        #expect(isExact)
    }

    @Test("a box between pixels, of another size, is interpolated")
    func interpolated() throws {
        let crop = try Cropper.crop(Self.ramp, Self.box(7.25, 5.5, 8, 6), width: 16, height: 12)
        for (u, v) in [(0, 0), (5, 3), (15, 11)] {
            let x = 7.25 + (Double(u) + 0.5) / 2 - 0.5
            let y = 5.5 + (Double(v) + 0.5) / 2 - 0.5
            #expect(abs(Double(crop[u, v]) - (20 + 2 * x + y)) <= 1, "\(u), \(v)")
        }
    }

    @Test("a turned box is turned back: its top left corner comes to the top left")
    func turned() throws {
        // A quarter of a turn to the right: the box's top edge is the frame's right.
        let quad = [SIMD2(30.0, 10.0), SIMD2(30.0, 26.0), SIMD2(18.0, 26.0), SIMD2(18.0, 10.0)]
        let crop = try Cropper.crop(Self.ramp, quad, width: 16, height: 12)
        for (u, v) in [(0, 0), (15, 0), (0, 11), (9, 4)] {
            #expect(crop[u, v] == Self.ramp[29 - v, 10 + u], "\(u), \(v)")
        }
    }

    @Test("what lies outside of the frame is black, and colours stay")
    func outside() throws {
        let color = Image(width: 8, height: 8, channels: 3, pixels: [UInt8](repeating: 200, count: 192))
        let crop = try Cropper.crop(color, Self.box(-8, 0, 16, 8), width: 16, height: 8)
        #expect(crop[2, 4, 0] == 0 && crop[12, 4, 2] == 200)
        #expect(Cropper.black(width: 4, height: 2)[3, 1, 2] == 0)
    }

    @Test("corners that are none are refused")
    func refused() {
        #expect(throws: MediaError.self) { try Cropper.crop(Self.ramp, [SIMD2(0, 0)], width: 4, height: 4) }
        #expect(throws: MediaError.self) {
            try Cropper.crop(Self.ramp, Self.box(.nan, 0, 4, 4), width: 4, height: 4)
        }
    }
}
