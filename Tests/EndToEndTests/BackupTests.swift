import Foundation
import Testing

/// `lktrack backup` and `lktrack restore`.
@Suite("Backups", .serialized)
struct BackupTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func backUp(_ server: Server, to name: String) throws -> Executable.Output {
        try Executable.lktrack("backup", "--data-dir", server.data.url.path, folder.path(name), in: folder.url)
    }

    private func restore(_ name: String, to data: TemporaryFolder) throws -> Executable.Output {
        try Executable.lktrack("restore", folder.path(name), "--data-dir", data.url.path, in: folder.url)
    }

    @Test("a backup that is made while a job runs brings everything back: ended jobs as they are, others to be run")
    func roundTrip() throws {
        let server = try Server("--workers", "1")
        let video = try Material.syntheticVideo(frames: 400, size: "160x120")
        let fields = ["video=@\(video.path)", "roi=\(video.boxes[0])"]
        let ended = try server.submit(fields)
        #expect(try server.finish(ended)["status"] as? String == "succeeded")
        let key = try server.key("anonymous")
        let running =
            try Curl.run(
                ["-X", "POST"] + key + fields.flatMap { ["-F", $0] } + [server.url + "/v1/jobs"]
            ).json()["id"] as? String
        #expect(try backUp(server, to: "monday").status == 0)

        let data = try TemporaryFolder()
        let restored = try restore("monday", to: data)
        #expect(restored.status == 0, "\(restored.standardError)")
        let other = try Server("--workers", "1", data: data)
        for id in [ended, try #require(running)] {
            try poll("job \(id) to end") {
                try other.get("/v1/jobs/\(id)", key).json()["status"] as? String == "succeeded"
            }
            for path in ["source", "results?format=csv"] {
                try poll("the original to end") { try server.get("/v1/jobs/\(id)/\(path)", key).status == 200 }
                let there = try server.get("/v1/jobs/\(id)/\(path)", key).body
                #expect(try other.get("/v1/jobs/\(id)/\(path)", key).body == there)
            }
        }
        // Keys are in it, too.
        #expect(try other.get("/v1/jobs/\(ended)").status == 401)
    }

    @Test("nothing of a server's data, also where it was open, of a backup and of what is restored is open to others")
    func modes() throws {
        let server = try Server("--workers", "1")
        let video = try Material.syntheticVideo(frames: 5)
        let output = #"output={"video":"mp4","crops":true}"#
        _ = try server.finish(server.submit(["video=@\(video.path)", "roi=\(video.boxes[0])", output]))
        #expect(try open(in: server.data.url).isEmpty)
        #expect(server.stop() == 0)
        let database = server.data.path("lktrack.sqlite")
        #expect(chmod(database, 0o644) == 0)
        try server.start()
        #expect(try open(in: server.data.url).isEmpty)

        #expect(try backUp(server, to: "new/sunday").status == 0)
        #expect(try open(in: folder.url).isEmpty)
        let data = try TemporaryFolder()
        #expect(try restore("new/sunday", to: data).status == 0)
        #expect(try FileManager.default.fileExists(atPath: data.path("lktrack.sqlite")) && open(in: data.url).isEmpty)
    }

    /// Files and folders below one that others may do something with.
    private func open(in folder: URL) throws -> [String] {
        try FileManager.default.subpathsOfDirectory(atPath: folder.path).filter { path in
            let found = try FileManager.default.attributesOfItem(atPath: folder.path + "/" + path)
            return (found[.posixPermissions] as? Int ?? 0) & 0o007 != 0
        }
    }

    @Test("a damaged or incomplete backup, or one that would cover something, is not restored, and changes nothing")
    func refused() throws {
        let server = try Server("--workers", "1")
        let video = try Material.syntheticVideo(frames: 5)
        let id = try server.submit(["video=@\(video.path)", "roi=\(video.boxes[0])"])
        _ = try server.finish(id)
        #expect(try backUp(server, to: "good").status == 0)
        #expect(try backUp(server, to: "good").status == 73)

        let covered = try restore("good", to: server.data)
        #expect(covered.status == 73)
        #expect(try server.job(id)["status"] as? String == "succeeded")

        let manager = FileManager.default
        func damaged(_ name: String, _ change: (URL) throws -> Void) throws -> Executable.Output {
            let copy = folder.url.appendingPathComponent(name)
            try manager.copyItem(at: folder.url.appendingPathComponent("good"), to: copy)
            try change(copy)
            let data = try TemporaryFolder()
            let output = try restore(name, to: data)
            #expect(try manager.contentsOfDirectory(atPath: data.url.path).isEmpty)
            return output
        }
        let source = "blobs/jobs/\(id)/source"
        let flipped = try damaged("flipped") { copy in
            let file = try FileHandle(forUpdating: copy.appendingPathComponent(source))
            try file.seek(toOffset: 100)
            try file.write(contentsOf: [0xAA, 0x55, 0xAA])
            try file.close()
        }
        #expect(flipped.status == 65 && flipped.standardError.contains(source))
        let missing = try damaged("missing") { try manager.removeItem(at: $0.appendingPathComponent(source)) }
        #expect(missing.status == 65 && missing.standardError.contains(source))
        let escaping = try damaged("escaping") { copy in
            let path = copy.appendingPathComponent("backup.json")
            let text = try String(contentsOf: path, encoding: .utf8)
            try text.replacing(source, with: "../../etc/passwd").write(to: path, atomically: true, encoding: .utf8)
        }
        #expect(escaping.status == 65)
        let none = try damaged("none") { try manager.removeItem(at: $0.appendingPathComponent("backup.json")) }
        #expect(none.status == 66)
    }

    @Test("a file that a job lacks is told with the job, and the others are backed up")
    func missing() throws {
        let server = try Server("--workers", "1")
        let video = try Material.syntheticVideo(frames: 5)
        let fields = ["video=@\(video.path)", "roi=\(video.boxes[0])"]
        let (whole, broken) = (try server.submit(fields), try server.submit(fields))
        for id in [whole, broken] { #expect(try server.finish(id)["status"] as? String == "succeeded") }
        let source = "blobs/jobs/\(broken)/source"
        try FileManager.default.removeItem(at: server.data.url.appendingPathComponent(source))
        let output = try backUp(server, to: "wednesday")
        #expect(output.status == 65)
        #expect(output.standardError.contains("job \(broken): ") && output.standardError.contains(source))
        #expect(!output.standardError.contains(whole) && !output.standardError.contains("deleted meanwhile"))

        let data = try TemporaryFolder()
        #expect(try restore("wednesday", to: data).status == 0)
        let other = try Server("--workers", "1", data: data)
        #expect(try other.get("/v1/jobs/\(whole)/source").status == 200)
        #expect(try other.get("/v1/jobs/\(broken)").status == 404)
    }

    @Test("an upload that is not what it was is told when it is backed up, and nothing half-made is left")
    func corruption() throws {
        let server = try Server("--workers", "1")
        let video = try Material.syntheticVideo(frames: 5)
        let id = try server.submit(["video=@\(video.path)", "roi=\(video.boxes[0])"])
        _ = try server.finish(id)
        let file = try FileHandle(
            forUpdating: server.data.url.appendingPathComponent("blobs/jobs/\(id)/source"))
        try file.seek(toOffset: 200)
        try file.write(contentsOf: [1, 2, 3, 4, 5])
        try file.close()
        let output = try backUp(server, to: "tuesday")
        #expect(output.status == 65)
        #expect(output.standardError.contains(id))
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path).isEmpty)
    }
}
