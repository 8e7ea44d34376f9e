import Foundation
import Testing

/// The real binary on a real PostgreSQL.
@Suite("A service on PostgreSQL", .serialized)
struct PostgresTests {
    private func lktrack(_ database: PostgresServer, _ arguments: String..., data: TemporaryFolder) throws
        -> Executable.Output
    {
        try Executable.run(
            "/usr/bin/env",
            ["LKTRACK_STORE_URL=\(database.url())", Executable.lktrack] + arguments + ["--data-dir", data.url.path],
            in: data.url)
    }

    @Test("jobs run from upload to result, also across a restart of the database, and keys are kept there")
    func wholeWay() throws {
        let database = try PostgresServer()
        let video = try Material.syntheticVideo(frames: 30)
        let server = try Server("--workers", "1", environment: ["LKTRACK_STORE_URL": database.url()])
        let ready = try server.get("/readyz")
        #expect(ready.status == 200)
        #expect(ready.text.contains("\"store\""))
        let id = try server.submit(["video=@\(video.path)", "roi=\(video.boxes[0])"])
        #expect(try server.finish(id)["status"] as? String == "succeeded")
        #expect(try server.get("/v1/jobs/\(id)/results?format=ndjson").lines.count == 30)
        #expect(!FileManager.default.fileExists(atPath: server.data.path("lktrack.sqlite")))

        database.stop()
        #expect(try server.get("/healthz").status == 200)
        let away = try server.get("/readyz")
        #expect(away.status == 503)
        #expect(away.text.contains("The job store does not answer."))
        let refused = try server.get("/v1/jobs")
        #expect(refused.status == 503)
        #expect(refused["Retry-After"] == "5")
        try database.start()
        try poll("the service to be ready again", seconds: 20) { try server.get("/readyz").status == 200 }
        let second = try server.submit(["video=@\(video.path)", "roi=\(video.boxes[0])"])
        #expect(try server.finish(second)["status"] as? String == "succeeded")
        let listed = try #require(try server.get("/v1/jobs").json()["jobs"] as? [[String: Any]])
        #expect(listed.compactMap { $0["id"] as? String } == [second, id])

        let made = try lktrack(database, "keys", "create", "--tenant", "acme", data: server.data)
        #expect(made.status == 0, "\(made.standardError)")
        try poll("the server to close", seconds: 10) { try server.get("/v1/jobs").status == 401 }
        #expect(try lktrack(database, "keys", "list", data: server.data).text.contains("acme"))
        #expect(server.stop() == 0)
    }

    @Test("a job that one server takes is run by another, and whoever waits for it at the first is woken")
    func twoServers() throws {
        let database = try PostgresServer()
        let video = try Material.syntheticVideo(frames: 30)
        // One folder of blobs: of a machine's own here, of all machines where they are several.
        let blobs = try TemporaryFolder()
        let environment = ["LKTRACK_STORE_URL": database.url(), "LKTRACK_BLOBS_URL": "file:\(blobs.url.path)"]
        let api = try Server(environment: environment.merging(["LKTRACK_ROLES": "api"]) { $1 })
        let worker = try Server("--workers", "1", environment: environment)
        let id = try api.submit(["video=@\(video.path)", "roi=\(video.boxes[0])"])
        let held = try api.get("/v1/jobs/\(id)", "-H", "Prefer: wait=60")
        #expect(try held.json()["status"] as? String == "succeeded")
        #expect(try api.get("/v1/jobs/\(id)/results?format=ndjson").lines.count == 30)
        #expect(worker.log.text.contains(id))
        #expect(!api.log.text.contains("job started"))
    }

    @Test("what cannot be is said at the start, without the password")
    func refusals() throws {
        let folder = try TemporaryFolder()
        func serve(_ url: String) throws -> Executable.Output {
            try Executable.run(
                "/usr/bin/env",
                [
                    "LKTRACK_STORE_URL=\(url)", Executable.lktrack, "serve", "--port", "0", "--data-dir",
                    folder.path("data"),
                ], in: folder.url)
        }
        let away = try serve("postgres://lktrack:hidden-word@127.0.0.1:\(try FreePort.find())/jobs")
        #expect(away.status == 69)
        #expect(away.standardError.contains("cannot be reached"))
        let unknown = try serve("postgres://lktrack:hidden-word@127.0.0.1/jobs?sslmod=require")
        #expect(unknown.status == 69)
        #expect(unknown.standardError.contains("sslmod"))
        let other = try serve("mysql://lktrack:hidden-word@127.0.0.1/jobs")
        #expect(other.status == 78)
        #expect(other.standardError.contains("LKTRACK_STORE_URL") && other.standardError.contains("postgres://"))
        for output in [away, unknown, other] { #expect(!output.standardError.contains("hidden-word")) }
        let backup = try Executable.run(
            "/usr/bin/env",
            ["LKTRACK_STORE_URL=postgres://127.0.0.1/jobs", Executable.lktrack, "backup", folder.path("copy")],
            in: folder.url)
        #expect(backup.status == 78)
        #expect(backup.standardError.contains("pg_dump"))
    }

    @Test("on SQLite nothing of PostgreSQL's is loaded")
    func withoutLibrary() throws {
        let server = try Server("--workers", "1")
        // Whole: Foundation reads one piece of such a file, whose length is told as 0.
        let maps = try Executable.run("/usr/bin/env", ["cat", "/proc/\(server.processIdentifier)/maps"]).text
        #expect(maps.contains("libsqlite3"))
        #expect(!maps.contains("libpq"))
    }
}
