import Foundation
import Glibc
import Testing

/// A job's life: canceled, deleted, interrupted, resumed.
@Suite("The life of a job", .serialized)
struct LifeTests {
    static let frames = 1000
    /// So many that a job can be caught in the middle, however fast the machine.
    static let targets = 16

    private func longVideo() throws -> Material.Video {
        try Material.syntheticVideo(frames: Self.frames, size: "160x120")
    }

    private func submitLong(_ server: Server, _ video: Material.Video) throws -> String {
        try server.submit(
            ["video=@\(video.path)"] + Array(repeating: "roi=\(video.boxes[0])", count: Self.targets))
    }

    private func runningJob(_ server: Server, _ video: Material.Video) throws -> String {
        let id = try submitLong(server, video)
        try poll("the first frames") { try server.framesDone(id) > 0 }
        return id
    }

    @Test("a canceled job stops within a second and keeps the frames it has")
    func cancel() throws {
        let server = try Server("--workers", "1")
        let id = try runningJob(server, try longVideo())
        let asked = ContinuousClock.now
        #expect(try server.post("/v1/jobs/\(id)/cancel", []).status == 202)
        let job = try server.finish(id)
        #expect(ContinuousClock.now - asked < .seconds(1.5))
        #expect(job["status"] as? String == "canceled")
        let done = try #require((job["progress"] as? [String: Any])?["frames_done"] as? Int)
        #expect(done > 0 && done < Self.frames)
        #expect(try server.get("/v1/jobs/\(id)/results?format=ndjson&partial=true").lines.count == done)
        #expect(server.decoders().isEmpty)
    }

    @Test("a deleted job leaves nothing behind, running or not")
    func delete() throws {
        let server = try Server("--workers", "1")
        let video = try longVideo()
        let running = try runningJob(server, video)
        let queued = try submitLong(server, video)
        for id in [running, queued] {
            #expect(try Curl.run(["-X", "DELETE", "\(server.url)/v1/jobs/\(id)"]).status == 204)
            #expect(try server.get("/v1/jobs/\(id)").status == 404)
        }
        try poll("the worker to let go") { server.isIdle && server.blobs().isEmpty }
        #expect(server.blobs().isEmpty)
        #expect(try server.get("/readyz").status == 200)
    }

    @Test("kill -9 in the middle of a job: the next start finishes it, with the bytes of an undisturbed run")
    func crash() throws {
        let server = try Server("--workers", "1")
        let video = try longVideo()
        let interrupted = try runningJob(server, video)
        let waiting = try submitLong(server, video)
        #expect(!server.decoders().isEmpty)
        let decoders = server.children()
        server.crash()
        try poll("the decoders to die with their server") { decoders.allSatisfy { kill($0, 0) != 0 } }

        try server.start()
        let job = try server.finish(interrupted)
        #expect(job["status"] as? String == "succeeded")
        #expect(job["attempt"] as? Int == 2)
        let undisturbed = try server.finish(waiting)
        #expect(undisturbed["status"] as? String == "succeeded")
        #expect(undisturbed["attempt"] as? Int == 1)
        let results = try [interrupted, waiting].map { try server.get("/v1/jobs/\($0)/results?format=ndjson").body }
        #expect(results[0] == results[1])
        #expect(results[0].split(separator: UInt8(ascii: "\n")).count == Self.frames)
    }

    @Test("SIGTERM requeues what runs, unharmed; the next start finishes it")
    func gracefulStop() throws {
        let server = try Server("--workers", "1", environment: ["LKTRACK_SERVER_SHUTDOWN_SECONDS": "0"])
        let id = try runningJob(server, try longVideo())
        #expect(server.stop() == 0)
        try server.start()
        let job = try server.finish(id)
        #expect(job["status"] as? String == "succeeded")
        // The attempt that was given back does not count.
        #expect(job["attempt"] as? Int == 1)
    }

    @Test("after SIGTERM what is under way comes to its end, an upload and a job, and no other job is begun")
    func draining() throws {
        let server = try Server("--workers", "1", environment: ["LKTRACK_SERVER_SHUTDOWN_SECONDS": "600"])
        let clip = try Clip.make(frames: 5).padded(to: 2 << 20)
        let running = try runningJob(server, try longVideo())
        let waiting = try #require(try server.wire.submit(clip))
        let client = try WireClient(port: server.port)
        client.send(
            "POST /v1/jobs?roi=\(clip.box) HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
                + "Content-Type: application/octet-stream\r\nContent-Length: \(clip.bytes.count)\r\n\r\n")
        var sent = clip.bytes.count / 2
        client.send(Array(clip.bytes[..<sent]))
        // The sources of three jobs, one of them half of one.
        try poll("the upload to begin") { server.blobs().count { $0.hasSuffix("source") } == 3 }
        kill(server.processIdentifier, SIGTERM)
        // Slowly, but not as slowly as bodies are cut for. When the job has ended, its worker could begin the next.
        while server.log.line(containing: "job ended", seconds: 0.5) == nil, sent + 2048 < clip.bytes.count {
            client.send(Array(clip.bytes[sent..<sent + 2048]))
            sent += 2048
        }
        #expect(server.log.line(containing: "job ended")?.contains(running) == true)
        client.send(Array(clip.bytes[sent...]))
        let answer = WireAnswer(client.readToEnd())
        #expect(answer.status == 202)
        let uploaded = try #require(answer.json["id"] as? String)
        try poll("the server to end") { !server.processIsRunning }
        let started = server.log.text.split(separator: "\n").filter { $0.contains("job started") }
        #expect(started.count == 1)

        try server.start()
        #expect(try server.status(running) == "succeeded")
        for id in [waiting, uploaded] {
            let job = try server.finish(id)
            #expect(job["status"] as? String == "succeeded")
            #expect(job["attempt"] as? Int == 1)
        }
    }

    @Test("a second SIGTERM stops at once, and the next start finishes what ran, with no attempt counted")
    func secondSignal() throws {
        let server = try Server("--workers", "1", environment: ["LKTRACK_SERVER_SHUTDOWN_SECONDS": "3600"])
        let id = try runningJob(server, try longVideo())
        let decoders = server.children()
        kill(server.processIdentifier, SIGTERM)
        // It lets the job finish, which takes as long as it takes; then it is asked again.
        #expect(server.log.line(containing: "asked to stop") != nil)
        #expect(server.processIsRunning)
        server.stop()
        #expect(decoders.allSatisfy { kill($0, 0) != 0 })
        try server.start()
        let job = try server.finish(id)
        #expect(job["status"] as? String == "succeeded")
        #expect(job["attempt"] as? Int == 1)
    }

    @Test("a decoder that is killed fails its job with a clear error, and nothing else")
    func killedDecoder() throws {
        let server = try Server("--workers", "1")
        let id = try runningJob(server, try longVideo())
        var killed: Set<Int32> = []
        try poll("the job to end") {
            for decoder in server.decoders() where killed.insert(decoder).inserted { kill(decoder, SIGKILL) }
            return try server.status(id) == "failed"
        }
        let error = try #require(try server.job(id)["error"] as? [String: Any])
        #expect(error["code"] as? String == "decoder_crashed")
        #expect(killed.count == 2, "one retry")
        let video = try Material.syntheticVideo(frames: 5)
        let next = try server.submit(["video=@\(video.path)", "roi=\(video.boxes[0])"])
        #expect(try server.finish(next)["status"] as? String == "succeeded")
        #expect(try server.get("/readyz").status == 200)
    }

    @Test("a decoder that hangs fails its job when the stall limit has passed")
    func hangingDecoder() throws {
        let server = try Server(
            "--workers", "1", environment: ["LKTRACK_LIMITS_DECODER_STALL_SECONDS": "1"])
        let id = try runningJob(server, try longVideo())
        try poll("the job to end") {
            for decoder in server.decoders() { kill(decoder, SIGSTOP) }
            return try server.status(id) == "failed"
        }
        let error = try #require(try server.job(id)["error"] as? [String: Any])
        #expect(error["code"] as? String == "decoder_timeout")
        #expect(server.decoders().isEmpty)
    }

    @Test("two servers cannot share a data folder's jobs twice: each job ends once")
    func twoProcesses() throws {
        let video = try Material.syntheticVideo(frames: 10)
        let first = try Server("--workers", "1")
        let second = try Server("--workers", "1", data: first.data)
        let ids = try (0..<20).map { index in
            try (index % 2 == 0 ? first : second).submit(["video=@\(video.path)", "roi=\(video.boxes[0])"])
        }
        for id in ids {
            let job = try first.finish(id)
            #expect(job["status"] as? String == "succeeded")
            #expect(job["attempt"] as? Int == 1)
        }
    }
}
