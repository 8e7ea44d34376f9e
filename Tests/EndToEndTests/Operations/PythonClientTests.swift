import Foundation
import Testing

/// `clients/python`, under the system's Python without NumPy and under one that has it.
@Suite("The Python client", .serialized)
struct PythonClientTests {
    static let interpreters = ["/usr/bin/python3", Python.program("python")]

    private static let folder = Python.root.appendingPathComponent("clients/python")

    private func run(
        _ interpreter: String, _ arguments: [String], _ environment: [String: String] = [:], in folder: URL
    ) throws -> Executable.Output {
        let variables = environment.merging(["PYTHONDONTWRITEBYTECODE": "1"]) { $1 }.map { "\($0)=\($1)" }
        return try Executable.run("/usr/bin/env", variables.sorted() + [interpreter] + arguments, in: folder)
    }

    @Test("passes its own tests against this server", arguments: interpreters)
    func ownTests(interpreter: String) throws {
        let (server, limited) = (try Server(), try Server(environment: ["LKTRACK_LIMITS_UPLOAD_BYTES": "1000000"]))
        let clip = try Material.syntheticVideo(frames: 40, size: "160x120")
        let images = try Material.synthetic(frames: 6)
        let output = try run(
            interpreter, ["-m", "unittest", "discover", "-v", "-s", Self.folder.path + "/tests"],
            [
                "LKTRACK_TEST_URL": server.url, "LKTRACK_TEST_LIMITED_URL": limited.url,
                "LKTRACK_TEST_CLIP": "\(clip.path):\(clip.boxes[0]):\(clip.frames)",
                "LKTRACK_TEST_FOLDER": "\(images.folder.path):\(images.box):\(images.frames)",
            ], in: server.data.url)
        #expect(output.status == 0, "\(output.standardError.suffix(4000))")
        let outcomes = output.standardError.split(separator: "\n")
        #expect(outcomes.filter { $0.hasSuffix("... ok") }.count >= 60)
        #expect(!output.standardError.contains("skipped"))
    }

    @Test("is documented by examples that run as they stand", arguments: interpreters)
    func readme(interpreter: String) throws {
        let text = try [Python.root, Self.folder].map {
            try String(contentsOf: $0.appendingPathComponent("README.md"), encoding: .utf8)
        }
        let server = try Server()
        let folder = try Self.material()
        let url = ["LKTRACK_URL": server.url, "PYTHONPATH": Self.folder.path]
        let scripts = text.flatMap { Self.blocks("python", of: $0) }
        #expect(scripts.count == 4)
        for script in scripts {
            let own = script.replacingOccurrences(of: "http://127.0.0.1:8080", with: server.url)
            let output = try run(interpreter, ["-c", own], url, in: folder.url)
            #expect(output.status == 0, "\(script): \(output.standardError)")
        }
        let commands = Self.blocks("sh", of: text[1]).flatMap { $0.split(separator: "\n").map(String.init) }
        #expect(commands.count == 6)
        for command in commands {
            let words = command.split(separator: " ").dropFirst().map(String.init)
            let output = try run(
                interpreter, [Self.folder.appendingPathComponent(words[0]).path] + words.dropFirst(), url,
                in: folder.url)
            #expect(output.status == 0, "\(command): \(output.standardError)")
        }
        #expect(try String(contentsOfFile: folder.path("boxes.csv"), encoding: .utf8).hasPrefix("frame,"))
    }

    @Test("has an example that draws the boxes where they are, and fetches the server's own video")
    func pipeline() throws {
        let server = try Server()
        let video = try Material.syntheticVideo(frames: 30, targets: 2)
        let folder = try TemporaryFolder()
        let output = try run(
            "/usr/bin/python3",
            [
                Self.folder.path + "/examples/pipeline.py", video.path, "out.avi", "--roi", video.boxes[0], "--roi",
                video.boxes[1], "--server-video", "server.mp4",
            ], ["LKTRACK_URL": server.url], in: folder.url)
        #expect(output.status == 0, "\(output.standardError)")
        #expect(output.text == "out.avi: 30 frames, 2 targets\n")
        // What was submitted is removed again.
        let jobs = try server.get("/v1/jobs").json()["jobs"] as? [Any]
        #expect(jobs?.isEmpty == true)

        let id = try server.submit(["video=@\(video.path)"] + video.boxes.map { "roi=\($0)" })
        _ = try server.finish(id)
        let lines = try server.get("/v1/jobs/\(id)/results?format=ndjson").lines
        let drawn = try Self.pixels(of: folder.path("out.avi"))
        let original = try Self.pixels(of: video.path)
        #expect(drawn.count == original.count && drawn.count == 30 * Self.frameBytes)
        for (number, line) in lines.enumerated() {
            let record = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
            let targets = try #require(record["targets"] as? [[String: Any]])
            for (target, color) in zip(targets, [SIMD3(255, 0, 0), SIMD3(0, 255, 0)]) {
                let box = try #require(target["box"] as? [Double]).map { Int($0.rounded()) }
                // In the middle of the upper and the left edge, which are three pixels thick, and not inside.
                for (x, y) in [(box[0] + box[2] / 2, box[1] + 1), (box[0] + 1, box[1] + box[3] / 2)] {
                    let distance = Self.distance(Self.color(drawn, number, x, y), color)
                    #expect(distance < 120, "frame \(number), \(target["id"] ?? ""), pixel \(x),\(y)")
                }
                let center = (box[0] + box[2] / 2, box[1] + box[3] / 2)
                let change = Self.distance(
                    Self.color(drawn, number, center.0, center.1), Self.color(original, number, center.0, center.1))
                #expect(change < 120)
            }
        }
        let annotated = try Self.pixels(of: folder.path("server.mp4"))
        #expect(annotated.count == original.count && annotated != original)
    }

    // MARK: Material

    private static let size = (width: 320, height: 240)
    private static let frameBytes = 3 * size.width * size.height

    /// All frames, RGB.
    private static func pixels(of video: String) throws -> Data {
        let output = try Executable.run(
            "/usr/bin/env", ["ffmpeg", "-v", "error", "-i", video, "-f", "rawvideo", "-pix_fmt", "rgb24", "-"])
        #expect(output.status == 0, "\(output.standardError)")
        return output.standardOutput
    }

    private static func color(_ frames: Data, _ frame: Int, _ x: Int, _ y: Int) -> SIMD3<Int> {
        let offset = frame * frameBytes + 3 * (y * size.width + x)
        return SIMD3(Int(frames[offset]), Int(frames[offset + 1]), Int(frames[offset + 2]))
    }

    private static func distance(_ a: SIMD3<Int>, _ b: SIMD3<Int>) -> Int {
        let difference = a &- b
        return abs(difference.x) + abs(difference.y) + abs(difference.z)
    }

    /// `clip.mp4` and a folder `img`, as the README speaks of.
    private static func material() throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        let video = try Material.syntheticVideo(frames: 20, name: "clip.mp4")
        let images = try Material.synthetic(frames: 3)
        try FileManager.default.copyItem(atPath: video.path, toPath: folder.path("clip.mp4"))
        try FileManager.default.copyItem(atPath: images.folder.path + "/img", toPath: folder.path("img"))
        for (number, image) in images.images.prefix(2).enumerated() {
            let name = folder.path("img/0000000\(number + 1).png")
            if image != name, !FileManager.default.fileExists(atPath: name) {
                try FileManager.default.copyItem(atPath: image, toPath: name)
            }
        }
        return folder
    }

    /// The code blocks of a language.
    private static func blocks(_ language: String, of text: String) -> [String] {
        text.components(separatedBy: "```\(language)\n").dropFirst().map {
            $0.components(separatedBy: "```")[0]
        }
    }
}
