import Media
import Testing

@Suite("Video of which the end is missing")
struct TruncationTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// The frames that come, and how they end.
    private func read(
        _ path: String, _ request: DecodeRequest = DecodeRequest()
    ) throws -> (frames: [Frame], error: MediaError?) {
        let source = try TestDecoder.open(.video(path: path), request)
        var frames: [Frame] = []
        let error = mediaError { while let frame = try source.next() { frames.append(frame) } }
        return (frames, error)
    }

    /// The first `share` of a file.
    private func cut(_ path: String, to share: Double) throws -> String {
        let bytes = try readBytes(path)
        return try folder.write(Array(bytes.prefix(Int(Double(bytes.count) * share))), to: "cut")
    }

    private func make(_ name: String, _ options: [String]) throws -> String {
        let path = folder.file(name)
        try FFmpeg.run(["-f", "lavfi", "-i", "testsrc2=size=160x120:rate=30:duration=3"] + options + [path])
        return path
    }

    @Test(
        "what is there comes, as in the whole file, then an error names the first frame that is not",
        arguments: [VideoContainer.mp4, .avi], [0.75, 0.9])
    func deliversThenFails(container: VideoContainer, share: Double) throws {
        let whole = folder.file("whole.\(container.rawValue)")
        try TestVideo.write(to: whole, container: container)
        let all = try read(whole)
        #expect(all.frames.count == TestVideo.frameCount && all.error == nil)
        let (frames, error) = try read(cut(whole, to: share))
        #expect((1..<TestVideo.frameCount).contains(frames.count))
        #expect(error?.code == .undecodable)
        #expect(error?.frame == frames.count)
        #expect(error?.message.contains("cut off: \(frames.count) of \(TestVideo.frameCount) frames") == true)
        for (frame, original) in zip(frames, all.frames) {
            #expect(frame.pts == original.pts)
            #expect(frame.gray.pixels == original.gray.pixels)
        }
    }

    @Test("a range that ends before the cut is complete; one that starts after it fails")
    func ranges() throws {
        let whole = folder.file("whole.mp4")
        try TestVideo.write(to: whole)
        let path = try cut(whole, to: 0.8)
        let before = try read(path, DecodeRequest(stop: 5))
        #expect(before.frames.count == 5 && before.error == nil)
        let after = try read(path, DecodeRequest(start: 55))
        #expect(after.frames.isEmpty && after.error?.code == .undecodable)
    }

    @Test("an MP4 that ends in its header cannot be decoded")
    func stub() throws {
        let whole = folder.file("whole.mp4")
        try TestVideo.write(to: whole, frames: 5)
        let path = try folder.write(Array(readBytes(whole).prefix(40)), to: "stub.mp4")
        #expect(mediaError { _ = try TestDecoder.open(.video(path: path)) }?.code == .undecodable)
    }

    static let recipes: [(String, [String])] = [
        ("faststart.mp4", ["-c:v", "libx264", "-bf", "3", "-movflags", "faststart"]),
        ("fragments.mp4", ["-c:v", "libx264", "-g", "15", "-movflags", "frag_keyframe+empty_moov"]),
        (
            "sound-first.mp4",
            [
                "-f", "lavfi", "-i", "sine=duration=3", "-map", "1", "-map", "0", "-c:v", "libx264", "-movflags",
                "faststart",
            ]
        ),
        ("plain.mkv", ["-c:v", "libx264", "-g", "15", "-bf", "3"]),
        ("hidden-frames.webm", ["-c:v", "libvpx", "-auto-alt-ref", "1", "-lag-in-frames", "16", "-b:v", "300k"]),
        ("b-frames.avi", ["-c:v", "mpeg4", "-bf", "2"]),
    ]

    @Test("every container tells it", .enabled(if: FFmpeg.isInstalled), arguments: recipes)
    func containers(name: String, options: [String]) throws {
        let whole = try make(name, options)
        let all = try read(whole)
        #expect(all.frames.count == 90 && all.error == nil)
        for share in [0.6, 0.95] {
            let (frames, error) = try read(cut(whole, to: share))
            #expect((1..<90).contains(frames.count))
            #expect(error?.code == .undecodable && error?.frame == frames.count)
            #expect(error?.message.contains("cut off") == true)
        }
    }

    static let wholeRecipes: [(String, [String])] = [
        ("dropped-places.avi", ["-vf", "select='not(mod(n,3))'", "-vsync", "vfr", "-c:v", "mjpeg"]),
        ("streamed.mkv", ["-c:v", "libx264", "-live", "1", "-f", "matroska"]),
        ("segments.mp4", ["-c:v", "libx264", "-g", "15", "-movflags", "dash+delay_moov+global_sidx"]),
        ("sound.mp4", ["-f", "lavfi", "-i", "sine=duration=5", "-c:v", "libx264", "-movflags", "faststart"]),
        ("sound.mkv", ["-f", "lavfi", "-i", "sine=duration=5", "-c:v", "libx264"]),
        ("sound.avi", ["-f", "lavfi", "-i", "sine=duration=5", "-c:v", "mpeg4"]),
        ("vp9.webm", ["-c:v", "libvpx-vp9", "-cpu-used", "8", "-deadline", "realtime"]),
    ]

    @Test("a whole file ends without an error", .enabled(if: FFmpeg.isInstalled), arguments: wholeRecipes)
    func whole(name: String, options: [String]) throws {
        let path = try make(name, options)
        let (frames, error) = try read(path)
        #expect(error == nil)
        #expect(frames.map(\.pts) == (try FFmpeg.stamps(path)))
    }

    @Test("sound that is missing after the last frame does no harm", .enabled(if: FFmpeg.isInstalled))
    func cutSound() throws {
        let path = try make(
            "sound.mp4", ["-f", "lavfi", "-i", "sine=duration=20", "-c:v", "libx264", "-movflags", "faststart"])
        let bytes = try readBytes(path)
        let (frames, error) = try read(folder.write(Array(bytes.dropLast(1000)), to: "cut.mp4"))
        #expect(frames.count == 90 && error == nil)
    }
}
