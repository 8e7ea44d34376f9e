import Foundation
import Testing

@Suite("The README")
struct ReadmeTests {
    static let text: String = {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("README.md")
        return (try? String(contentsOf: file, encoding: .utf8)) ?? ""
    }()

    /// The walk through a resumable upload, whose lines follow from one another.
    static var uploadBlock: String {
        let blocks = text.components(separatedBy: "```")
        return blocks.indices.filter { $0 % 2 == 1 }.map { blocks[$0] }.first { $0.contains("/v1/uploads") } ?? ""
    }

    /// Every line of a code block, and every code span, that is a `curl` command.
    static var commands: [String] {
        let lines = text.replacingOccurrences(of: uploadBlock, with: "").split(separator: "\n").map(String.init)
        let block = lines.filter { $0.hasPrefix("curl ") || $0.hasPrefix("ID=$(curl ") }
        let spans = lines.filter { $0.hasPrefix("|") }.flatMap { line in
            line.split(separator: "`").map(String.init).filter { $0.hasPrefix("curl ") }
        }
        return block + spans
    }

    @Test("the library's example is the file that is built, and follows its target")
    func libraryExample() throws {
        let example = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("Examples/FollowFrames.swift")
        let source = try String(contentsOf: example, encoding: .utf8)
        #expect(Self.text.contains("```swift\n\(source)```\n"))

        let output = try Executable.run(Executable.built("FollowFrames"), [])
        #expect(output.status == 0)
        #expect(output.lines.count == 30)
        for line in output.lines {
            let overlap = try #require(line.split(separator: " ").last.flatMap { Double($0) })
            #expect(overlap > 0.8, "\(line)")
        }
    }

    @Test("the walk through a resumable upload works as it stands")
    func resumableUpload() throws {
        let folder = try TemporaryFolder()
        let video = try Material.syntheticVideo(frames: 220, size: "320x240", name: "clip.mp4")
        try FileManager.default.copyItem(atPath: video.path, toPath: folder.path("clip.mp4"))
        let server = try Server("--workers", "1")
        let lines = Self.uploadBlock.split(separator: "\n").dropFirst().joined(separator: "\n")
        let script = """
            set -e -o pipefail
            curl() { command curl -sS --fail-with-body "$@"; }
            \(lines.replacingOccurrences(of: "localhost:8080", with: "127.0.0.1:\(server.port)"))
            echo; echo "$OFFSET"
            """
        let output = try Executable.run("/usr/bin/env", ["bash", "-c", script], in: folder.url)
        #expect(output.status == 0, "\(output.text) \(output.standardError)")
        #expect(output.lines.last == "50000")
        let answer = Data(String(output.lines.first ?? "").utf8)
        let job = try JSONSerialization.jsonObject(with: answer) as? [String: Any]
        let id = try #require(job?["id"] as? String)
        #expect(try server.finish(id)["status"] as? String == "succeeded")
        let source = try server.get("/v1/jobs/\(id)/source").body
        #expect(try source == Data(contentsOf: URL(fileURLWithPath: video.path)))
    }

    @Test("every curl line works as it stands")
    func curlLines() throws {
        #expect(Self.commands.count >= 18)
        let folder = try TemporaryFolder()
        let video = try Material.syntheticVideo(frames: 220, size: "320x240", name: "clip.mp4")
        let sequence = try Material.synthetic(frames: 3)
        for (command, arguments) in [
            ("cp", [video.path, folder.path("clip.mp4")]),
            ("cp", ["-r", sequence.folder.path + "/img", folder.path("img")]),
        ] { #expect(try Executable.run("/usr/bin/env", [command] + arguments).status == 0) }
        let zip = try Executable.run("/usr/bin/env", ["zip", "-q", "-r", "frames.zip", "img"], in: folder.url)
        #expect(zip.status == 0)
        for image in sequence.images {
            let name = URL(fileURLWithPath: image).deletingPathExtension().lastPathComponent
            let made = try Executable.run(
                "/usr/bin/env", ["ffmpeg", "-v", "error", "-i", image, folder.path("img/\(name).jpg")])
            #expect(made.status == 0)
        }

        let server = try Server("--workers", "1")
        let form = ["video=@\(folder.path("clip.mp4"))", "roi=70,51,107,87", #"output={"video":"mp4"}"#]
        let finished = try server.submit(form)
        #expect(try server.finish(finished)["status"] as? String == "succeeded")
        for command in Self.commands {
            // A finished job cannot be canceled, and one that is deleted is of no use to the lines after it.
            let ends = command.contains("/cancel") || command.contains("DELETE")
            let id = ends ? try server.submit(form) : finished
            let script = """
                set -e -o pipefail
                curl() { command curl -sS --fail-with-body "$@"; }
                ID=\(id)
                \(command.replacingOccurrences(of: "localhost:8080", with: "127.0.0.1:\(server.port)"))
                """
            let output = try Executable.run("/usr/bin/env", ["bash", "-c", script], in: folder.url)
            #expect(output.status == 0, "\(command): \(output.text) \(output.standardError)")
        }
    }
}
