import Jobs
import Testing
import TrackingAPI

/// The same API behind the real server, as `curl` sees it.
@Suite("Over the wire")
struct WireTests {
    @Test("one line of curl posts a form, and what was sent comes back whole and in ranges")
    func form() async throws {
        try await Wire.run(try Service()) { wire in
            let video = Sample.video(bytes: 3_000_000)
            let path = try wire.file("clip.mp4", video)
            let reply = try wire.curl("/v1/jobs", "-F", "video=@\(path)", "-F", "roi=70,51,107,87")
            #expect(reply.status == 202)
            let id = try #require(reply.json?["id"]?.stringValue)
            #expect(reply.head.contains("Location: /v1/jobs/\(id)"))
            #expect(try wire.summary().route == "/v1/jobs")
            let isWhole = try wire.curl("/v1/jobs/\(id)/source").body == video
            #expect(isWhole)
            let part = try wire.curl("/v1/jobs/\(id)/source", "-r", "2000000-2000099")
            #expect(part.status == 206)
            #expect(part.body == Array(video[2_000_000...2_000_099]))
        }
    }

    @Test("one line of curl posts a bare video")
    func bareVideo() async throws {
        try await Wire.run(try Service()) { wire in
            let path = try wire.file("clip.mp4", Sample.video(bytes: 100_000))
            let reply = try wire.curl("/v1/jobs?roi=70,51,107,87", "--data-binary", "@\(path)")
            #expect(reply.status == 202)
            #expect(reply.json?["source"]?["bytes"] == 100_012)
        }
    }

    @Test("a refusal is read by the client, however much it still wanted to send")
    func earlyRefusal() async throws {
        try await Wire.run(try Service { $0.uploadBytes = 1 << 20 }) { wire in
            let text = try wire.file("text.mp4", Array(repeating: UInt8(ascii: "a"), count: 1_000_000))
            let wrong = try wire.curl("/v1/jobs", "-F", "video=@\(text)", "-F", "roi=70,51,107,87")
            #expect(wrong.status == 415)
            #expect(wrong.json?["errors"]?.arrayValue?.first?["pointer"] == "#/video")
            let large = try wire.file("large.mp4", Sample.video(bytes: 3 << 20))
            for arguments in [
                ["-F", "video=@\(large)"], ["-F", "video=@\(large)", "-H", "Transfer-Encoding: chunked"],
            ] {
                let reply = try wire.curl("/v1/jobs", arguments)
                #expect(reply.status == 413)
                #expect(reply.head.contains("application/problem+json"))
            }
            #expect(try wire.service.isEmpty(), "\(wire.service.files)")
        }
    }

    @Test("an upload whose client gives up half-way leaves nothing behind")
    func cutUpload() async throws {
        try await Wire.run(try Service()) { wire in
            let path = try wire.file("clip.mp4", Sample.video(bytes: 4_000_000))
            let reply = try wire.curl(
                "/v1/jobs", "-F", "roi=70,51,107,87", "-F", "video=@\(path)", "--limit-rate", "1M", "-m", "1")
            #expect(reply.exitCode == 28)
            #expect(try wire.summary().isComplete == false)
            #expect(try wire.service.isEmpty(), "\(wire.service.files)")
        }
    }

    @Test("HEAD is GET without its body")
    func head() async throws {
        try await Wire.run(try Service()) { wire in
            let id = try wire.service.submit()
            for path in ["/v1/jobs/\(id)", "/v1/jobs/\(id)/source"] {
                let reply = try wire.curl(path, "-I")
                #expect(reply.status == 200)
                #expect(reply.head.contains("ETag: "))
            }
            #expect(try wire.curl("/v1/jobs/\(id)/source", "-I").head.contains("Content-Length: 10012"))
        }
    }

    @Test("HEAD of an event stream, or of a result that is followed, does not wait for the job")
    func headOfLive() async throws {
        try await Wire.run(try Service()) { wire in
            let id = try wire.service.submit()
            for (path, type) in [
                ("events", "text/event-stream"),
                ("results?format=ndjson&partial=true&follow=true", "application/x-ndjson"),
            ] {
                let reply = try wire.curl("/v1/jobs/\(id)/\(path)", "-I", "-m", "30")
                #expect(reply.exitCode == 0)
                #expect(reply.status == 200)
                #expect(reply.head.contains("Content-Type: \(type)"))
            }
        }
    }

    @Test("a client that leaves an event stream is forgotten before anything is sent to it")
    func leaves() async throws {
        try await Wire.run(try Service()) { wire in
            let id = try wire.service.submit()
            let reply = try wire.curl("/v1/jobs/\(id)/events", "-N", "-m", "1")
            #expect(reply.exitCode == 28)
            #expect(String(decoding: reply.body, as: UTF8.self).contains("event: status"))
            let summary = try wire.summary()
            #expect(summary.route == "/v1/jobs/{id}/events")
            #expect(!summary.isComplete)
        }
    }

    @Test("a result has a length, and a slice of it streams in chunks")
    func results() async throws {
        try await Wire.run(try Service()) { wire in
            let id = try wire.service.submit()
            try wire.service.finish(id, lines: (0..<3_000).map { Lines.frame($0) })
            let reply = try wire.curl("/v1/jobs/\(id)/results")
            #expect(reply.json?["frames"]?.arrayValue?.count == 3_000)
            #expect(reply.head.contains("Content-Length: \(reply.body.count)"))
            let slice = try wire.curl("/v1/jobs/\(id)/results?from=0")
            #expect(slice.body == reply.body)
            #expect(slice.head.contains("Transfer-Encoding: chunked"))
        }
    }
}
