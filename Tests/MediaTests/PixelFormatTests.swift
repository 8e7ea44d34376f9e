import Foundation
import LucasKanade
import Media
import Testing

/// FFmpeg's own conversions are the second opinion.
@Suite("Grey and colour of every kind of pixel", .enabled(if: FFmpeg.isInstalled))
struct PixelFormatTests {
    struct Recipe: CustomTestStringConvertible, Sendable {
        let name: String
        let options: [String]
        /// How far grey may be from FFmpeg's: 0 where luma is taken as it is.
        var tolerance = 1
        var testDescription: String { name }
    }

    private static func lossless(_ format: String, range: String = "tv") -> [String] {
        ["-vf", "scale=out_range=\(range),format=\(format)", "-color_range", range, "-c:v", "ffv1"]
    }

    static let luma: [Recipe] = [
        Recipe(name: "420.mkv", options: lossless("yuv420p")),
        Recipe(name: "422.mkv", options: lossless("yuv422p")),
        Recipe(name: "444.mkv", options: lossless("yuv444p")),
        Recipe(name: "411.mkv", options: lossless("yuv411p")),
        Recipe(name: "alpha.mkv", options: lossless("yuva420p")),
        Recipe(name: "gray.mkv", options: lossless("gray", range: "pc"), tolerance: 0),
        Recipe(name: "full.mkv", options: lossless("yuv420p", range: "pc"), tolerance: 0),
        Recipe(name: "ten-bits.mkv", options: lossless("yuv420p10le")),
        Recipe(name: "packed.avi", options: ["-pix_fmt", "yuyv422", "-c:v", "rawvideo"]),
        Recipe(name: "nv12.avi", options: ["-pix_fmt", "nv12", "-c:v", "rawvideo"]),
        Recipe(name: "mjpeg.avi", options: ["-pix_fmt", "yuvj422p", "-c:v", "mjpeg"], tolerance: 0),
        Recipe(name: "full.mp4", options: ["-pix_fmt", "yuvj420p", "-c:v", "libx264"], tolerance: 0),
        Recipe(name: "h264-444.mp4", options: ["-pix_fmt", "yuv444p", "-c:v", "libx264"]),
        Recipe(name: "vp9.webm", options: ["-pix_fmt", "yuv420p", "-c:v", "libvpx-vp9", "-deadline", "realtime"]),
    ]

    /// The picture has sides that no vector divides.
    private static let width = 118
    private static let height = 86

    private func make(_ recipe: Recipe, in folder: TemporaryFolder) throws -> String {
        let path = folder.file(recipe.name)
        let pattern = "testsrc2=size=\(Self.width)x\(Self.height):rate=30:duration=0.2"
        try FFmpeg.run(["-f", "lavfi", "-i", pattern] + recipe.options + [path])
        return path
    }

    @Test("grey is the luma that FFmpeg finds", arguments: luma)
    func grayEqualsFFmpeg(recipe: Recipe) throws {
        let folder = try TemporaryFolder()
        let path = try make(recipe, in: folder)
        let expected = try FFmpeg.pixels(path, format: "gray")
        for color in [false, true] {
            let frames = try TestDecoder.open(.video(path: path), DecodeRequest(color: color)).remaining()
            let gray = frames.flatMap(\.gray.pixels)
            #expect(frames.count == 6 && gray.count == expected.count)
            #expect(largestDifference(gray, expected) <= recipe.tolerance)
        }
    }

    @Test("colour is what FFmpeg makes of it", arguments: luma)
    func colorEqualsFFmpeg(recipe: Recipe) throws {
        let folder = try TemporaryFolder()
        let path = try make(recipe, in: folder)
        let expected = try FFmpeg.pixels(path, format: "bgr24")
        let source = try TestDecoder.open(.video(path: path), DecodeRequest(color: true))
        #expect(source.info.isColor == (recipe.name != "gray.mkv"))
        let pixels = try source.remaining().flatMap { try #require($0.color).pixels }
        #expect(pixels.count == expected.count)
        // Chroma of half the resolution is spread otherwise, which shows at edges.
        let sum = zip(pixels, expected).reduce(0) { $0 + abs(Int($1.0) - Int($1.1)) }
        #expect(Double(sum) / Double(expected.count) < 3)
    }

    static let colors: [Recipe] = [
        Recipe(name: "rgb.mkv", options: ["-pix_fmt", "bgr0", "-c:v", "ffv1"]),
        Recipe(name: "planar.mp4", options: ["-pix_fmt", "rgb24", "-c:v", "libx264rgb", "-qp", "0"]),
        Recipe(name: "palette.avi", options: ["-pix_fmt", "pal8", "-c:v", "rawvideo"]),
    ]

    @Test("video without luma becomes grey by its colours", arguments: colors)
    func rgb(recipe: Recipe) throws {
        let folder = try TemporaryFolder()
        let path = try make(recipe, in: folder)
        let expected = try FFmpeg.pixels(path, format: "bgr24")
        let plain = try TestDecoder.open(.video(path: path)).remaining().flatMap(\.gray.pixels)
        let frames = try TestDecoder.open(.video(path: path), DecodeRequest(color: true)).remaining()
        #expect(try frames.flatMap { try #require($0.color).pixels } == expected)
        #expect(frames.flatMap(\.gray.pixels) == plain)
        let luma = stride(from: 0, to: expected.count, by: 3).map { (position: Int) -> UInt8 in
            let blue = 0.114 * Double(expected[position])
            let green = 0.587 * Double(expected[position + 1])
            let red = 0.299 * Double(expected[position + 2])
            return UInt8((blue + green + red).rounded())
        }
        #expect(largestDifference(plain, luma) <= 1)
    }

    @Test("a turned video is turned in grey as in colour, of which its sides need not be even")
    func oddSizes() throws {
        let folder = try TemporaryFolder()
        let plain = folder.file("plain.mp4")
        let turned = folder.file("turned.mp4")
        try FFmpeg.run([
            "-f", "lavfi", "-i", "testsrc2=rate=30:duration=0.1", "-vf", "scale=101:67,format=yuv444p", "-c:v",
            "libx264", plain,
        ])
        try FFmpeg.run(["-i", plain, "-c", "copy", "-metadata:s:v:0", "rotate=90", turned])
        let expected = try FFmpeg.pixels(turned, format: "gray")
        let source = try TestDecoder.open(.video(path: turned))
        #expect((source.info.width, source.info.height) == (67, 101))
        let gray = try source.remaining().flatMap(\.gray.pixels)
        #expect(gray.count == expected.count)
        #expect(largestDifference(gray, expected) <= 1)
    }

    private func largestDifference(_ a: [UInt8], _ b: [UInt8]) -> Int {
        zip(a, b).map { abs(Int($0) - Int($1)) }.max() ?? 0
    }
}
