import Foundation
import Testing

@testable import lktrack

@Suite("Keys and tenants", .serialized)
struct KeysTests {
    @Test("a key is made, used, listed and revoked while the server runs, and the first one closes it")
    func life() throws {
        let server = try Server("--workers", "1")
        #expect(try server.get("/v1/jobs").status == 200)
        let made = try server.keys(
            "create", "--tenant", "acme", "--name", "the pipeline", "--rate", "600/m", "--burst", "50")
        #expect(made.status == 0, "\(made.standardError)")
        let key = try #require(made.lines.first)
        #expect(made.lines.count == 1)
        #expect(key.wholeMatch(of: /lkt_[A-Za-z0-9_-]{43}/) != nil)
        #expect(made.standardError.contains("acme"))
        #expect(!made.standardError.contains(key))
        let authorization = ["-H", "Authorization: Bearer \(key)"]

        try poll("the server to close", seconds: 10) { try server.get("/v1/jobs").status == 401 }
        let refused = try server.get("/v1/jobs")
        #expect(refused["Content-Type"] == "application/problem+json")
        #expect(refused["WWW-Authenticate"] == "Bearer realm=\"lktrack\"")
        let answer = try server.get("/v1/jobs", authorization)
        #expect(answer.status == 200)
        #expect(answer["RateLimit-Policy"] == "\"requests\";q=50;w=5")
        for path in ["/healthz", "/readyz", "/"] { #expect(try server.get(path).status == 200) }

        var listed: [[String: Any]] = []
        try poll("the last use to be noted", seconds: 10) {
            let text = try server.keys("list", "--json").standardOutput
            listed = (try JSONSerialization.jsonObject(with: text) as? [String: Any])?["keys"] as? [[String: Any]] ?? []
            return listed.first?["last_used_at"] is String
        }
        #expect(listed.count == 1)
        #expect(listed[0]["tenant"] as? String == "acme")
        #expect(listed[0]["name"] as? String == "the pipeline")
        #expect(listed[0]["requests_per_second"] as? Double == 10)
        #expect(listed[0]["revoked_at"] is NSNull)
        let id = try #require(listed[0]["id"] as? String)
        let table = try server.keys("list").text
        #expect(table.contains(id) && table.contains("the pipeline"))
        #expect(!table.contains(key))

        #expect(try server.keys("revoke", id).status == 0)
        try poll("the key to end", seconds: 10) { try server.get("/v1/jobs", authorization).status == 401 }
        #expect(try server.get("/v1/jobs", authorization)["WWW-Authenticate"]?.contains("invalid_token") == true)
        #expect(try server.get("/v1/jobs").status == 401)
        #expect(try server.keys("revoke", "nothing").status == 66)
        #expect(!server.log.text.contains(key))
    }

    @Test("the README's lines on keys work as they stand")
    func readme() throws {
        let server = try Server("--workers", "1")
        let lines = ReadmeTests.text.split(separator: "\n").filter {
            $0.contains("lktrack keys ") || $0.contains("$KEY")
        }
        .filter { ["KEY=", "curl ", "lktrack "].contains(where: $0.hasPrefix) }
        #expect(lines.count == 4)
        let script = lines.joined(separator: "\n")
            .replacing("curl ", with: "curl -sS --fail-with-body --retry 10 --retry-delay 1 --retry-all-errors ")
            .replacing("localhost:8080", with: "127.0.0.1:\(server.port)")
            .replacing("9f86d081884c", with: "$(lktrack keys list --json | jq -r '.keys[0].id')")
        let setting = """
            set -e -u -o pipefail
            export PATH=\(URL(fileURLWithPath: Executable.lktrack).deletingLastPathComponent().path):$PATH
            export LKTRACK_DATA_DIR=\(server.data.url.path)

            """
        let output = try Executable.run("/usr/bin/env", ["bash", "-c", setting + script], in: server.data.url)
        #expect(output.status == 0, "\(output.standardError)")
        #expect(output.text.contains("\"jobs\"") && output.text.contains("acme"))
    }

    @Test("only a loopback address is served without keys; with one, any is")
    func addresses() throws {
        let folder = try TemporaryFolder()
        let refused = try Executable.lktrack(
            "serve", "--address", "0.0.0.0", "--port", "0", "--data-dir", folder.path("data"), in: folder.url)
        #expect(refused.status == 78)
        #expect(refused.standardError.contains("lktrack keys create"))
        #expect(refused.standardError.contains("auth: none"))

        let made = try Executable.lktrack(
            "keys", "create", "--tenant", "a", "--data-dir", folder.url.path, in: folder.url)
        let key = try #require(made.lines.first)
        let server = try Server("--address", "0.0.0.0", data: folder)
        #expect(try server.get("/v1/jobs").status == 401)
        #expect(try server.get("/v1/jobs", ["-H", "Authorization: Bearer \(key)"]).status == 200)
        #expect(server.stop() == 0)

        let open = try Server("--address", "0.0.0.0", environment: ["LKTRACK_AUTH": "none"], data: folder)
        #expect(try open.get("/v1/jobs").status == 200)
    }

    @Test(
        "what cannot be is refused with the option's name, and makes no key",
        arguments: [
            ["--tenant", "a b"], ["--tenant", ""], ["--tenant", "a", "--rate", "0"],
            ["--tenant", "a", "--rate", "5/d"],
            ["--tenant", "a", "--rate", "1/s", "--burst", "0"], ["--tenant", "a", "--burst", "3"],
            ["--tenant", "a", "--queued", "-1"], ["--tenant", "a", "--running", "-1"],
            ["--tenant", "a", "--name", "a\nb"], ["--tenant", "a", "--stored", "-1"],
            ["--tenant", "a", "--stored", "5GB"],
        ])
    func wrongOptions(arguments: [String]) throws {
        let folder = try TemporaryFolder()
        let data = ["--data-dir", folder.url.path]
        let output = try Executable.run(Executable.lktrack, ["keys", "create"] + arguments + data, in: folder.url)
        #expect(output.status == 64)
        #expect(output.standardOutput.isEmpty)
        #expect(output.standardError.contains(arguments[arguments.count - 2]))
        #expect(try Executable.run(Executable.lktrack, ["keys", "list"] + data, in: folder.url).status == 66)
    }

    /// The path of a request for something of the owner's; `nil` where the pattern names nothing that could be somebody's.
    private func path(_ pattern: String, job: String, _ server: Server, _ owner: [String]) throws -> String? {
        guard pattern.hasPrefix("/v1/"), pattern.contains("{") else { return nil }
        if pattern.hasPrefix("/v1/jobs/{id}") {
            return pattern.replacing("{id}", with: job).replacing("{n}", with: "0").replacing("{t}", with: "target-1")
        }
        if pattern.hasPrefix("/v1/uploads/{") {
            let made = try server.post(
                "/v1/uploads", owner + ["-H", "Tus-Resumable: 1.0.0", "-H", "Upload-Length: 10"])
            let location: String = try #require(made["Location"], "\(made.status)")
            return location
        }
        Issue.record("say here how a stranger would ask for what \(pattern) is about")
        return nil
    }

    @Test("somebody else's job is 404 on every route that there is")
    func everyRoute() throws {
        let folder = try TemporaryFolder()
        var configuration = ServiceConfiguration()
        configuration.dataDirectory = folder.url.path
        let service = try Service(configuration, log: ServiceLog(level: .error).logger)
        let routes = service.api.routes.map { $0.split(separator: " ").map(String.init) }
        #expect(routes.count >= 12)

        let video = try Material.syntheticVideo(frames: 6)
        let server = try Server("--workers", "1")
        let (owner, stranger) = (try server.key("owner"), try server.key("stranger"))
        let submitted = try server.post(
            "/v1/jobs",
            owner + ["-F", "video=@\(video.path)", "-F", "roi=\(video.boxes[0])", "-F", #"output={"video":"mp4"}"#])
        let job = try #require(try submitted.json()["id"] as? String)
        try poll("the job to end") {
            try server.get("/v1/jobs/\(job)", owner).json()["status"] as? String == "succeeded"
        }
        let body = ["-H", "Content-Type: application/offset+octet-stream", "-H", "Upload-Offset: 0", "-d", ""]
        var asked = 0
        for route in routes {
            let (method, pattern) = (route[0], route[1])
            guard let path = try path(pattern, job: job, server, owner) else { continue }
            let content = ["POST", "PATCH", "PUT"].contains(method) ? body : []
            let arguments = (method == "HEAD" ? ["-I"] : ["-X", method]) + content + ["-H", "Tus-Resumable: 1.0.0"]
            let answer = try Curl.run(arguments + stranger + [server.url + path])
            #expect(answer.status == 404, "\(method) \(pattern): \(answer.text)")
            let nobody = try Curl.run(arguments + [server.url + path])
            #expect(nobody.status == 401, "\(method) \(pattern)")
            asked += 1
        }
        #expect(asked >= 7)
        for part in ["", "/results", "/video", "/source", "/frames/0"] {
            #expect(try server.get("/v1/jobs/\(job)\(part)", owner).status == 200, "\(part)")
        }
        #expect(try server.get("/v1/jobs", stranger).json()["jobs"] as? [[String: String]] == [])
    }

    @Test("a tenant that keeps as much as it may is refused, another is not, and deleting a job frees what it kept")
    func storedQuota() throws {
        let video = try Material.syntheticVideo(frames: 20)
        let bytes = try Data(contentsOf: URL(fileURLWithPath: video.path)).count
        let server = try Server("--workers", "1")
        let key = try server.key("limited", "--stored", String(bytes * 3 / 2))
        let other = try server.key("other")
        let form = ["-F", "video=@\(video.path)", "-F", "roi=\(video.boxes[0])"]
        func expectRefusal(_ answer: Curl.Response) throws {
            #expect(answer.status == 507, "\(answer.text)")
            #expect(try answer.json()["type"] as? String == "urn:lktrack:problem:stored-quota-exceeded")
        }
        let first = try server.post("/v1/jobs", key + form)
        #expect(first.status == 202, "\(first.text)")
        let job = try #require(try first.json()["id"] as? String)
        try expectRefusal(try server.post("/v1/jobs", key + form))
        let upload = ["-H", "Tus-Resumable: 1.0.0", "-H", "Upload-Length: \(bytes)"]
        try expectRefusal(try server.post("/v1/uploads", key + upload))
        #expect(try server.post("/v1/jobs", other + form).status == 202)

        try poll("the job to end") {
            try server.get("/v1/jobs/\(job)", key).json()["status"] as? String == "succeeded"
        }
        let listed = try JSONSerialization.jsonObject(with: server.keys("list", "--json").standardOutput)
        let keys = (listed as? [String: Any])?["keys"] as? [[String: Any]] ?? []
        let stored = keys.first { $0["tenant"] as? String == "limited" }?["stored_bytes"] as? Int
        let kept = try server.blobs().filter { $0.hasPrefix("jobs/\(job)/") }.map { name in
            try Data(contentsOf: server.data.url.appendingPathComponent("blobs/\(name)")).count
        }
        #expect(kept.count == 2 && stored == kept.reduce(0, +), "source and result")

        #expect(try Curl.run(["-X", "DELETE"] + key + [server.url + "/v1/jobs/\(job)"]).status == 204)
        #expect(try server.post("/v1/jobs", key + form).status == 202)
        try expectRefusal(try server.post("/v1/jobs", key + form))
    }

    @Test("one tenant floods the queue, and another's job is done long before")
    func fairness() throws {
        let video = try Material.syntheticVideo(frames: 30)
        let server = try Server("--workers", "1")
        let (loud, quiet) = (try server.key("loud"), try server.key("quiet"))
        func submit(_ key: [String]) throws -> String {
            let form = ["-F", "video=@\(video.path)", "-F", "roi=\(video.boxes[0])"]
            return try #require(try server.post("/v1/jobs", key + form).json()["id"] as? String)
        }
        for _ in 0..<40 { _ = try submit(loud) }
        let job = try submit(quiet)
        try poll("the quiet tenant's job to end") {
            try server.get("/v1/jobs/\(job)", quiet).json()["status"] as? String == "succeeded"
        }
        let waiting = try server.get("/v1/jobs?status=queued&limit=200", loud).json()["jobs"] as? [Any]
        #expect((waiting?.count ?? 0) > 5)
    }

    @Test("kill -9 after a submission: a retry with its key finds the job that is there")
    func retryAfterCrash() throws {
        let video = try Material.syntheticVideo(frames: 5)
        let server = try Server("--workers", "1")
        let form = ["-F", "video=@\(video.path)", "-F", "roi=\(video.boxes[0])", "-H", "Idempotency-Key: \"a-1\""]
        let first = try server.post("/v1/jobs", form)
        #expect(first.status == 202)
        server.crash()
        try server.start()
        let retry = try server.post("/v1/jobs", form)
        #expect(retry.status == 202)
        #expect(retry["Idempotency-Replayed"] == "true")
        #expect(retry.body == first.body)
        #expect(retry["Location"] == first["Location"])
        #expect((try server.get("/v1/jobs").json()["jobs"] as? [Any])?.count == 1)
        let id = try #require(try first.json()["id"] as? String)
        #expect(try server.finish(id)["status"] as? String == "succeeded")
        #expect(server.blobs().allSatisfy { $0.hasPrefix("jobs/\(id)/") }, "\(server.blobs())")
    }

    @Test("a job that expires loses its files while the server runs, and says 410")
    func expiry() throws {
        let video = try Material.syntheticVideo(frames: 5)
        let server = try Server("--workers", "1", environment: ["LKTRACK_RETENTION_SECONDS": "3"])
        let id = try server.submit(["video=@\(video.path)", "roi=\(video.boxes[0])"])
        let job = try server.finish(id)
        #expect(job["expires_at"] is String)
        #expect(!server.blobs().isEmpty)
        try poll("the files to go", seconds: 20) { server.blobs().isEmpty }
        for part in ["results", "source", "frames/0"] {
            #expect(try server.get("/v1/jobs/\(id)/\(part)").status == 410, "\(part)")
        }
        #expect(try server.status(id) == "succeeded")
    }
}
