import Foundation
import Testing

/// The real server with its blobs in a bucket of a real server that speaks S3.
@Suite("Blobs in a bucket", .serialized)
struct BucketTests {
    private let moto: MotoServer
    private let video: Material.Video

    init() throws {
        moto = try MotoServer()
        video = try Material.syntheticVideo(frames: 60, targets: 1, size: "640x480")
    }

    private func server() throws -> Server {
        try Server(environment: moto.environment.merging(["LKTRACK_BLOBS_URL": moto.url("lktrack")]) { $1 })
    }

    /// What belongs to no job and no upload.
    private static let empty = [".installation"].map { "lktrack/" + $0 }

    private var source: Data {
        get throws { try Data(contentsOf: URL(fileURLWithPath: video.path)) }
    }

    @Test("a job goes its whole way, ranges and videos included, and leaves no object behind once it is deleted")
    func wholeWay() throws {
        let server = try server()
        #expect(try server.get("/readyz").status == 200)
        let id = try server.submit(["video=@\(video.path)", "roi=\(video.boxes[0])"])
        let path = "/v1/jobs/\(id)"
        #expect(try moto.contents().objects.contains("lktrack/jobs/\(id)/source"))
        let job = try server.finish(id)
        #expect(job["status"] as? String == "succeeded", "\(job)")
        #expect(try server.get(path + "/source").body == source)
        #expect(try server.get(path + "/source", "-r", "1000-70000").body == source[1000...70_000])
        let lines = try server.get(path + "/results?format=ndjson").lines
        #expect(lines.count == video.frames)
        let csv = try server.get(path + "/results?format=csv")
        #expect(csv.lines.count == video.frames + 1)
        #expect(try server.get(path + "/results?format=csv", "-r", "10-19").body == csv.body[10...19])
        #expect(try server.get(path + "/frames/7", "-H", "Accept: image/jpeg").status == 200)
        try poll("the annotated video") { try server.get(path + "/video").status == 200 }
        #expect(try server.get(path + "/video", "-r", "4-7").text == "ftyp")
        // Another machine has none of it but the bucket.
        try FileManager.default.removeItem(atPath: server.data.path("blob-cache"))
        try FileManager.default.createDirectory(
            atPath: server.data.path("blob-cache"), withIntermediateDirectories: true)
        #expect(try server.get(path + "/source").body == source)
        #expect(try server.get(path + "/results?format=ndjson").lines == lines)
        #expect(try server.get(path + "/frames/8", "-H", "Accept: image/jpeg").status == 200)

        #expect(try Curl.run(["-X", "DELETE", server.url + path]).status == 204)
        #expect(try moto.contents() == (Self.empty, []))
        #expect(server.stop() == 0)
    }

    @Test("an upload is resumed after kill -9 where it was told to be, and becomes a job's source within the bucket")
    func resumedUpload() throws {
        let server = try server()
        let tus = ["-H", "Tus-Resumable: 1.0.0"]
        let patch = ["-X", "PATCH", "-H", "Content-Type: application/offset+octet-stream"] + tus
        let bytes = try source
        let created = try server.post("/v1/uploads", tus + ["-H", "Upload-Length: \(bytes.count)"])
        let path = try #require(created["Location"])
        let folder = try TemporaryFolder()
        let half = bytes.count / 2
        let first = try folder.write(bytes[..<half], to: "first")
        #expect(
            try Curl.run(patch + ["-H", "Upload-Offset: 0", "--data-binary", "@\(first)", server.url + path]).status
                == 204)
        server.crash()
        try server.start()
        #expect(try server.get(path, "-I", "-H", "Tus-Resumable: 1.0.0")["Upload-Offset"] == "\(half)")
        let rest = try folder.write(bytes[half...], to: "rest")
        let done = try Curl.run(
            patch + ["-H", "Upload-Offset: \(half)", "--data-binary", "@\(rest)", server.url + path])
        #expect(done.status == 204 && done["Upload-Offset"] == "\(bytes.count)")

        let upload = path.split(separator: "/").last ?? ""
        let spec = #"{"source": {"upload": "\#(upload)"}, "targets": [{"box": [\#(video.boxes[0])]}]}"#
        let answer = try server.post("/v1/jobs", ["-H", "Content-Type: application/json", "-d", spec])
        #expect(answer.status == 202, "\(answer.text)")
        let id = try #require(try answer.json()["id"] as? String)
        #expect(try server.finish(id)["status"] as? String == "succeeded")
        #expect(try server.get("/v1/jobs/\(id)/source").body == bytes)
        let elsewhere = try moto.contents().objects.filter { !$0.hasPrefix("lktrack/jobs/\(id)/") }
        #expect(elsewhere == Self.empty)
        #expect(try Curl.run(["-X", "DELETE", "\(server.url)/v1/jobs/\(id)"]).status == 204)
        #expect(try moto.contents() == (Self.empty, []))
    }

    @Test("a job that came in on one machine is tracked on another, and its frames are seen while they come")
    func machines() throws {
        // One database, two data folders: what the machines share of the blobs is the bucket alone.
        let shared = try TemporaryFolder()
        let environment = moto.environment.merging([
            "LKTRACK_BLOBS_URL": moto.url("lktrack"), "LKTRACK_STORE_URL": "sqlite:\(shared.path("jobs.sqlite"))",
        ]) { $1 }
        let api = try Server(environment: environment.merging(["LKTRACK_ROLES": "api"]) { $1 })
        let worker = try Server(
            "--workers", "1", environment: environment.merging(["LKTRACK_ROLES": "worker"]) { $1 })
        defer { worker.stop() }
        let long = try Material.syntheticVideo(frames: 400, size: "160x120")
        let id = try api.submit(["video=@\(long.path)"] + Array(repeating: "roi=\(long.boxes[0])", count: 16))
        let results = "/v1/jobs/\(id)/results?format=ndjson"
        var seen: [Substring] = []
        try poll("the first frames") {
            seen = try api.get(results + "&partial=true").lines
            return !seen.isEmpty
        }
        #expect(seen.count < long.frames)
        #expect(try api.finish(id)["status"] as? String == "succeeded")
        let lines = try api.get(results).lines
        #expect(lines.count == long.frames)
        #expect(lines.starts(with: seen.filter { $0.hasSuffix("}") }))
        #expect(try moto.contents().objects.allSatisfy { !$0.contains("/.drafts/") })
    }

    @Test("a bucket that is gone is shown by /readyz, and no job comes in until it is back")
    func outage() throws {
        let server = try server()
        moto.stop()
        try poll("the outage to be seen") { try server.get("/readyz").status == 503 }
        #expect(try server.get("/readyz").text.contains("The blob store does not answer."))
        #expect(try server.get("/healthz").status == 200)
        let refused = try server.post("/v1/jobs", ["-F", "video=@\(video.path)", "-F", "roi=\(video.boxes[0])"])
        #expect(refused.status == 503, "\(refused.text)")
        #expect(refused["Retry-After"] == "5")
        #expect(try server.get("/v1/jobs").json()["jobs"] as? [Any] != nil)
    }

    @Test("a start without the bucket, or with wrong keys, says what is wrong and with what")
    func wrongStart() throws {
        func failure(_ change: [String: String]) throws -> String {
            let error = #expect(throws: Server.Failure.self) {
                try Server(
                    environment: moto.environment.merging(["LKTRACK_BLOBS_URL": moto.url()]) { $1 }
                        .merging(change) { $1 })
            }
            guard case .didNotStart(let log) = error else { return "" }
            return log
        }
        let keys = try failure(["AWS_SECRET_ACCESS_KEY": "wrong"])
        #expect(keys.contains("blobs.url") && keys.contains("SignatureDoesNotMatch"), "\(keys)")
        #expect(keys.contains("Check the keys of the environment"))
        let bucket = try failure(["LKTRACK_BLOBS_URL": "s3://none/?endpoint=\(moto.endpoint)"])
        #expect(bucket.contains("NoSuchBucket") && bucket.contains("Make the bucket"), "\(bucket)")
        _ = try server()
        let other = try failure(["LKTRACK_BLOBS_URL": moto.url("lktrack")])
        #expect(other.contains("belongs to another installation"), "\(other)")
        let syntax = try failure(["LKTRACK_BLOBS_URL": "s3://blobs?endpiont=x"])
        #expect(syntax.contains("LKTRACK_BLOBS_URL") && syntax.contains("not \"endpiont\""), "\(syntax)")
    }
}
