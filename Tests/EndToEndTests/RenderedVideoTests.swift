import Foundation
import Testing

/// Videos that are made when they are asked for, by the real server, looked at by FFmpeg.
@Suite("Videos on demand")
struct RenderedVideoTests {
    private static let frames = 40

    /// A server with a job that was asked for boxes only, and has them.
    private struct Bench {
        let video: Material.Video
        let server: Server
        let id: String

        init(frames: Int = RenderedVideoTests.frames) throws {
            video = try Material.syntheticVideo(frames: frames, frameRate: 25)
            server = try Server()
            id = try server.submit(["video=@\(video.path)", "roi=\(video.boxes[0])"])
            let status = try server.finish(id)["status"] as? String
            try #require(status == "succeeded")
        }

        func path(_ suffix: String) -> String { "/v1/jobs/\(id)/\(suffix)" }

        /// Asks until there is another answer than 202.
        func awaitVideo(_ suffix: String) throws -> Curl.Response {
            var response = try server.get(path(suffix))
            try poll("\(suffix) to be made", seconds: 120) {
                response = try server.get(path(suffix))
                return response.status != 202
            }
            return response
        }
    }

    @Test("the first request starts the annotated video, which then has a frame for each frame and answers ranges")
    func annotated() throws {
        let bench = try Bench()
        let first = try bench.server.get(bench.path("video"))
        #expect(first.status == 202)
        #expect(first["Retry-After"] == "1" && first["Location"] == bench.path("video"))
        let mp4 = try bench.awaitVideo("video")
        #expect(mp4.status == 200 && mp4["Content-Type"] == "video/mp4")
        #expect(try Self.probe(mp4.body) == "320,240,\(Self.frames)")
        #expect(try bench.server.get(bench.path("video"), "-r", "4-7").text == "ftyp")
        let digest = try #require(mp4["Repr-Digest"])
        #expect(try bench.server.get(bench.path("video"), "-I")["Repr-Digest"] == digest)
        let links = try bench.server.job(bench.id)["links"] as? [String: Any]
        #expect(links?["video"] as? String == bench.path("video"))
    }

    @Test("crops hold the target still: they change far less from frame to frame than the same place of the video does")
    func crops() throws {
        let bench = try Bench()
        #expect(try bench.server.get(bench.path("targets/target-1/crops")).status == 202)
        let mp4 = try bench.awaitVideo("targets/target-1/crops")
        #expect(mp4.status == 200 && mp4["Content-Type"] == "video/mp4")
        let box = bench.video.boxes[0].split(separator: ",").compactMap { Double($0) }
        let (width, height) = (2 * Int((box[2] / 2).rounded()), 2 * Int((box[3] / 2).rounded()))
        #expect(try Self.probe(mp4.body) == "\(width),\(height),\(Self.frames)")

        let folder = try TemporaryFolder()
        let crops = try Self.pictures(try folder.write(mp4.body, to: "crops.mp4"), filter: "null")
        let place = "crop=\(width):\(height):\(Int(box[0])):\(Int(box[1]))"
        let still = try Self.pictures(bench.video.path, filter: place)
        #expect(crops.count == Self.frames * width * height && still.count == crops.count)
        let stabilised = Self.change(crops, frameSize: width * height)
        let unstabilised = Self.change(still, frameSize: width * height)
        #expect(stabilised < unstabilised / 3, "\(stabilised) against \(unstabilised) grey levels a frame")
    }

    @Test("a job that asks for crops has them when it has ended")
    func withTheJob() throws {
        let video = try Material.syntheticVideo(frames: 12, targets: 2)
        let server = try Server()
        let id = try server.submit(["video=@\(video.path)", "crops=true"] + video.boxes.map { "roi=\($0)" })
        #expect(try server.finish(id)["status"] as? String == "succeeded")
        for target in ["target-1", "target-2"] {
            let mp4 = try server.get("/v1/jobs/\(id)/targets/\(target)/crops")
            #expect(mp4.status == 200)
            #expect(try Self.probe(mp4.body).hasSuffix(",12"))
        }
        #expect(try server.get("/v1/jobs/\(id)/targets/target-3/crops").status == 404)
    }

    @Test("a server that dies over a rendering leaves no half of it, and the next one makes it")
    func restart() throws {
        let bench = try Bench(frames: 300)
        #expect(try bench.server.get(bench.path("video")).status == 202)
        try poll("the rendering to begin") { bench.server.blobs().contains { $0.contains("video-1.mp4") } }
        bench.server.crash()
        try bench.server.start()
        #expect(bench.server.blobs() == ["jobs/\(bench.id)/results-1.ndjson", "jobs/\(bench.id)/source"])
        let mp4 = try bench.awaitVideo("video")
        #expect(try Self.probe(mp4.body) == "320,240,300")
    }

    @Test("a server that is stopped over a rendering ends in time")
    func stop() throws {
        let bench = try Bench(frames: 300)
        #expect(try bench.server.get(bench.path("video")).status == 202)
        #expect(bench.server.stop() == 0)
    }

    // MARK: What FFmpeg says

    /// `width,height,frames`
    private static func probe(_ video: Data) throws -> String {
        let folder = try TemporaryFolder()
        let output = try Executable.run(
            "/usr/bin/env",
            [
                "ffprobe", "-v", "error", "-count_frames", "-select_streams", "v:0", "-show_entries",
                "stream=nb_read_frames,width,height", "-of", "csv=p=0", try folder.write(video, to: "video"),
            ])
        return output.text.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// All frames' grey levels, one after the other.
    private static func pictures(_ path: String, filter: String) throws -> [UInt8] {
        let output = try Executable.run(
            "/usr/bin/env",
            ["ffmpeg", "-v", "error", "-i", path, "-vf", "\(filter),format=gray", "-f", "rawvideo", "-"])
        try #require(output.status == 0, "\(output.standardError)")
        return Array(output.standardOutput)
    }

    /// The mean absolute difference of a pixel from one frame to the next, in grey levels.
    private static func change(_ pixels: [UInt8], frameSize: Int) -> Double {
        let pairs = zip(pixels, pixels.dropFirst(frameSize))
        let sum = pairs.reduce(0) { $0 + abs(Int($1.0) - Int($1.1)) }
        return Double(sum) / Double(max(pixels.count - frameSize, 1))
    }
}
