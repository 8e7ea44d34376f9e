import Foundation
import Testing

/// Wrong requests: a problem document that names the field, and nothing left behind.
@Suite("Bad input")
struct BadInputTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        let arguments: [String]
        let status: Int
        /// Must stand in the problem document.
        let mentions: String

        var testDescription: String { name }
    }

    static let files: TemporaryFolder? = {
        guard let folder = try? TemporaryFolder() else { return nil }
        _ = try? folder.write([], to: "empty.mp4")
        _ = try? folder.write(Array("I am a text, not a video.\n".utf8), to: "text.mp4")
        _ = try? folder.write(Array("#EXTM3U\nfile:///etc/passwd\n".utf8), to: "playlist.mp4")
        _ = try? Executable.lktrack("synth", folder.path("ok.avi"), "--frames", "3", "--size", "160x120")
        return folder
    }()

    static let cases: [Case] = {
        func file(_ name: String) -> String { files?.path(name) ?? name }
        let video = "video=@" + file("ok.avi")
        func form(_ fields: String...) -> [String] { fields.flatMap { ["-F", $0] } }
        return [
            Case(name: "no file", arguments: form("roi=1,1,20,20"), status: 422, mentions: "video"),
            Case(name: "no box", arguments: form(video), status: 422, mentions: "#/targets"),
            Case(
                name: "a box of three numbers", arguments: form(video, "roi=1,2,3"), status: 422,
                mentions: "#/roi"),
            Case(
                name: "NaN in a box", arguments: form(video, "roi=NaN,1,20,20"), status: 422,
                mentions: "#/roi"),
            Case(
                name: "infinity in a box", arguments: form(video, "roi=1e999,1,20,20"), status: 422,
                mentions: "#/roi"),
            Case(
                name: "a box under 4 pixels", arguments: form(video, "roi=1,1,3,20"), status: 422,
                mentions: "#/targets/0/box"),
            Case(
                name: "a negative size", arguments: form(video, "roi=10,10,-20,20"), status: 422,
                mentions: "#/targets/0/box"),
            Case(
                name: "0 bytes", arguments: form("video=@" + file("empty.mp4"), "roi=1,1,20,20"), status: 422,
                mentions: "video"),
            Case(
                name: "a text file named .mp4", arguments: form("video=@" + file("text.mp4"), "roi=1,1,20,20"),
                status: 415, mentions: "video"),
            Case(
                name: "a playlist named .mp4", arguments: form("video=@" + file("playlist.mp4"), "roi=1,1,20,20"),
                status: 415, mentions: "video"),
            Case(
                name: "an unknown form field", arguments: form(video, "roi=1,1,20,20", "colour=red"), status: 422,
                mentions: "colour"),
            Case(
                name: "an unknown field of the spec",
                arguments: form(video, #"spec={"targets":[{"box":[1,1,20,20],"weight":3}]}"#), status: 422,
                mentions: "#/targets/0/weight"),
            Case(
                name: "a spec that is no JSON", arguments: form(video, "spec={targets: 3"), status: 422,
                mentions: "#/spec"),
            Case(
                name: "an unknown tracker", arguments: form(video, "roi=1,1,20,20", "tracker=magic"), status: 422,
                mentions: "tracker"),
            Case(
                name: "two files", arguments: form(video, video, "roi=1,1,20,20"), status: 422, mentions: "video"),
            Case(
                name: "an unknown content type",
                arguments: ["-H", "Content-Type: text/plain", "-d", "hello"], status: 415, mentions: "text/plain"),
            Case(
                name: "JSON without a source",
                arguments: ["-H", "Content-Type: application/json", "-d", #"{"targets":[{"box":[1,1,20,20]}]}"#],
                status: 422, mentions: "source"),
            Case(
                name: "a source that is no job",
                arguments: [
                    "-H", "Content-Type: application/json", "-d",
                    #"{"targets":[{"box":[1,1,20,20]}],"source":{"job":"01970000-0000-7000-8000-000000000000"}}"#,
                ], status: 422, mentions: "#/source/job"),
        ]
    }()

    @Test("is refused with a problem document that names it, and leaves nothing behind", arguments: cases)
    func refused(_ wrong: Case) throws {
        let server = try Server()
        let response = try server.post("/v1/jobs", wrong.arguments)
        #expect(response.status == wrong.status, "\(response.text)")
        #expect(response["Content-Type"] == "application/problem+json")
        let problem = try response.json()
        #expect(problem["status"] as? Int == wrong.status)
        for member in ["type", "title", "detail", "instance"] { #expect(problem[member] is String) }
        #expect(response.text.replacingOccurrences(of: "\\/", with: "/").contains(wrong.mentions), "\(response.text)")
        #expect(server.blobs().isEmpty)
        #expect((try server.get("/v1/jobs").json()["jobs"] as? [Any])?.isEmpty == true)
    }

    @Test("a body over the limit is answered with 413 that curl can read, and leaves nothing behind")
    func tooLarge() throws {
        let folder = try TemporaryFolder()
        let path = try sparseVideo(in: folder, megabytes: 8)
        let server = try Server(environment: ["LKTRACK_LIMITS_UPLOAD_BYTES": "1000000"])
        let form = try server.post("/v1/jobs", ["-F", "video=@\(path)", "-F", "roi=1,1,20,20"])
        #expect(form.status == 413)
        let chunked = try server.post(
            "/v1/jobs?roi=1,1,20,20",
            ["-H", "Content-Type: video/x-msvideo", "-H", "Transfer-Encoding: chunked", "--data-binary", "@\(path)"])
        #expect(chunked.status == 413)
        try poll("the blobs to go") { server.blobs().isEmpty }
    }

    @Test("an upload that is cut half-way leaves nothing behind")
    func cutUpload() throws {
        let folder = try TemporaryFolder()
        let path = try sparseVideo(in: folder, megabytes: 8)
        let server = try Server()
        let cut = try Executable.run(
            "/usr/bin/env",
            [
                "curl", "-s", "--limit-rate", "2M", "--max-time", "1", "-F", "roi=1,1,20,20", "-F", "video=@\(path)",
                "\(server.url)/v1/jobs",
            ])
        #expect(cut.status == 28, "curl gave up on its own")
        try poll("the blobs to go") { server.blobs().isEmpty }
        #expect((try server.get("/v1/jobs").json()["jobs"] as? [Any])?.isEmpty == true)
    }

    @Test("what only the video can tell fails the job: a box outside its frame, a keyframe past its end")
    func specAgainstVideo() throws {
        let video = try Material.syntheticVideo(frames: 5, size: "160x120")
        let server = try Server()
        let outside = try server.finish(try server.submit(["video=@\(video.path)", "roi=500,500,20,20"]))
        let error = try #require(outside["error"] as? [String: Any])
        #expect(outside["status"] as? String == "failed")
        #expect(error["code"] as? String == "invalid_spec")
        #expect(error["pointer"] as? String == "#/targets/0/box")
    }

    @Test("a truncated image in the middle fails the job naming the frame; frames of another size too")
    func badFrames() throws {
        let sequence = try Material.synthetic(frames: 6)
        let folder = try TemporaryFolder()
        let images = sequence.images
        let jpeg = folder.path("frame.jpg")
        #expect(
            try Executable.run(
                "/usr/bin/env", ["ffmpeg", "-v", "error", "-i", images[3], "-q:v", "3", jpeg]
            ).status == 0)
        let bytes = try Data(contentsOf: URL(fileURLWithPath: jpeg))
        let cut = try folder.write(bytes.prefix(bytes.count / 2), to: "000004.jpg")
        let server = try Server()
        let fields = images.enumerated().map { "frame=@\($0.offset == 3 ? cut : $0.element)" }
        let truncated = try server.finish(try server.submit(["roi=\(sequence.box)"] + fields))
        var error = try #require(truncated["error"] as? [String: Any])
        #expect(truncated["status"] as? String == "failed")
        #expect(error["frame"] as? Int == 3)
        #expect((error["message"] as? String)?.contains("000004.jpg") == true)

        let other = try TemporaryFolder()
        _ = try Executable.lktrack("synth", other.path("small"), "--frames", "1", "--size", "160x120")
        let odd = fields.prefix(3) + ["frame=@\(other.path("small/img/000001.png"));filename=000004.png"]
        let sizes = try server.finish(try server.submit(["roi=\(sequence.box)"] + odd))
        error = try #require(sizes["error"] as? [String: Any])
        #expect(sizes["status"] as? String == "failed")
        #expect(error["frame"] as? Int == 3)
    }

    @Test("a video without a frame fails its job")
    func noFrames() throws {
        let folder = try TemporaryFolder()
        let made = try Executable.run(
            "/usr/bin/env",
            [
                "ffmpeg", "-v", "error", "-f", "lavfi", "-i", "sine=duration=1", "-c:a", "aac",
                folder.path("sound.mp4"),
            ])
        #expect(made.status == 0)
        let server = try Server()
        let job = try server.finish(
            try server.submit(["video=@\(folder.path("sound.mp4"))", "roi=1,1,20,20"]))
        #expect(job["status"] as? String == "failed")
        let error = try #require(job["error"] as? [String: Any])
        #expect((error["message"] as? String)?.isEmpty == false)
    }

    @Test("unknown paths, methods and formats are problems too")
    func routes() throws {
        let server = try Server()
        #expect(try server.get("/v1/nothing").status == 404)
        #expect(try server.get("/v1/jobs/01970000-0000-7000-8000-000000000000").status == 404)
        #expect(try server.get("/v1/jobs/not-an-id").status == 404)
        let method = try Curl.run(["-X", "PUT", "\(server.url)/v1/jobs"])
        #expect(method.status == 405)
        #expect(method["Allow"]?.contains("POST") == true)
        #expect(method["Content-Type"] == "application/problem+json")
    }

    /// Looks like an AVI to a sniffer; zeros behind.
    private func sparseVideo(in folder: TemporaryFolder, megabytes: Int) throws -> String {
        let path = try folder.write(Array("RIFF".utf8) + [0, 0, 0, 0] + Array("AVI LIST".utf8), to: "large.avi")
        let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        try handle.truncate(atOffset: UInt64(megabytes) << 20)
        try handle.close()
        return path
    }
}
