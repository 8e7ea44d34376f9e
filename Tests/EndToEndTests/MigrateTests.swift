import Foundation
import Testing

/// The real binary moves a real server's data to a real PostgreSQL and a real bucket.
@Suite("lktrack migrate", .serialized)
struct MigrateTests {
    private let database: PostgresServer
    private let moto: MotoServer

    init() throws {
        database = try PostgresServer()
        moto = try MotoServer()
    }

    private func command(_ server: Server, _ arguments: [String], _ settings: [String: String] = [:]) -> Process {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: Executable.lktrack)
        process.arguments =
            ["migrate", "--from", "sqlite", "--to", "postgres", "--data-dir", server.data.url.path] + arguments
        process.environment = ProcessInfo.processInfo.environment.merging(moto.environment) { $1 }.merging([
            "LKTRACK_MIGRATE_STORE_URL": database.url()
        ]) { $1 }.merging(settings) { $1 }
        process.currentDirectoryURL = server.data.url
        process.standardInput = FileHandle.nullDevice
        return process
    }

    private func migrate(
        _ server: Server, _ arguments: String..., settings: [String: String] = [:]
    ) throws -> (status: Int32, text: String, error: String) {
        let process = command(server, arguments, settings)
        let (output, errors) = (try TemporaryFile(), try TemporaryFile())
        process.standardOutput = output.handle
        process.standardError = errors.handle
        try process.run()
        process.waitUntilExit()
        return (
            process.terminationStatus, String(decoding: try output.contents(), as: UTF8.self),
            String(decoding: try errors.contents(), as: UTF8.self)
        )
    }

    /// Why a server does not start.
    private func refusal(_ start: () throws -> Void) -> String {
        let error = #expect(throws: Server.Failure.self) { try start() }
        guard case .didNotStart(let log) = error else { return "" }
        return log
    }

    @Test("moves a living server, is killed, goes on, and everything is as it was on PostgreSQL and the bucket")
    func wholeWay() throws {
        let receiver = try Receiver([200])
        let hooks = [
            "LKTRACK_WEBHOOKS_ALLOW_HTTP": "true", "LKTRACK_WEBHOOKS_ALLOW_PRIVATE": "true",
            "LKTRACK_WEBHOOKS_SECRET": Receiver.secret,
        ]
        let old = try Server("--workers", "1", environment: hooks)
        let key = try old.key("acme", "--queued", "100")
        let video = try Material.syntheticVideo(frames: 30)
        let long = try Material.syntheticVideo(frames: 200)
        func submit(_ server: Server, _ more: [String], video: Material.Video, fields: [String] = []) throws -> String {
            let form = (["video=@\(video.path)"] + more).flatMap { ["-F", $0] }
            let answer = try server.post("/v1/jobs", key + fields + form)
            return try #require(try answer.json()["id"] as? String, "\(answer.text)")
        }
        func status(_ server: Server, _ id: String) throws -> String? {
            try server.get("/v1/jobs/\(id)", key).json()["status"] as? String
        }
        func ended(_ server: Server, _ id: String) throws {
            try poll("\(id) to end", seconds: 300) { ["succeeded", "failed"].contains(try status(server, id)) }
        }
        let roi = "roi=\(video.boxes[0])"
        let named = ["-H", "Idempotency-Key: \"a-1\""]
        let finished = try submit(
            old, [roi, "labels={\"camera\":\"7\"}", "webhook=http://127.0.0.1:\(receiver.port)/hook"], video: video,
            fields: named)
        let failed = try submit(old, ["roi=9000,51,107,87"], video: video)
        let dropped = try submit(old, [roi], video: video)
        for id in [finished, failed, dropped] { try ended(old, id) }
        try poll("the webhook") { try old.get("/v1/jobs/\(finished)/deliveries", key).text.contains("\"delivered\"") }
        // So many targets that it runs until the server is killed.
        let running = try submit(old, Array(repeating: "roi=\(long.boxes[0])", count: 30), video: long)
        try poll("the long job to run") { try status(old, running) == "running" }
        let queued = try submit(old, [roi], video: video)
        let canceled = try submit(old, [roi], video: video)
        _ = try old.post("/v1/jobs/\(canceled)/cancel", key)
        #expect(try status(old, canceled) == "canceled")

        let described = try migrate(old, "--dry-run", "--blobs-url", moto.url("lktrack"))
        #expect(described.status == 0, "\(described.error)")
        #expect(described.text.split(separator: "\n").contains { $0.hasPrefix("jobs ") && $0.hasSuffix(" 6") })
        #expect(described.error.contains("holds nothing yet"))
        #expect(try moto.contents().objects.isEmpty)

        let first = try migrate(old, "--blobs-url", moto.url("lktrack"))
        #expect(first.status == 75, "\(first.error)")
        #expect(first.error.contains("living installation"))
        #expect(try moto.contents().objects.contains("lktrack/jobs/\(finished)/source"))
        #expect(try Curl.run(key + ["-X", "DELETE", "\(old.url)/v1/jobs/\(dropped)"]).status == 204)
        // Blobs for the run that is killed; few of the jobs need to be tracked for that.
        let later = try (0..<24).map { _ in try submit(old, [roi], video: video) }
        for id in later.dropFirst(2) { _ = try old.post("/v1/jobs/\(id)/cancel", key) }

        /// What is told of a job that has ended; of a refusal, which names its request, the status.
        func answers(_ server: Server, _ id: String) throws -> [Data] {
            try ["", "/results?format=ndjson", "/results?format=csv", "/events", "/deliveries", "/source"].map {
                let answer = try server.get("/v1/jobs/\(id)\($0)", key)
                return answer.status == 200 ? answer.body : Data("\(answer.status)".utf8)
            }
        }
        let over = [finished, failed, canceled]
        let before = try over.map { try answers(old, $0) }
        #expect(try status(old, running) == "running")
        old.crash()

        let copied = try moto.contents().objects.count
        let killed = command(old, ["--blobs-url", moto.url("lktrack")])
        killed.standardError = FileHandle.nullDevice
        killed.standardOutput = FileHandle.nullDevice
        try killed.run()
        try poll("blobs to come") { try moto.contents().objects.count > copied }
        kill(killed.processIdentifier, SIGKILL)
        killed.waitUntilExit()
        #expect(killed.terminationReason == .uncaughtSignal)
        #expect(refusal { try old.start() }.contains("are being moved to PostgreSQL"))
        let settings = hooks.merging(moto.environment) { $1 }.merging([
            "LKTRACK_STORE_URL": database.url(), "LKTRACK_BLOBS_URL": moto.url("lktrack"),
        ]) { $1 }
        #expect(refusal { _ = try Server(environment: settings) }.contains("not all jobs have come"))

        let last = try migrate(old, "--blobs-url", moto.url("lktrack"))
        #expect(last.status == 0, "\(last.error)")
        #expect(last.text.contains("on both sides") && !last.text.contains("there"), "\(last.text)")
        #expect(try moto.contents().objects.allSatisfy { !$0.contains(dropped) })
        let again = try migrate(old, "--blobs-url", moto.url("lktrack"))
        #expect(again.status == 0 && again.error.contains("Nothing was changed"), "\(again.error)")
        #expect(refusal { try old.start() }.contains("were moved to PostgreSQL"))
        #expect(!FileManager.default.fileExists(atPath: old.data.path("migration-cache")))

        let new = try Server("--workers", "1", environment: settings)
        #expect(try new.get("/v1/jobs").status == 401)
        for (id, expected) in zip(over, before) { #expect(try answers(new, id) == expected) }
        #expect(try new.get("/v1/jobs/\(dropped)", key).status == 404)
        let labeled = try new.get("/v1/jobs?label.camera=7", key)
        #expect(labeled.text.contains(finished), "\(labeled.text)")
        let repeated = try submit(
            new, [roi, "labels={\"camera\":\"7\"}", "webhook=http://127.0.0.1:\(receiver.port)/hook"], video: video,
            fields: named)
        #expect(repeated == finished)
        #expect(try receiver.messages().count == 1)
        let newest = try submit(new, [roi], video: video)
        #expect(newest > (later + [running, queued]).max() ?? "")
        let tracked = [running, queued, newest] + later.prefix(2)
        for id in tracked { try ended(new, id) }
        for id in tracked { #expect(try status(new, id) == "succeeded") }
        let job = try new.get("/v1/jobs/\(running)", key).json()
        #expect(job["attempt"] as? Int == 2)
        #expect(try new.get("/v1/jobs/\(queued)/results?format=ndjson", key).lines.count == video.frames)
        #expect(new.stop() == 0)
    }

    @Test("an upload that still comes goes on in the bucket at the byte that its client was told")
    func upload() throws {
        let video = try Material.syntheticVideo(frames: 60, size: "640x480")
        let bytes = try Data(contentsOf: URL(fileURLWithPath: video.path))
        let old = try Server("--workers", "1")
        let tus = ["-H", "Tus-Resumable: 1.0.0"]
        let patch = ["-X", "PATCH", "-H", "Content-Type: application/offset+octet-stream"] + tus
        let created = try old.post("/v1/uploads", tus + ["-H", "Upload-Length: \(bytes.count)"])
        let path = try #require(created["Location"])
        let folder = try TemporaryFolder()
        let half = bytes.count / 2
        let first = try folder.write(bytes[..<half], to: "first")
        let sent = try Curl.run(patch + ["-H", "Upload-Offset: 0", "--data-binary", "@\(first)", old.url + path])
        #expect(sent.status == 204)
        #expect(old.stop() == 0)
        let moved = try migrate(old, "--blobs-url", moto.url("lktrack"))
        #expect(moved.status == 0, "\(moved.error)")

        let new = try Server(
            "--workers", "1",
            environment: moto.environment.merging([
                "LKTRACK_STORE_URL": database.url(), "LKTRACK_BLOBS_URL": moto.url("lktrack"),
            ]) { $1 })
        #expect(try new.get(path, "-I", "-H", "Tus-Resumable: 1.0.0")["Upload-Offset"] == "\(half)")
        let rest = try folder.write(bytes[half...], to: "rest")
        let done = try Curl.run(
            patch + ["-H", "Upload-Offset: \(half)", "--data-binary", "@\(rest)", new.url + path])
        #expect(done.status == 204 && done["Upload-Offset"] == "\(bytes.count)", "\(done.text)")
        let upload = path.split(separator: "/").last ?? ""
        let spec = #"{"source": {"upload": "\#(upload)"}, "targets": [{"box": [\#(video.boxes[0])]}]}"#
        let answer = try new.post("/v1/jobs", ["-H", "Content-Type: application/json", "-d", spec])
        let id = try #require(try answer.json()["id"] as? String, "\(answer.text)")
        #expect(try new.finish(id)["status"] as? String == "succeeded")
        #expect(try new.get("/v1/jobs/\(id)/source").body == bytes)
    }

    @Test("leaves blobs in their bucket, whose name the database takes over, and goes back")
    func bucketThatStays() throws {
        let bucket = ["LKTRACK_BLOBS_URL": moto.url("lktrack")]
        let video = try Material.syntheticVideo(frames: 10)
        let old = try Server("--workers", "1", environment: moto.environment.merging(bucket) { $1 })
        let id = try old.submit(["video=@\(video.path)", "roi=\(video.boxes[0])"])
        #expect(try old.finish(id)["status"] as? String == "succeeded")
        let result = try old.get("/v1/jobs/\(id)/results?format=ndjson").body
        let tag = try #require(try old.get("/v1/jobs/\(id)")["ETag"])
        let objects = try moto.contents().objects
        #expect(old.stop() == 0)
        let moved = try migrate(old, settings: bucket)
        #expect(moved.status == 0, "\(moved.error)")
        #expect(try moto.contents().objects == objects)

        let settings = moto.environment.merging(bucket) { $1 }.merging(["LKTRACK_STORE_URL": database.url()]) { $1 }
        let new = try Server("--workers", "1", environment: settings)
        #expect(try new.get("/v1/jobs/\(id)/results?format=ndjson").body == result)
        #expect(try new.get("/v1/jobs/\(id)")["ETag"] == tag)
        let early = try migrate(old, "--undo", settings: bucket)
        #expect(early.status == 69 && early.error.contains("still connected"), "\(early.error)")
        #expect(refusal { try old.start() }.contains("were moved to PostgreSQL"))
        #expect(new.stop() == 0)

        let undone = try migrate(old, "--undo", settings: bucket)
        #expect(undone.status == 0, "\(undone.error)")
        #expect(refusal { _ = try Server(environment: settings) }.contains("--undo"))
        try old.start()
        // What has happened to it there, a client may have seen.
        #expect(try old.get("/v1/jobs/\(id)", "-H", "If-None-Match: \(tag)").status == 200)
        #expect(try old.get("/v1/jobs/\(id)/results?format=ndjson").body == result)
        #expect(old.stop() == 0)
        let again = try migrate(old, settings: bucket)
        #expect(again.status == 73 && again.error.contains("that is new"), "\(again.error)")
    }

    @Test("does not finish while a blob is damaged, names it, and lets the server start again; or leaves it out")
    func damaged() throws {
        let video = try Material.syntheticVideo(frames: 10)
        let old = try Server("--workers", "1")
        let ids = try (0..<2).map { _ in try old.submit(["video=@\(video.path)", "roi=\(video.boxes[0])"]) }
        for id in ids { #expect(try old.finish(id)["status"] as? String == "succeeded") }
        #expect(old.stop() == 0)
        let source = "jobs/\(ids[0])/source"
        let file = try FileHandle(forUpdating: old.data.url.appendingPathComponent("blobs/\(source)"))
        try file.seek(toOffset: 100)
        try file.write(contentsOf: Data([0xAA, 0x55, 0xAA]))
        try file.close()
        let refused = try migrate(old, "--blobs-url", moto.url("lktrack"))
        #expect(refused.status == 65)
        #expect(refused.error.contains("job \(ids[0]): \(source)") && refused.error.contains("--skip-damaged"))
        try old.start()
        #expect(try old.status(ids[0]) == "succeeded")
        #expect(old.stop() == 0)
        let moved = try migrate(old, "--blobs-url", moto.url("lktrack"), "--skip-damaged", "--reread")
        #expect(moved.status == 0, "\(moved.error)")
        #expect(moved.text.contains("1 damaged"))
        let objects = try moto.contents().objects
        #expect(!objects.contains("lktrack/\(source)") && objects.contains("lktrack/jobs/\(ids[1])/source"))
    }

    @Test("what cannot be is said, with a status of its own, and changes nothing")
    func refusals() throws {
        let old = try Server("--workers", "1")
        #expect(old.stop() == 0)
        let away = try migrate(
            old, settings: ["LKTRACK_MIGRATE_STORE_URL": "postgres://u:hidden-word@127.0.0.1:\(try FreePort.find())/x"])
        #expect(away.status == 69 && away.error.contains("cannot be reached") && !away.error.contains("hidden-word"))
        #expect(try migrate(old, settings: ["LKTRACK_MIGRATE_STORE_URL": "sqlite:"]).status == 78)
        #expect(try migrate(old, "--blobs-url", "ftp://x").error.contains("--blobs-url"))
        let already = try migrate(old, settings: ["LKTRACK_STORE_URL": database.url()])
        #expect(already.status == 78 && already.error.contains("PostgreSQL already"))
        #expect(try migrate(old, "--data-dir", old.data.path("none")).status == 66)
        let noBucket = try migrate(
            old, "--blobs-url", "s3://nowhere/?endpoint=\(moto.endpoint)&region=us-east-1")
        #expect(noBucket.status == 69 && noBucket.error.contains("NoSuchBucket"), "\(noBucket.error)")

        let video = try Material.syntheticVideo(frames: 5)
        let other = try Server("--workers", "1", environment: ["LKTRACK_STORE_URL": database.url()])
        let id = try other.submit(["video=@\(video.path)", "roi=\(video.boxes[0])"])
        let occupied = try migrate(old)
        #expect(occupied.status == 73 && occupied.error.contains("its table jobs"), "\(occupied.error)")
        #expect(try other.finish(id)["status"] as? String == "succeeded")
        try old.start()
        #expect(try old.get("/v1/jobs").status == 200)
    }
}
