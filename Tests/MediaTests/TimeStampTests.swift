import LucasKanade
import Media
import Testing

@Suite("Times and orientation are the container's own")
struct TimeStampTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @Test("a variable frame rate survives encoding and decoding")
    func variableRate() throws {
        let times = (0..<40).map { (frame: Int) -> Double in
            let jitter = frame % 3 == 0 ? 0.011 : 0
            return Double(frame) / 30 + jitter + Double(frame / 7) * 0.13
        }
        let path = folder.file("vfr.mp4")
        try TestVideo.write(to: path, frames: times.count) { times[$0] }
        let source = try TestDecoder.open(.video(path: path), DecodeRequest(color: true))
        let frames = try source.remaining()
        #expect(frames.count == times.count)
        for (frame, time) in zip(frames, times) {
            #expect(abs(frame.time - (time - times[0])) < 1.0 / 90000)
            #expect(try #require(frame.color).meanDifference(from: TestPicture.color(frame.index)) < 4)
        }
        let mean = Double(times.count - 1) / (times[times.count - 1] - times[0])
        #expect(abs(source.info.frameRate / mean - 1) < 0.03)
    }

    /// Names of files and how FFmpeg makes them from a test pattern of 3 s.
    static let recipes: [(String, [String])] = [
        ("b-frames.mp4", ["-c:v", "libx264", "-bf", "3"]),
        ("vfr.mp4", ["-vf", "select='not(mod(n,3))+gt(mod(n,7),4)'", "-vsync", "vfr", "-c:v", "libx264", "-bf", "3"]),
        ("vfr.mkv", ["-vf", "select='not(mod(n,3))+gt(mod(n,7),4)'", "-vsync", "vfr", "-c:v", "libx264", "-bf", "3"]),
        ("hidden-frames.webm", ["-c:v", "libvpx", "-auto-alt-ref", "1", "-lag-in-frames", "16", "-b:v", "300k"]),
        ("fragments.mp4", ["-c:v", "libx264", "-movflags", "frag_keyframe+empty_moov"]),
        ("ntsc.mkv", ["-r", "30000/1001", "-c:v", "libx264"]),
        ("mpeg4.mov", ["-c:v", "mpeg4", "-bf", "2"]),
    ]

    @Test("time stamps are those that FFmpeg's own decoder gives", .enabled(if: FFmpeg.isInstalled), arguments: recipes)
    func equalsFFmpeg(name: String, options: [String]) throws {
        let path = folder.file(name)
        try FFmpeg.run(["-f", "lavfi", "-i", "testsrc2=size=160x120:rate=30:duration=3"] + options + [path])
        let frames = try TestDecoder.open(.video(path: path)).remaining()
        #expect(frames.map(\.pts) == (try FFmpeg.stamps(path)))
        #expect(frames.count > 30)
    }

    @Test("what an edit list cuts off is left out", .enabled(if: FFmpeg.isInstalled))
    func editList() throws {
        try FFmpeg.run([
            "-f", "lavfi", "-i", "testsrc2=size=160x120:rate=30:duration=3", "-c:v", "libx264", folder.file("long.mp4"),
        ])
        let path = folder.file("cut.mp4")
        try FFmpeg.run(["-ss", "1.1", "-i", folder.file("long.mp4"), "-c", "copy", path])
        let frames = try TestDecoder.open(.video(path: path)).remaining()
        #expect(frames.map(\.pts) == (try FFmpeg.stamps(path)))
        #expect(frames.count < 60)
    }

    @Test("AVI with B-frames loses none, and the first is at time 0", .enabled(if: FFmpeg.isInstalled))
    func aviBFrames() throws {
        let path = folder.file("b-frames.avi")
        try FFmpeg.run([
            "-f", "lavfi", "-i", "testsrc2=size=160x120:rate=30:duration=3", "-c:v", "mpeg4", "-bf", "2", path,
        ])
        let frames = try TestDecoder.open(.video(path: path)).remaining()
        #expect(frames.map(\.pts) == (0..<90).map { Int64($0) })
    }

    /// The third is too large to be decoded under the limit.
    @Test(
        "a change of size inside a video names the frame", .enabled(if: FFmpeg.isInstalled),
        arguments: ["128x96", "176x144", "1280x960"])
    func sizeChange(other: String) throws {
        // Longer than FFmpeg looks ahead for a stream's parameters.
        for (name, size, seconds) in [("a.h264", "160x120", 7), ("b.h264", other, 1)] {
            try FFmpeg.run([
                "-f", "lavfi", "-i", "testsrc2=size=\(size):rate=30:duration=\(seconds)", "-c:v", "libx264",
                "-bf", "0", folder.file(name),
            ])
        }
        let joined = try folder.write(
            readBytes(folder.file("a.h264")) + readBytes(folder.file("b.h264")), to: "joined.h264")
        let path = folder.file("joined.mkv")
        try FFmpeg.run(["-r", "30", "-i", joined, "-c", "copy", path])
        let limits = DecodeLimits(pixels: 160 * 120)
        let source = try TestDecoder.open(.video(path: path), DecodeRequest(limits: limits))
        var count = 0
        let error = mediaError { while try source.next() != nil { count += 1 } }
        #expect(error?.code == .sizeChanged)
        #expect(error?.frame == 210)
        #expect(count == 210)
    }

    /// The display matrix (a, b, c, d), and where it puts a pixel of a picture of 96x64.
    static let orientations: [([Int32], @Sendable (Int, Int) -> (Int, Int))] = [
        ([1, 0, 0, 1], { x, y in (x, y) }),
        ([0, 1, -1, 0], { x, y in (63 - y, x) }),
        ([-1, 0, 0, -1], { x, y in (95 - x, 63 - y) }),
        ([0, -1, 1, 0], { x, y in (y, 95 - x) }),
        ([-1, 0, 0, 1], { x, y in (95 - x, y) }),
        ([1, 0, 0, -1], { x, y in (x, 63 - y) }),
        ([0, 1, 1, 0], { x, y in (y, x) }),
    ]

    @Test("a turned or mirrored video is decoded as it is displayed", arguments: 0..<orientations.count)
    func orientation(number: Int) throws {
        let (matrix, map) = Self.orientations[number]
        let plain = folder.file("plain.mp4")
        try TestVideo.write(to: plain, frames: 2)
        let turned = try folder.write(withDisplayMatrix(matrix, try readBytes(plain)), to: "turned.mp4")
        let before = try #require(try TestDecoder.open(.video(path: plain), DecodeRequest(color: true)).next())
        let source = try TestDecoder.open(.video(path: turned), DecodeRequest(color: true))
        let after = try #require(try source.next())
        let isTransposed = matrix[0] == 0
        #expect(source.info.width == (isTransposed ? 64 : 96))
        #expect(source.info.height == (isTransposed ? 96 : 64))
        #expect(after.gray.width == source.info.width)
        for y in stride(from: 0, to: 64, by: 3) {
            for x in stride(from: 0, to: 96, by: 5) {
                let (mapX, mapY) = map(x, y)
                #expect(after.gray[mapX, mapY] == before.gray[x, y])
                #expect(try #require(after.color)[mapX, mapY, 2] == #require(before.color)[x, y, 2])
            }
        }
    }

    /// Rewrites the matrix of the track header box (ISO/IEC 14496-12, 8.3.2), version 0.
    private func withDisplayMatrix(_ matrix: [Int32], _ bytes: [UInt8]) throws -> [UInt8] {
        let type = Array("tkhd".utf8)
        let start = try #require(bytes.indices.dropLast(4).first { Array(bytes[$0..<($0 + 4)]) == type })
        var result = bytes
        for (value, offset) in zip(matrix, [0, 4, 12, 16]) {
            let position = start + 4 + 40 + offset
            withUnsafeBytes(of: (value * 65536).bigEndian) {
                result.replaceSubrange(position..<(position + 4), with: $0)
            }
        }
        return result
    }
}
