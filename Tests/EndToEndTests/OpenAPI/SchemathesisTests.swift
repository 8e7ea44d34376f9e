import Foundation
import Testing

@Suite("The service against its document")
struct SchemathesisTests {
    /// The configuration, and why each deviation in it is one.
    private static let folder = Python.root.appendingPathComponent("Tests/Schemathesis")

    /// Requests for an operation in each phase.
    private static let examples = 30
    private static let seed = 20_260_401

    @Test("schemathesis, with all its checks, finds nothing")
    func nothingFound() throws {
        let server = try Server(
            "--workers", "2", environment: ["LKTRACK_WEBHOOKS_SECRET": "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"])
        let folder = try prepare(server)
        // From a file: the operation that it had the document from, it would leave out.
        let document = try folder.write(try server.get("/openapi.json").body, to: "openapi.json")
        let output = try Executable.run(
            "/usr/bin/env",
            [
                "LKTRACK_MATERIAL=\(folder.url.path)", Python.program("schemathesis"), "--config-file",
                folder.path("schemathesis.toml"), "run", document, "--url", server.url, "--checks", "all", "--seed",
                "\(Self.seed)", "--max-examples", "\(Self.examples)", "--no-color",
            ], in: folder.url)
        #expect(output.status == 0, "\(Self.failures(output.text)) \(output.standardError.suffix(2_000))")
        let summary = String(output.text.suffix(1_500))
        let operations = try Self.operations(server)
        #expect(summary.contains("Tested: \(operations)"), "\(operations) \(summary)")
        for phase in ["Examples", "Coverage", "Fuzzing", "Stateful"] { #expect(summary.contains("✅ \(phase)")) }
        let passed = try #require(summary.firstMatch(of: /([0-9]+) generated, ([0-9]+) passed/))
        #expect(passed.output.1 == passed.output.2)
        #expect(try #require(Int(passed.output.1)) > 1_500)
        // Jobs were accepted, too, or little would have been seen of what the service does.
        let accepted = try Scrape(server)[
            #"lktrack_http_requests_total{method="POST",route="/v1/jobs",status="2xx"}"#]
        #expect(accepted > Double(Self.jobs + Self.doomedJobs + 10))
        #expect(try server.get("/healthz").status == 200)
    }

    /// What was found, without the bytes that were sent.
    private static func failures(_ report: String) -> String {
        let part = report.components(separatedBy: " FAILURES ").last ?? report
        return part.split(separator: "\n").map { String($0.prefix(400)) }.prefix(150).joined(separator: "\n")
    }

    private static func operations(_ server: Server) throws -> Int {
        let paths = try server.get("/openapi.json").json()["paths"] as? [String: [String: Any]] ?? [:]
        return paths.values.map(\.count).reduce(0, +)
    }

    // MARK: What there is to be found

    private static let jobs = 3
    private static let doomedJobs = 16
    private static let uploads = 6

    /// A folder with the configuration, files to submit, and the ids of jobs and uploads that there are.
    private func prepare(_ server: Server) throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        for name in ["schemathesis.toml", "hooks.py"] {
            try FileManager.default.copyItem(
                at: Self.folder.appendingPathComponent(name), to: folder.url.appendingPathComponent(name))
        }
        let video = try Material.syntheticVideo(frames: 4, size: "64x48", name: "clip.mp4")
        try FileManager.default.copyItem(atPath: video.path, toPath: folder.path("clip.mp4"))
        let sequence = try Material.synthetic(frames: 2)
        try FileManager.default.copyItem(atPath: sequence.images[0], toPath: folder.path("frame.png"))
        let packed = try Executable.run(
            "/usr/bin/env", ["tar", "-C", sequence.folder.path + "/img", "-cf", folder.path("frames.tar"), "."])
        #expect(packed.status == 0)

        func submit(_ roi: String) throws -> String { try server.submit(["video=@\(video.path)", "roi=\(roi)"]) }
        var ids = try (0..<Self.jobs).map { _ in try submit("46,18,8,8") }
        ids.append(try submit("1000,1000,8,8"))
        let statuses = try ids.map { try server.finish($0)["status"] as? String }
        #expect(statuses == Array(repeating: "succeeded", count: Self.jobs) + ["failed"])
        try Self.write(ids, to: folder.path("jobs.dict"))
        try Self.write((0..<Self.doomedJobs).map { _ in try submit("46,18,8,8") }, to: folder.path("doomed.dict"))
        let whole = try #require(FileManager.default.attributesOfItem(atPath: video.path)[.size] as? Int)
        let uploads = try (0..<Self.uploads).map { _ in try upload(64, nil, server) }
        try Self.write(uploads + [try upload(whole, video.path, server)], to: folder.path("uploads.dict"))
        let link = try #require(try server.get("/v1/jobs?limit=2")["Link"])
        let cursor = try #require(link.firstMatch(of: /cursor=([^&>]*)/))
        try Self.write([String(cursor.output.1)], to: folder.path("cursors.dict"))
        return folder
    }

    private func upload(_ length: Int, _ file: String?, _ server: Server) throws -> String {
        let body = file.map {
            ["-H", "Content-Type: application/offset+octet-stream", "--data-binary", "@\($0)"]
        }
        let answer = try server.post(
            "/v1/uploads", ["-H", "Tus-Resumable: 1.0.0", "-H", "Upload-Length: \(length)"] + (body ?? []))
        return String(try #require(answer["Location"]?.split(separator: "/").last))
    }

    /// A dictionary as fuzzers have them: a value in quotes a line.
    private static func write(_ values: [String], to path: String) throws {
        try Data(values.map { "\"\($0)\"\n" }.joined().utf8).write(to: URL(fileURLWithPath: path))
    }
}
