import Jobs
import Testing

@testable import Workers

@Suite("The size of crops")
struct CropSizeTests {
    @Test(
        "is the first box's, even, with sides that an encoder takes, and keeps the box's shape where it is cut down",
        arguments: [
            (107.0, 87.0, 108, 88), (40, 40, 40, 40), (40.9, 39.2, 40, 40), (4, 6, 16, 16), (1_024, 512, 512, 256),
            (2_000, 20, 512, 16), (600, 600, 512, 512), (.nan, .infinity, 16, 16),
        ] as [(Double, Double, Int, Int)])
    func size(boxWidth: Double, boxHeight: Double, width: Int, height: Int) {
        let size = CropSize(PixelBox(x: 0, y: 0, width: boxWidth, height: boxHeight))
        #expect(size.width == width && size.height == height, "\(size)")
    }
}
