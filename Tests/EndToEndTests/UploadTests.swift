import Foundation
import Glibc
import Testing

/// Resumable uploads with a client that nobody here wrote (tuspy), over lines that break.
@Suite("Resumable uploads", .serialized)
struct UploadTests {
    /// Uploads chunk after chunk, from where the server says, and prints a line for each; stands still after `pause`.
    private static let client = """
        import signal, sys
        from tusclient import client
        server, path, url, chunk, pause, checksum = sys.argv[1:]
        uploader = client.TusClient(server + '/v1/uploads').uploader(
            path, url=url or None, chunk_size=int(chunk), metadata={'filename': 'clip.avi'},
            upload_checksum=checksum == 'checksum')
        sent = 0
        while uploader.offset < uploader.get_file_size():
            uploader.upload_chunk()
            sent += 1
            print(uploader.url, uploader.offset, flush=True)
            if sent == int(pause):
                signal.pause()
        """

    private static func digest(_ path: String) throws -> String {
        let output = try Executable.run("/usr/bin/env", ["sha256sum", path])
        return output.text.prefix { $0 != " " }.description
    }

    private func video() throws -> Material.Video {
        try Material.syntheticVideo(frames: 120, targets: 1, size: "640x480")
    }

    /// The path of an upload, whatever server the address was of.
    private static func path(_ url: some StringProtocol) -> String {
        "/v1/uploads/" + (url.split(separator: "/").last ?? "")
    }

    private func track(_ server: Server, _ path: String, _ box: String) throws -> [String: Any] {
        let id = path.split(separator: "/").last ?? ""
        let spec = #"{"source": {"upload": "\#(id)"}, "targets": [{"box": [\#(box)]}]}"#
        let answer = try server.post("/v1/jobs", ["-H", "Content-Type: application/json", "-d", spec])
        #expect(answer.status == 202, "\(answer.text)")
        let job = try #require(try answer.json()["id"] as? String)
        return try server.finish(job)
    }

    @Test(
        "a client that is killed, a server that is killed, and the file arrives whole and is tracked",
        arguments: ["", "checksum"])
    func interrupted(checksum: String) throws {
        let video = try video()
        let size = try #require(
            try FileManager.default.attributesOfItem(atPath: video.path)[.size] as? Int)
        let chunk = size / 7 + 1
        let server = try Server("--workers", "1")

        func client(_ url: String, pause: Int) throws -> Client {
            try Client(Self.client, [server.url, video.path, url, "\(chunk)", "\(pause)", checksum])
        }

        // The client dies after two chunks.
        let first = try client("", pause: 2)
        let lines = try first.lines(2)
        first.crash()
        let address = try #require(lines[0].split(separator: " ").first)
        let path = Self.path(address)
        #expect(lines[1] == "\(address) \(2 * chunk)")

        // Then the server. What it has acknowledged is there when it is back, for another client to go on from.
        server.crash()
        try server.start()
        let second = try client(server.url + path, pause: 1)
        #expect(try second.lines(1) == ["\(server.url)\(path) \(3 * chunk)"])
        server.crash()
        second.crash()
        try server.start()
        let last = try client(server.url + path, pause: 0)
        #expect(last.wait() == 0)
        #expect(try last.lines(4).last == "\(server.url)\(path) \(size)")

        let head = try server.get(path, "-I", "-H", "Tus-Resumable: 1.0.0")
        #expect(head["Upload-Offset"] == "\(size)")
        #expect(head["Upload-Metadata"] == "filename Y2xpcC5hdmk=")
        let job = try track(server, path, video.boxes[0])
        #expect(job["status"] as? String == "succeeded", "\(job)")
        let source = try #require(job["source"] as? [String: Any])
        #expect(source["sha256"] as? String == (try Self.digest(video.path)))
        #expect(source["bytes"] as? Int == size)
        #expect(source["file_name"] as? String == "clip.avi")
        let id = try #require(job["id"] as? String)
        #expect(try server.get("/v1/jobs/\(id)/source").body == Data(contentsOf: URL(fileURLWithPath: video.path)))
        #expect(try server.get(path, "-I", "-H", "Tus-Resumable: 1.0.0").status == 410)
        #expect(!server.blobs().contains { $0.hasPrefix("uploads/") }, "\(server.blobs())")
    }

    @Test("one PATCH that is cut off in the middle keeps what arrived, also when the server is killed at once")
    func cutInTheMiddle() throws {
        let video = try video()
        let size = try #require(
            try FileManager.default.attributesOfItem(atPath: video.path)[.size] as? Int)
        let server = try Server("--workers", "1")
        let tus = ["-H", "Tus-Resumable: 1.0.0"]
        let created = try server.post("/v1/uploads", tus + ["-H", "Upload-Length: \(size)"])
        let path = try #require(created["Location"])
        let chunk = tus + ["-H", "Content-Type: application/offset+octet-stream"]

        let cut = try Curl.run(
            [
                "-X", "PATCH", "-H", "Upload-Offset: 0", "--limit-rate", "\(size / 3)", "--max-time", "1", "-T",
                video.path,
            ]
                + chunk + [server.url + path])
        #expect(cut.exitStatus == 28)
        var kept = 0
        try poll("what arrived to be kept") {
            kept = try server.get(path, "-I", "-H", "Tus-Resumable: 1.0.0")["Upload-Offset"].flatMap(Int.init) ?? 0
            return kept > 0
        }
        #expect(kept < size)
        server.crash()
        try server.start()
        #expect(try server.get(path, "-I", "-H", "Tus-Resumable: 1.0.0")["Upload-Offset"] == "\(kept)")

        let rest = try TemporaryFile()
        try Data(contentsOf: URL(fileURLWithPath: video.path)).dropFirst(kept).write(to: rest.url)
        let done = try Curl.run(
            ["-X", "PATCH", "-H", "Upload-Offset: \(kept)", "-T", rest.url.path] + chunk + [server.url + path])
        #expect(done.status == 204)
        #expect(done["Upload-Offset"] == "\(size)")
        let job = try track(server, path, video.boxes[0])
        #expect(job["status"] as? String == "succeeded", "\(job)")
        #expect((job["source"] as? [String: Any])?["sha256"] as? String == (try Self.digest(video.path)))
    }

    @Test("SIGTERM in the middle of an upload keeps what arrived for the next start")
    func stopped() throws {
        let server = try Server("--workers", "1", environment: ["LKTRACK_SERVER_SHUTDOWN_SECONDS": "1"])
        let created = try server.post(
            "/v1/uploads", ["-H", "Tus-Resumable: 1.0.0", "-H", "Upload-Length: 100000000"])
        let path = try #require(created["Location"])
        let body = try TemporaryFile()
        try Data(count: 100_000_000).write(to: body.url)
        let client = try Client(
            program: "/usr/bin/env",
            [
                "curl", "-s", "-X", "PATCH", "-H", "Tus-Resumable: 1.0.0", "-H", "Upload-Offset: 0", "-H",
                "Content-Type: application/offset+octet-stream", "--limit-rate", "1M", "-T", body.url.path,
                server.url + path,
            ])
        try poll("the first bytes") { !server.blobs().isEmpty }
        #expect(server.stop() == 0)
        _ = client.wait()
        try server.start()
        let offset = try server.get(path, "-I", "-H", "Tus-Resumable: 1.0.0")["Upload-Offset"].flatMap(Int.init) ?? 0
        #expect(offset > 0)
    }

    @Test("an upload that nobody goes on with expires, and its bytes go")
    func expires() throws {
        let server = try Server("--workers", "1", environment: ["LKTRACK_LIMITS_UPLOAD_SECONDS": "1"])
        let body = try TemporaryFile()
        try Data("hello".utf8).write(to: body.url)
        let created = try server.post(
            "/v1/uploads",
            [
                "-H", "Tus-Resumable: 1.0.0", "-H", "Upload-Length: 10", "-H",
                "Content-Type: application/offset+octet-stream", "--data-binary", "@\(body.url.path)",
            ])
        #expect(created.status == 201)
        #expect(created["Upload-Offset"] == "5")
        #expect(!server.blobs().isEmpty)
        try poll("the sweeper") { server.blobs().isEmpty }
        let path = try #require(created["Location"])
        #expect(try server.get(path, "-I", "-H", "Tus-Resumable: 1.0.0").status == 410)
    }
}

/// A program that is talked to while it runs; killed when nobody refers to it.
private final class Client {
    private let process = Process()
    private let output = ServerLog()

    convenience init(_ script: String, _ arguments: [String]) throws {
        try self.init(program: Python.program("python"), ["-c", script] + arguments)
    }

    init(program: String, _ arguments: [String]) throws {
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output.pipe
        process.standardError = FileHandle.nullDevice
        try process.run()
        output.start()
    }

    deinit { crash() }

    /// Waits for so many lines of what it prints.
    func lines(_ count: Int) throws -> [String] {
        var lines: [String] = []
        try poll("\(count) lines of the client") {
            lines = output.text.split(separator: "\n").map(String.init)
            return lines.count >= count
        }
        return lines
    }

    func crash() {
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
        process.waitUntilExit()
    }

    func wait() -> Int32 {
        process.waitUntilExit()
        return process.terminationStatus
    }
}
