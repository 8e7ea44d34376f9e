import Media
import Testing

@Suite("Real recordings", .enabled(if: TestData.isThere))
struct RealVideoTests {
    @Test("vtest.avi has 795 frames of 768x576, 10 a second")
    func pedestrians() throws {
        let source = try TestDecoder.open(.video(path: TestData.path("videos/vtest.avi")))
        #expect((source.info.width, source.info.height, source.info.frameCount) == (768, 576, 795))
        #expect(source.info.frameRate == 10)
        #expect(source.info.isColor)
        var count = 0
        while let frame = try source.next() {
            #expect(frame.index == count && frame.pts == Int64(count))
            #expect(abs(frame.time - Double(count) / 10) < 1e-9)
            count += 1
        }
        #expect(count == 795)
    }

    @Test("tree.avi leaves out most of the places in time that its header counts")
    func tree() throws {
        let path = try TestData.path("videos/tree.avi")
        let frames = try TestDecoder.open(.video(path: path)).remaining()
        #expect(frames.count == 68)
        #expect(frames[1].pts == 11)
        if FFmpeg.isInstalled { #expect(frames.map(\.pts) == (try FFmpeg.stamps(path))) }
    }

    @Test("an OTB folder is grey or colour, and complete", arguments: [("Car4", 659, false), ("Bolt2", 293, true)])
    func sequences(name: String, count: Int, isColor: Bool) throws {
        let source = try TestDecoder.open(.folder(path: TestData.path("sequences/\(name)")))
        #expect(source.info.frameCount == count)
        #expect(source.info.isColor == isColor)
        #expect(source.info.codec == "jpeg")
        var frames = 0
        while try source.next() != nil { frames += 1 }
        #expect(frames == count)
    }
}
