import Foundation
import Testing

/// Results as HTTP clients fetch them: in ranges, compressed, again.
@Suite("Results over HTTP")
struct ResultTransferTests {
    @Test("curl resumes a download that was cut off, in every format, and what it has is what its digest says")
    func resume() throws {
        let (server, path) = try Self.finishedJob()
        for format in ["json", "csv", "mot", "otb", "cvat", "coco", "labelstudio", "vtt", "ndjson"] {
            let folder = try TemporaryFolder()
            let url = server.url + path + "?format=\(format)"
            let file = folder.path("result")
            #expect(try Curl.run(["-r", "0-699", "-o", file, url]).status == 206)
            let rest = try Curl.run(["-C", "-", "-o", file, url])
            #expect(rest.status == 206)
            let whole = try Curl.get(url)
            #expect(whole.status == 200 && whole["Content-Length"] == "\(whole.body.count)")
            #expect(try Data(contentsOf: URL(fileURLWithPath: file)) == whole.body)
            #expect(rest["Repr-Digest"] == (try Self.reprDigest(of: file)))
            #expect(try Curl.get(url, "-r", "\(whole.body.count)-").status == 416)
        }
    }

    @Test("what is compressed is the same when it is unpacked, and has its own tag and digest")
    func compressed() throws {
        let (server, path) = try Self.finishedJob()
        let folder = try TemporaryFolder()
        for format in ["json", "ndjson", "csv", "vtt"] {
            let url = path + "?format=\(format)"
            let plain = try server.get(url)
            let gzip = try server.get(url, "-H", "Accept-Encoding: gzip")
            #expect(gzip["Content-Encoding"] == "gzip" && gzip["Vary"] == "Accept, Accept-Encoding")
            #expect(gzip.body.count < plain.body.count / 2)
            let file = try folder.write(gzip.body, to: "\(format).gz")
            #expect(gzip["Repr-Digest"] == (try Self.reprDigest(of: file)))
            let unpacked = try Executable.run("/usr/bin/env", ["gzip", "-dc", file])
            #expect(unpacked.standardOutput == plain.body)
            #expect(try server.get(url, "--compressed").body == plain.body)
            let tag = try #require(gzip["ETag"])
            #expect(tag != plain["ETag"] && tag.hasPrefix("\""))
            #expect(try server.get(url, "--compressed", "-H", "If-None-Match: \(tag)").status == 304)
            #expect(try server.get(url, "-H", "If-None-Match: \(tag)").status == 200)
            #expect(try server.get(url, "-H", "If-Match: \(tag)").status == 412)
            #expect(try server.get(url, "-r", "0-9", "-H", "If-Range: \(tag)").status == 200)
            #expect(try server.get(url, "--compressed", "-I")["Content-Length"] == "\(gzip.body.count)")
        }
        #expect(try server.get(path, "-H", "Want-Repr-Digest: sha-256=0")["Repr-Digest"] == nil)
    }

    @Test("a slice is the part of the whole that it says, also through gzip")
    func slices() throws {
        let (server, path) = try Self.finishedJob()
        let lines = try server.get(path + "?format=ndjson").lines
        let slice = try server.get(path + "?format=ndjson&from=5&to=9", "--compressed")
        #expect(slice.lines == Array(lines[5..<9]))
        #expect(slice["Accept-Ranges"] == "none" && slice["Repr-Digest"] == nil)
    }

    private static func finishedJob() throws -> (server: Server, path: String) {
        let video = try Material.syntheticVideo(frames: 30)
        let server = try Server()
        let id = try server.submit(["video=@\(video.path)", "roi=\(video.boxes[0])"])
        let status = try server.finish(id)["status"] as? String
        try #require(status == "succeeded")
        return (server, "/v1/jobs/\(id)/results")
    }

    private static func reprDigest(of file: String) throws -> String {
        let script = """
            import base64, hashlib, sys
            digest = hashlib.sha256(open(sys.argv[1], "rb").read()).digest()
            print(f"sha-256=:{base64.b64encode(digest).decode()}:", end="")
            """
        return try Python.run(script, file).text
    }
}
