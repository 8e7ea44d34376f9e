import Foundation
import Glibc
import Testing

/// Jobs that are watched while they run, by real clients of the real server.
@Suite("Watching", .serialized)
struct WatchingTests {
    /// Its job lasts long enough to be caught in the middle.
    private func longJob(_ server: Server, frames: Int = 1000) throws -> String {
        let video = try Material.syntheticVideo(frames: frames, size: "160x120")
        return try server.submit(
            ["video=@\(video.path)"] + Array(repeating: "roi=\(video.boxes[0])", count: LifeTests.targets))
    }

    private func shortJob(_ server: Server, frames: Int = 30) throws -> String {
        let video = try Material.syntheticVideo(frames: frames)
        return try server.submit(["video=@\(video.path)", "roi=\(video.boxes[0])"])
    }

    private func result(_ server: Server, _ id: String) throws -> [String] {
        try server.get("/v1/jobs/\(id)/results?format=ndjson").lines.map(String.init)
    }

    private func frames(_ events: [EventClient.Event]) -> [String] { events.filter { $0.name == "frame" }.map(\.data) }

    @Test("curl sees a job's states, a frame event for each line of its result, and its end")
    func curl() throws {
        let server = try Server("--workers", "1")
        let blocker = try longJob(server)
        let id = try shortJob(server)
        let watcher = try EventClient(server, "/v1/jobs/\(id)/events?frames=true")
        try watcher.read { $0.count(of: "status") == 1 }
        #expect(try server.post("/v1/jobs/\(blocker)/cancel", []).status == 202)
        let answer = try Curl.run(["-N", "\(server.url)/v1/jobs/\(id)/events?frames=true"])
        #expect(answer.exitStatus == 0)
        #expect(answer["Content-Type"] == "text/event-stream")
        #expect(answer["X-Accel-Buffering"] == "no")
        try watcher.read()
        #expect(watcher.isWhole)
        let lines = try result(server, id)
        #expect(lines.count == 30)
        #expect(frames(watcher.events) == lines)
        #expect(answer.text.components(separatedBy: "\nevent: frame\n").count == 31)
        #expect(watcher.events.filter { $0.name == "status" }.count == 3)
        let end = try #require(watcher.events.last)
        #expect(end.name == "end")
        let job = try #require(try JSONSerialization.jsonObject(with: Data(end.data.utf8)) as? [String: Any])
        #expect(job["status"] as? String == "succeeded")
        let again = try Curl.run(["-H", "Last-Event-ID: \(end.id)", "\(server.url)/v1/jobs/\(id)/events"])
        #expect(again.status == 204)
    }

    @Test(
        "a watcher that the server was restarted under goes on where it was, stopped or killed",
        arguments: [false, true])
    func restart(isKilled: Bool) throws {
        let server = try Server("--workers", "1", environment: ["LKTRACK_SERVER_SHUTDOWN_SECONDS": "0"])
        let id = try longJob(server, frames: 300)
        let path = "/v1/jobs/\(id)/events?frames=true"
        let first = try EventClient(server, path)
        try first.read { $0.count(of: "frame") > 20 }
        if isKilled { server.crash() } else { #expect(server.stop() == 0) }
        try first.read()
        #expect(first.isWhole == !isKilled)
        #expect(first.count(of: "end") == 0)
        let seen = try #require(first.events.last)

        try server.start()
        let second = try EventClient(server, path, ["Last-Event-ID: \(seen.id)"])
        try second.read()
        #expect(second.events.last?.name == "end")
        let lines = try result(server, id)
        #expect(lines.count == 300)
        let all = frames(first.events + second.events)
        #expect(all.count == 300)
        #expect(all == lines)
    }

    @Test("a result is followed to its last line")
    func follow() throws {
        let server = try Server("--workers", "1")
        let id = try longJob(server, frames: 300)
        let followed = try server.get("/v1/jobs/\(id)/results?format=ndjson&partial=true&follow=true", "-N")
        #expect(followed.exitStatus == 0)
        #expect(followed.lines.count == 300)
        #expect(try server.status(id) == "succeeded")
        #expect(try server.get("/v1/jobs/\(id)/results?format=ndjson").body == followed.body)
    }

    @Test("Prefer: wait brings a change of state as soon as it is there")
    func wait() throws {
        let server = try Server("--workers", "1")
        let id = try longJob(server, frames: 300)
        var states: [String] = []
        while states.last.map({ ["queued", "running"].contains($0) }) ?? true {
            let answer = try server.get("/v1/jobs/\(id)", "-H", "Prefer: wait=60")
            try #require(answer.status == 200)
            #expect(answer["Preference-Applied"] == "wait=60")
            states.append(try #require(try answer.json()["status"] as? String))
        }
        #expect(states.last == "succeeded")
        #expect(states.count <= 3, "\(states)")
    }

    @Test("a job that another process runs is watched all the same")
    func otherProcess() throws {
        let api = try Server(environment: ["LKTRACK_ROLES": "api"])
        let id = try longJob(api, frames: 300)
        let watcher = try EventClient(api, "/v1/jobs/\(id)/events?frames=true")
        try watcher.read { $0.count(of: "status") == 1 }
        let worker = try Server("--workers", "1", data: api.data)
        try watcher.read()
        #expect(watcher.events.last?.name == "end")
        #expect(frames(watcher.events) == (try result(worker, id)))
        #expect(watcher.count(of: "progress") > 0)
    }

    @Test("a deleted job ends its watchers, and a canceled one")
    func endedByClients() throws {
        let server = try Server("--workers", "1")
        for method in ["DELETE", "POST"] {
            let id = try longJob(server)
            let watcher = try EventClient(server, "/v1/jobs/\(id)/events?frames=true")
            try watcher.read { $0.count(of: "frame") > 0 }
            let path = "/v1/jobs/\(id)" + (method == "POST" ? "/cancel" : "")
            #expect(try Curl.run(["-X", method, server.url + path]).status == (method == "POST" ? 202 : 204))
            try watcher.read()
            #expect(watcher.isWhole)
            let status = method == "POST" ? "canceled" : "deleted"
            #expect(watcher.events.last?.name == "end")
            #expect(watcher.events.last?.data.contains("\"status\":\"\(status)\"") == true)
        }
    }

    @Test("a stop ends every stream and answers whoever waits")
    func stop() throws {
        let server = try Server("--workers", "1", environment: ["LKTRACK_SERVER_SHUTDOWN_SECONDS": "0"])
        let id = try longJob(server)
        let watchers = try (0..<40).map { index in
            try EventClient(server, "/v1/jobs/\(id)/events" + (index % 2 == 0 ? "?frames=true" : ""))
        }
        for watcher in watchers { try watcher.read { $0.count(of: "status") > 0 } }
        let follower = try EventClient(
            server, "/v1/jobs/\(id)/results?format=ndjson&partial=true&follow=true")
        try follower.read { $0.text.contains("\"frame\":0") }
        let held = try (0..<5).map { _ in
            try EventClient(server, "/v1/jobs/\(id)", ["Accept: */*", "Prefer: wait=60"])
        }
        try poll("the requests to be read", seconds: 20) { connectionsRead(server.port) >= 46 }
        #expect(server.stop() == 0)
        for client in held {
            try client.read()
            #expect(client.status == 200)
            #expect(client.text.contains("Preference-Applied: wait=60"))
        }
        for watcher in watchers {
            try watcher.read()
            #expect(watcher.isWhole)
            #expect(watcher.count(of: "end") == 0)
        }
        try follower.read()
        #expect(!follower.isWhole, "a followed result that is not whole must not look so")
        #expect(!server.log.text.contains("Fatal error"))
    }

    @Test("1,000 watchers at a time all see the end, with less than 200 MiB and no thread of their own")
    func thousand() throws {
        let count = 1000
        try #require(allowOpenFiles(count + 200))
        let server = try Server(
            "--workers", "1", environment: ["LKTRACK_SERVER_CONNECTIONS": "2000"])
        let blocker = try longJob(server)
        let id = try shortJob(server, frames: 20)
        let other = try shortJob(server, frames: 20)
        try poll("the blocking job to run") { try server.status(blocker) == "running" }
        let threadsBefore = try threads(server)

        let watchers = try (0..<count).map { index in
            let job = index % 4 == 0 ? other : id
            return try EventClient(server, "/v1/jobs/\(job)/events" + (index % 2 == 0 ? "?frames=true" : ""))
        }
        for watcher in watchers { try watcher.read { $0.count(of: "status") == 1 } }
        #expect(server.memory("VmRSS") < 200 << 20, "\(server.memory("VmRSS") >> 20) MiB")
        #expect(try threads(server) < threadsBefore + 10)
        #expect(try server.get("/v1/jobs/\(id)").status == 200)

        #expect(try server.post("/v1/jobs/\(blocker)/cancel", []).status == 202)
        for watcher in watchers { try watcher.read() }
        #expect(watchers.count { $0.isWhole && $0.events.last?.name == "end" } == count)
        let (lines, otherLines) = (try result(server, id), try result(server, other))
        #expect(lines.count == 20)
        for (index, watcher) in watchers.enumerated() where index % 2 == 0 {
            #expect(frames(watcher.events) == (index % 4 == 0 ? otherLines : lines))
        }
        #expect(server.memory("VmHWM") < 200 << 20, "\(server.memory("VmHWM") >> 20) MiB")
        #expect(try threads(server) < threadsBefore + 10)
    }

    @Test("one key's streams leave connections for others, and make room when their clients leave")
    func share() throws {
        // Nobody works, so that no stream ends by itself.
        let server = try Server(environment: ["LKTRACK_ROLES": "api", "LKTRACK_SERVER_CONNECTIONS": "24"])
        let (loud, quiet) = (try server.key("loud")[1], try server.key("quiet")[1])
        let clip = try Clip.make(frames: 3)
        let id = try #require(try server.wire.submit(clip, fields: [loud]))
        let other = try #require(try server.wire.submit(clip, fields: [quiet]))
        func open(_ path: String) throws -> EventClient {
            let client = try EventClient(server, path, [loud])
            try client.read { $0.text.contains("\r\n\r\n") }
            return client
        }
        do {
            let held = try (0..<2).map { _ in try EventClient(server, "/v1/jobs/\(id)", [loud, "Prefer: wait=60"]) }
            try poll("the requests to be read", seconds: 20) { connectionsRead(server.port) >= 2 }
            var streams: [EventClient] = []
            var refused: EventClient?
            while refused == nil, streams.count < 24 {
                let follow = "/results?format=ndjson&partial=true&follow=true"
                let client = try open("/v1/jobs/\(id)" + (streams.count % 2 == 0 ? "/events" : follow))
                if client.status == 200 { streams.append(client) } else { refused = client }
                #expect(try server.wire.get("/v1/jobs/\(other)", [quiet]).status == 200)
                #expect(try server.wire.get("/healthz").status == 200)
            }
            #expect(refused?.status == 429)
            #expect(refused?.text.contains("urn:lktrack:problem:too-many-streams") == true)
            #expect(refused?.text.contains("Retry-After: ") == true)
            // A request that was read may not be held yet when the first stream comes.
            #expect((10...12).contains(streams.count))
            // Who would wait is told how things are.
            let answer = try server.wire.get("/v1/jobs/\(id)", [loud, "Prefer: wait=60"])
            #expect(answer.status == 200)
            #expect(answer.json["status"] as? String == "queued")
            withExtendedLifetime(held) {}
        }
        var again: [EventClient] = []
        try poll("the places to be given back", seconds: 30) {
            let client = try open("/v1/jobs/\(id)/events")
            if client.status == 200 { again.append(client) }
            return again.count == 12
        }
        #expect(try open("/v1/jobs/\(id)/events").status == 429)
    }

    // MARK: What the kernel says

    private func threads(_ server: Server) throws -> Int {
        try FileManager.default.contentsOfDirectory(atPath: "/proc/\(server.processIdentifier)/task").count
    }

    /// Connections of clients on a port of which the server has read everything that was sent.
    private func connectionsRead(_ port: Int) -> Int {
        let local = String(format: ":%04X", port)
        // `String(contentsOfFile:)` takes the first page only.
        let table = FileHandle(forReadingAtPath: "/proc/net/tcp")?.readDataToEndOfFile() ?? Data()
        return String(decoding: table, as: UTF8.self).split(separator: "\n").count { line in
            let fields = line.split(separator: " ")
            return fields.count > 4 && fields[1].hasSuffix(local) && fields[3] == "01"
                && fields[4].hasSuffix(":00000000")
        }
    }
}
