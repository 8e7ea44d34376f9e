import LucasKanade
import Media
import ServiceHarness
import Testing

@Suite("Frames of a video")
struct VideoTests {
    private let folder: TemporaryFolder
    private let video: MediaInput

    init() throws {
        folder = try TemporaryFolder()
        let path = folder.file("clip.mp4")
        try TestVideo.write(to: path)
        video = .video(path: path)
    }

    @Test("every frame comes once, in order, with its pixels and time")
    func deliversAll() throws {
        let source = try TestDecoder.open(video, DecodeRequest(color: true))
        #expect(source.info.width == 96)
        #expect(source.info.height == 64)
        #expect(source.info.frameCount == TestVideo.frameCount)
        #expect(abs(source.info.frameRate - 25) < 0.01)
        #expect(source.info.isColor)
        #expect(!source.info.codec.isEmpty)
        let base = source.info.timeBase
        let frames = try source.remaining()
        #expect(frames.map(\.index) == Array(0..<TestVideo.frameCount))
        for frame in frames {
            #expect(abs(frame.time - Double(frame.index) / 25) < 1e-4)
            #expect(frame.time == Double(frame.pts) * Double(base.numerator) / Double(base.denominator))
            #expect(try #require(frame.color).meanDifference(from: TestPicture.color(frame.index)) < 4)
        }
        #expect(try source.next() == nil)
    }

    @Test("grey is the same whether colour was asked for or not, and but for rounding the luma of the colour")
    func grayIsLuma() throws {
        let plain = try TestDecoder.open(video, DecodeRequest(stop: 5)).remaining()
        let colored = try TestDecoder.open(video, DecodeRequest(stop: 5, color: true)).remaining()
        for (a, b) in zip(plain, colored) {
            #expect(a.color == nil)
            #expect(a.gray.pixels == b.gray.pixels)
            let bgr = try #require(b.color).pixels
            for (index, gray) in b.gray.pixels.enumerated() {
                let (blue, green, red) = (bgr[3 * index], bgr[3 * index + 1], bgr[3 * index + 2])
                let luma = 0.114 * Double(blue) + 0.587 * Double(green) + 0.299 * Double(red)
                #expect(abs(luma - Double(gray)) <= 2.5)
            }
        }
    }

    @Test("a range with a step gives exactly its frames, equal to those of a full run")
    func ranges() throws {
        let all = try TestDecoder.open(video).remaining()
        for (start, stop, step) in [(0, 1, 1), (7, 8, 1), (5, 40, 7), (59, nil, 1), (50, 1000, 3), (3, nil, 1000)] {
            let request = DecodeRequest(start: start, stop: stop, step: step)
            let frames = try TestDecoder.open(video, request).remaining()
            let expected = Array(stride(from: start, to: min(stop ?? 60, 60), by: step))
            #expect(frames.map(\.index) == expected)
            for frame in frames {
                #expect(frame.gray.pixels == all[frame.index].gray.pixels)
                #expect(frame.pts == all[frame.index].pts)
            }
        }
    }

    @Test(
        "a range without frames is an error",
        arguments: [(60, nil, 1), (5, 5, 1), (5, 3, 1), (0, nil, 0), (-1, nil, 1), (0, nil, -2)] as [(Int, Int?, Int)])
    func emptyRanges(start: Int, stop: Int?, step: Int) throws {
        let request = DecodeRequest(start: start, stop: stop, step: step)
        let error = mediaError { _ = try TestDecoder.open(video, request).remaining() }
        #expect(error?.code == .noFrames)
    }

    @Test("frames may be kept for as long as one likes, more than the ring has slots, with their pixels unchanged")
    func keepsFrames() throws {
        var kept: [Frame] = []
        do {
            let source = try TestDecoder.open(video)
            while let frame = try source.next() { kept.append(frame) }
        }
        let again = try TestDecoder.open(video)
        while let frame = try again.next() { #expect(frame.gray.pixels == kept[frame.index].gray.pixels) }
    }

    @Test("limits on pixels and frames are kept")
    func limits() throws {
        func code(_ limits: DecodeLimits) -> MediaError.Code? {
            mediaError { _ = try TestDecoder.open(video, DecodeRequest(limits: limits)).remaining() }?.code
        }
        #expect(code(DecodeLimits(pixels: 96 * 64)) == nil)
        #expect(code(DecodeLimits(pixels: 96 * 64 - 1)) == .limitExceeded)
        #expect(code(DecodeLimits(frames: 60)) == nil)
        #expect(code(DecodeLimits(frames: 59)) == .limitExceeded)
    }

    @Test("AVI is read and timed too")
    func avi() throws {
        let path = folder.file("clip.avi")
        try TestVideo.write(to: path, container: .avi)
        let source = try TestDecoder.open(.video(path: path), DecodeRequest(color: true))
        let frames = try source.remaining()
        #expect(frames.map(\.pts) == (0..<60).map { Int64($0) })
        #expect(frames.allSatisfy { abs($0.time - Double($0.index) / 25) < 1e-9 })
        #expect(source.info.codec == "mjpeg")
    }
}

@Suite("Input that is no video")
struct WrongVideoTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @Test(
        "text, playlists and nothing named .mp4 are refused and read nothing else",
        arguments: [
            "", "just text", "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nother.mp4\n#EXT-X-ENDLIST\n",
            "ffconcat version 1.0\nfile 'other.mp4'\n", "<?xml version=\"1.0\"?>\n<MPD/>",
        ])
    func refusesText(text: String) throws {
        try TestVideo.write(to: folder.file("other.mp4"), frames: 3)
        let path = try folder.write(Array(text.utf8), to: "clip.mp4")
        let error = try #require(mediaError { _ = try TestDecoder.open(.video(path: path)) })
        #expect(error.code == .undecodable)
        let unrecognised = try #require(mediaError { _ = try MediaInput.recognise(path: path) })
        #expect(unrecognised.code == .undecodable)
        #expect(unrecognised.message.hasPrefix("cannot read \(path): "))
    }

    @Test("a playlist behind the signature of a container reads nothing else")
    func refusesDisguisedPlaylist() throws {
        try TestVideo.write(to: folder.file("other.mp4"), frames: 3)
        let disguises = ["\0\0\0\u{18}ftypisom", "RIFF\0\0\0\0AVI ", "\u{1A}E"]
        for disguise in disguises {
            let playlist = "\n#EXTM3U\n#EXTINF:1,\nother.mp4\n#EXT-X-ENDLIST\n"
            let path = try folder.write(Array((disguise + playlist).utf8), to: "clip.mp4")
            #expect(mediaError { _ = try TestDecoder.open(.video(path: path)).remaining() }?.code == .undecodable)
        }
    }

    @Test("what is not there is not found, and a folder, a pipe or an archive is no video")
    func refusesOtherKinds() throws {
        func code(_ input: MediaInput) -> MediaError.Code? { mediaError { _ = try TestDecoder.open(input) }?.code }
        #expect(code(.video(path: folder.file("none.mp4"))) == .notFound)
        #expect(code(.folder(path: folder.file("none"))) == .notFound)
        #expect(code(.video(path: folder.path)) == .undecodable)
        #expect(code(.video(path: "/dev/zero")) == .undecodable)
        let tar = try folder.write(TestArchive.tar([.init(name: "1.png")]), to: "clip.tar")
        #expect(code(.video(path: tar)) == .undecodable)
        #expect(code(.folder(path: tar)) == .undecodable)
        #expect(code(.archive(path: folder.path)) == .undecodable)
        #expect(try MediaInput.recognise(path: tar) == .archive(path: tar))
        #expect(try MediaInput.recognise(path: folder.path) == .folder(path: folder.path))
        let image = try folder.write(ImageCodec.png(TestPicture.gray(0)), to: "one.png")
        #expect(mediaError { _ = try MediaInput.recognise(path: image) }?.code == .undecodable)
    }

    @Test("a damaged video ends in frames or in an error, but ends")
    func damagedVideo() throws {
        let path = folder.file("whole.mp4")
        try TestVideo.write(to: path, frames: 20)
        let bytes = try readBytes(path)
        var generator = SeededGenerator(state: 7)
        for round in 0..<12 {
            var damaged = bytes
            for _ in 0..<(1 + round * 4) {
                damaged[Int.random(in: 8..<bytes.count, using: &generator)] = UInt8.random(
                    in: 0...255, using: &generator)
            }
            let file = try folder.write(damaged, to: "damaged.mp4")
            let outcome = Result { try TestDecoder.open(.video(path: file)).remaining().count }
            switch outcome {
            case .success(let count): #expect((1...20).contains(count))
            case .failure(let error): #expect((error as? MediaError)?.message.isEmpty == false)
            }
        }
    }

    @Test("a container without a video stream says so")
    func noVideoStream() throws {
        // A Matroska file of nothing but its header: EBML, DocType "matroska", an empty segment.
        let header: [UInt8] =
            [0x1A, 0x45, 0xDF, 0xA3, 0x8B, 0x42, 0x82, 0x88] + Array("matroska".utf8)
            + [0x18, 0x53, 0x80, 0x67, 0x80]
        let path = try folder.write(header, to: "empty.mkv")
        #expect(mediaError { _ = try TestDecoder.open(.video(path: path)) }?.code == .undecodable)
    }
}
