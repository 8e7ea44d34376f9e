import CLinux
import Foundation
import LucasKanade
import Media
import Testing

@Suite("Encoding")
struct EncoderTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @Test(
        "every frame is there again, whatever the size, and only the file itself stays behind",
        arguments: [VideoContainer.mp4, .avi], [(64, 48), (63, 47), (161, 90), (2, 2), (1, 1)])
    func roundTrip(container: VideoContainer, size: (Int, Int)) throws {
        let path = folder.file("out")
        try TestVideo.write(to: path, container: container, frames: 33, width: size.0, height: size.1)
        #expect(folder.names == ["out"])
        let source = try TestDecoder.open(.video(path: path), DecodeRequest(color: true))
        #expect(source.info.width == size.0 + size.0 % 2)
        #expect(source.info.height == size.1 + size.1 % 2)
        let frames = try source.remaining()
        #expect(frames.count == 33)
        guard size.0 > 16 else { return }
        for frame in frames {
            let expected = TestPicture.color(frame.index, width: size.0, height: size.1)
            let decoded = try #require(frame.color)
            for (x, y) in [(5, 5), (size.0 - 1, size.1 - 1), (size.0 / 2, size.1 / 2)] {
                #expect(abs(Int(decoded[x, y, 1]) - Int(expected[x, y, 1])) < 24)
            }
        }
    }

    @Test("MP4 is H.264 with its index before its pictures, so that a browser can start at once")
    func isPlayable() throws {
        let path = folder.file("out.mp4")
        try TestVideo.write(to: path, frames: 10)
        let bytes = try readBytes(path)
        func position(_ box: String) -> Int? {
            let type = Array(box.utf8)
            return bytes.indices.dropLast(4).first { bytes[$0..<($0 + 4)].elementsEqual(type) }
        }
        let index = try #require(position("moov"))
        #expect(index < (try #require(position("mdat"))))
        #expect(position("avc1") != nil)
        #expect(try TestDecoder.open(.video(path: path)).info.codec == "h264")
    }

    @Test("the same frames give the same bytes")
    func isDeterministic() throws {
        for container in [VideoContainer.mp4, .avi] {
            try TestVideo.write(to: folder.file("a"), container: container, frames: 12)
            try TestVideo.write(to: folder.file("b"), container: container, frames: 12)
            #expect(try readBytes(folder.file("a")) == readBytes(folder.file("b")))
        }
    }

    /// glibc fills what it gives with the value (mallopt(3)). Widths of 10 and 20 macroblocks are no multiple of the
    /// eight that x264 takes at a time.
    @Test(
        "the same frames give the same bytes, whatever lay in memory",
        .disabled(if: clinux_is_sanitized(), "sanitizers have an allocator of their own"),
        arguments: ["160x120", "320x240"], ["mp4", "avi"])
    func isIndependentOfMemory(size: String, container: String) throws {
        let videos = try ["85", "170"].map { fill in
            let process = Process()
            process.executableURL = URL(fileURLWithPath: TestDecoder.command.executable)
            process.arguments = ["synth", folder.file("\(fill).\(container)"), "--frames", "30", "--size", size]
            process.environment = ProcessInfo.processInfo.environment.merging(["MALLOC_PERTURB_": fill]) { $1 }
            process.standardOutput = FileHandle.nullDevice
            try process.run()
            process.waitUntilExit()
            #expect(process.terminationStatus == 0)
            return try readBytes(folder.file("\(fill).\(container)"))
        }
        #expect(videos[0] == videos[1])
    }

    @Test("an encoder that is dropped, aborted or without frames leaves nothing behind")
    func leavesNothing() throws {
        func encoder() throws -> VideoEncoder {
            try VideoEncoder(path: folder.file("out.mp4"), container: .mp4, width: 96, height: 64, frameRate: 25)
        }
        do {
            let dropped = try encoder()
            try dropped.append(TestPicture.color(0))
        }
        #expect(folder.names.isEmpty)
        let aborted = try encoder()
        try aborted.append(TestPicture.color(0))
        aborted.abort()
        #expect(folder.names.isEmpty)
        #expect(mediaError { try aborted.append(TestPicture.color(1)) }?.code == .cannotWrite)
        let empty = try encoder()
        #expect(mediaError { try empty.finish() }?.code == .cannotWrite)
        #expect(folder.names.isEmpty)
    }

    @Test("what cannot be written says so")
    func failures() throws {
        func code(_ path: String, _ container: VideoContainer = .mp4, _ width: Int = 96) -> MediaError.Code? {
            mediaError {
                let encoder = try VideoEncoder(
                    path: path, container: container, width: width, height: 64, frameRate: 25)
                try encoder.append(TestPicture.color(0))
                try encoder.finish()
            }?.code
        }
        #expect(code(folder.file("none/out.mp4")) == .cannotWrite)
        #expect(code(folder.file("out.mkv"), .matroska) == .cannotWrite)
        // The video would take the pipe's place.
        #expect(mkfifo(folder.file("pipe.mp4"), 0o600) == 0)
        #expect(code(folder.file("pipe.mp4")) == .cannotWrite)
        #expect(folder.names == ["pipe.mp4"])
        unlink(folder.file("pipe.mp4"))
        #expect(code(folder.file("out.mp4"), .mp4, 0) == .cannotWrite)
        #expect(code(folder.file("out.mp4"), .mp4, 95) == .cannotWrite)
        #expect(code(folder.path) == .cannotWrite)
        #expect(folder.names.isEmpty)
    }

    @Test("a place that cannot be written to is blamed, and not the codec")
    func unwritablePlace() throws {
        let file = try folder.write([0], to: "file")
        let places = [
            (folder.file("none/out.mp4"), "No such file or directory"), (file + "/out.mp4", "Not a directory"),
        ]
        for (path, reason) in places {
            let error = mediaError {
                _ = try VideoEncoder(path: path, container: .mp4, width: 96, height: 64, frameRate: 25)
            }
            #expect(error?.code == .cannotWrite)
            #expect(error?.message == "cannot write \(path): \(reason)")
        }
    }

    @Test("odd frame rates and times do no harm", arguments: [0, -1, .nan, .infinity, 1e9, 29.97, 0.5])
    func frameRates(rate: Double) throws {
        let path = folder.file("out.mp4")
        let encoder = try VideoEncoder(path: path, container: .mp4, width: 96, height: 64, frameRate: rate)
        for frame in 0..<5 { try encoder.append(TestPicture.color(frame), time: frame == 3 ? .nan : nil) }
        try encoder.finish()
        #expect(try TestDecoder.open(.video(path: path)).remaining().count == 5)
    }

    @Test("a picture is the same after PNG, nearly so after JPEG, and is resized")
    func pictures() throws {
        let image = TestPicture.color(2)
        try folder.write(ImageCodec.png(image), to: "1.png")
        try folder.write(ImageCodec.jpeg(image, quality: 95), to: "2.jpg")
        let frames = try TestDecoder.open(.folder(path: folder.path), DecodeRequest(color: true)).remaining()
        #expect(try #require(frames[0].color).pixels == image.pixels)
        #expect(try #require(frames[1].color).meanDifference(from: image) < 3)
        let half = try ImageCodec.resized(image, width: 48, height: 32)
        #expect((half.width, half.height, half.channels) == (48, 32, 3))
        #expect(abs(Int(half[40, 28, 1]) - Int(image[80, 56, 1])) < 4)
        #expect(mediaError { _ = try ImageCodec.resized(image, width: 0, height: 5) } != nil)
        #expect(mediaError { _ = try ImageCodec.resized(image, width: Int.max, height: 5) } != nil)
    }
}

@Suite("Annotation")
struct AnnotationTests {
    private static let red = Overlay.Color(red: 255, green: 0, blue: 0)

    private func changed(_ overlays: [Overlay], on frame: Image = TestPicture.gray(0, width: 200, height: 150)) throws
        -> Set<SIMD2<Int>>
    {
        let before = try Annotator.draw([], on: frame)
        let after = try Annotator.draw(overlays, on: frame)
        var pixels: Set<SIMD2<Int>> = []
        for y in 0..<frame.height {
            for x in 0..<frame.width where (0..<3).contains(where: { before[x, y, $0] != after[x, y, $0] }) {
                pixels.insert(SIMD2(x, y))
            }
        }
        return pixels
    }

    @Test("without overlays the copy is the frame, in colour")
    func copies() throws {
        let gray = TestPicture.gray(0)
        #expect(try Annotator.draw([], on: gray).pixels == gray.pixels.flatMap { [$0, $0, $0] })
        let color = TestPicture.color(0)
        #expect(try Annotator.draw([], on: color).pixels == color.pixels)
    }

    @Test("a box is drawn along its sides in its colour, and the frame is left as it was")
    func box() throws {
        let frame = TestPicture.gray(0, width: 200, height: 150)
        let before = frame.pixels
        let overlay = Overlay(x: 50, y: 40, width: 80, height: 60, color: Self.red)
        let pixels = try changed([overlay], on: frame)
        #expect(frame.pixels == before)
        for point in [SIMD2(50, 70), SIMD2(130, 70), SIMD2(90, 40), SIMD2(90, 100)] { #expect(pixels.contains(point)) }
        for point in [SIMD2(90, 70), SIMD2(20, 20), SIMD2(160, 120)] { #expect(!pixels.contains(point)) }
        let drawn = try Annotator.draw([overlay], on: frame)
        #expect((drawn[50, 70, 0], drawn[50, 70, 1], drawn[50, 70, 2]) == (0, 0, 255))
    }

    @Test("dashes leave gaps, labels and trails add to it")
    func styles() throws {
        let plain = try changed([Overlay(x: 50, y: 40, width: 80, height: 60, color: Self.red)])
        let dashed = try changed([Overlay(x: 50, y: 40, width: 80, height: 60, color: Self.red, isDashed: true)])
        #expect(dashed.count < plain.count * 3 / 4 && dashed.count > plain.count / 4)
        let labeled = try changed([Overlay(x: 50, y: 40, width: 80, height: 60, label: "car 1", color: Self.red)])
        #expect(labeled.count > plain.count + 100)
        let trail = [SIMD2(10.0, 140.0), SIMD2(100, 140), SIMD2(190, 120)]
        let trailed = try changed([Overlay(x: 50, y: 40, width: 80, height: 60, color: Self.red, trail: trail)])
        #expect(trailed.contains(SIMD2(60, 140)))
    }

    @Test("what lies outside, is not finite or is not ASCII does no harm")
    func oddities() throws {
        let numbers: [Double] = [-1e300, 1e300, .nan, .infinity, -.infinity, -5, 1e9, 0]
        for (index, number) in numbers.enumerated() {
            let other = numbers[(index + 3) % numbers.count]
            let overlay = Overlay(
                x: number, y: other, width: other, height: number, label: "größe\n\u{1F697}\(number)", color: Self.red,
                isDashed: index % 2 == 0, trail: [SIMD2(number, other), SIMD2(0, 0), SIMD2(other, number)])
            let image = try Annotator.draw([overlay], on: TestPicture.gray(0))
            #expect(image.width == 48)
        }
        let tiny = try Annotator.draw(
            [Overlay(x: 0, y: 0, width: 1, height: 1, label: "label", color: Self.red)],
            on: TestPicture.gray(0, width: 1, height: 1))
        #expect(tiny.width == 1)
        #expect(Overlay.Color.palette(Int.min) == Overlay.Color.palette(0))
    }

    @Test("a video is played again with its overlays, at its own times")
    func rendersVideo() throws {
        let folder = try TemporaryFolder()
        let times = (0..<30).map { Double($0) / 25 + ($0 > 10 ? 0.5 : 0) }
        try TestVideo.write(to: folder.file("in.mp4"), frames: 30) { times[$0] }
        let source = try TestDecoder.open(.video(path: folder.file("in.mp4")), DecodeRequest(color: true))
        let encoder = try VideoEncoder(
            path: folder.file("out.mp4"), container: .mp4, width: 96, height: 64, frameRate: source.info.frameRate)
        try AnnotatedVideo.render(source: source, encoder: encoder) { frame in
            [Overlay(x: 20, y: 20, width: 40, height: 30, color: Self.red, isDashed: frame.index > 20)]
        }
        #expect(Set(folder.names) == ["in.mp4", "out.mp4"])
        let frames = try TestDecoder.open(.video(path: folder.file("out.mp4")), DecodeRequest(color: true)).remaining()
        #expect(frames.count == 30)
        for (frame, time) in zip(frames, times) { #expect(abs(frame.time - time) < 1e-4) }
        #expect(try #require(frames[5].color)[20, 35, 2] > 150)
    }

    @Test("an error of the source ends the video without a file")
    func rendersNothingOnError() throws {
        let folder = try TemporaryFolder()
        try TestVideo.write(to: folder.file("in.mp4"), frames: 30)
        let source = try TestDecoder.open(.video(path: folder.file("in.mp4")))
        let encoder = try VideoEncoder(
            path: folder.file("out.mp4"), container: .mp4, width: 96, height: 64, frameRate: 25)
        let error = mediaError {
            try AnnotatedVideo.render(source: source, encoder: encoder) { frame throws(MediaError) in
                if frame.index == 3 { source.cancel() }
                return []
            }
        }
        #expect(error?.code == .canceled)
        #expect(folder.names == ["in.mp4"])
    }
}
