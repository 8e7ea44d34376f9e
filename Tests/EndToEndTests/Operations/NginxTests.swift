import Foundation
import Glibc
import Testing

@Suite("The example for nginx", .serialized)
struct NginxTests {
    @Test("is a valid configuration, without a warning")
    func check() throws {
        let output = try Nginx(try Server()).check()
        #expect(output.status == 0)
        #expect(!output.standardError.contains("[warn]"), "\(output.standardError)")
    }

    @Test("carries a job from its upload to its results, under one request id")
    func job() throws {
        let server = try Server()
        let nginx = try Nginx(server)
        try nginx.start()
        let video = try Material.syntheticVideo(frames: 20)
        let submitted = try nginx.run(
            "/v1/jobs", ["-F", "video=@\(video.path)", "-F", "roi=\(video.boxes[0])", "-H", "X-Request-Id: job-1"])
        #expect(submitted.status == 202)
        #expect(submitted["X-Request-Id"] == "job-1")
        #expect(submitted["Strict-Transport-Security"] != nil)
        let id = try #require(try submitted.json()["id"] as? String)
        #expect(submitted["Location"] == "/v1/jobs/\(id)")
        #expect(try server.finish(id)["status"] as? String == "succeeded")
        for format in ["json", "csv"] {
            let path = "/v1/jobs/\(id)/results?format=\(format)"
            #expect(try nginx.get(path).body == (try server.get(path).body))
        }
        let part = try nginx.get("/v1/jobs/\(id)/source", "-r", "0-99")
        #expect(part.status == 206 && part.body.count == 100)
        #expect(server.log.line(containing: "\"request_id\":\"job-1\"") != nil)
        let log = try String(contentsOfFile: nginx.folder.path("lktrack.log"), encoding: .utf8)
        let entries = try log.split(separator: "\n").map { line in
            try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        }
        #expect(entries.contains { $0["request_id"] as? String == "job-1" && $0["status"] as? Int == 202 })
        let version = try Executable.run(
            "/usr/bin/env",
            ["curl", "-s", "-o", "/dev/null", "-w", "%{http_version}"] + nginx.curl + [nginx.url + "/healthz"])
        #expect(version.text == "2")
    }

    @Test("lets lktrack refuse uploads itself, by its own problem document")
    func refusal() throws {
        let server = try Server(environment: ["LKTRACK_LIMITS_UPLOAD_BYTES": "1000000"])
        let nginx = try Nginx(server)
        try nginx.start()
        let large = try nginx.folder.write(Data(count: 3_000_000), to: "large.mp4")
        let refused = try nginx.run("/v1/jobs", ["-F", "video=@\(large)", "-F", "roi=1,2,30,40"])
        #expect(refused.status == 413)
        #expect(refused["Content-Type"] == "application/problem+json")
        #expect(refused.text.contains("limits.upload_bytes"))
        #expect(try nginx.get("/v1/nothing")["Content-Type"] == "application/problem+json")
    }

    @Test("passes an upload on while it arrives")
    func streaming() throws {
        let server = try Server()
        let nginx = try Nginx(server)
        try nginx.start()
        let video = try Material.syntheticVideo(frames: 120, size: "640x480")
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments =
            ["curl", "-s", "-o", nginx.folder.path("answer"), "--limit-rate", "20k"] + nginx.curl
            + ["-F", "video=@\(video.path)", "-F", "roi=\(video.boxes[0])", nginx.url + "/v1/jobs"]
        try process.run()
        defer {
            kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
        }
        // A proxy that keeps uploads to itself begins the request when the upload is there.
        try poll("the upload to reach lktrack") {
            try server.get("/metrics").text.contains("\nlktrack_http_requests_in_flight 2\n") && !server.blobs().isEmpty
        }
        #expect(process.isRunning)
    }

    @Test("passes events on as they come, and those that were missed to who comes back")
    func events() throws {
        let server = try Server("--workers", "1")
        let nginx = try Nginx(server)
        try nginx.start()
        let video = try Material.syntheticVideo(frames: 900, targets: 3, size: "640x480")
        let id = try server.submit(["video=@\(video.path)"] + video.boxes.map { "roi=\($0)" })
        let file = nginx.folder.path("events")
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments =
            ["curl", "-sN", "-o", file] + nginx.curl + [nginx.url + "/v1/jobs/\(id)/events?frames=true"]
        try process.run()
        defer {
            kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
        }
        // A proxy that keeps answers until they are whole, or a few pages long, would have nothing before the end.
        var seen = ""
        try poll("a frame, while the job runs") {
            seen = (try? String(contentsOfFile: file, encoding: .utf8)) ?? ""
            return seen.contains("event: frame")
        }
        #expect(try server.status(id) == "running")
        #expect(process.isRunning && seen.contains("event: status") && !seen.contains("event: end"))
        #expect(try server.post("/v1/jobs/\(id)/cancel", []).status == 202)
        process.waitUntilExit()
        let all = try String(contentsOfFile: file, encoding: .utf8)
        #expect(all.contains("event: end") && all.hasPrefix(seen))
        // Back after the first event, by the id that came with it.
        let first = try #require(all.firstMatch(of: /(?m)^id: ?(.*)$/)?.output.1)
        let rest = try nginx.get("/v1/jobs/\(id)/events?frames=true", "-H", "Last-Event-ID: \(first)")
        #expect(rest.status == 200 && rest["Content-Type"]?.hasPrefix("text/event-stream") == true)
        #expect(rest.text.contains("event: end") && !rest.text.contains("id: \(first)\n"))
    }

    @Test("sends plain HTTP to TLS, and keeps the metrics to the machine")
    func paths() throws {
        let server = try Server()
        let nginx = try Nginx(server)
        try nginx.start()
        let plain = try Curl.get(
            "http://127.0.0.1:\(nginx.plainPort)/v1/jobs?limit=1", "-H", "Host: lktrack.example.com")
        #expect(plain.status == 308)
        #expect(plain["Location"] == "https://lktrack.example.com/v1/jobs?limit=1")
        #expect(try nginx.get("/metrics").status == 404)
        #expect(try server.get("/metrics").status == 200)
    }
}
