import Foundation
import Testing

/// Processes that share a real PostgreSQL and a real bucket, and nothing else: as machines of their own do.
@Suite("Several machines", .serialized)
struct MachinesTests {
    private let database: PostgresServer
    private let moto: MotoServer

    init() throws {
        database = try PostgresServer()
        moto = try MotoServer()
    }

    private func machine(_ roles: String, _ settings: [String: String] = [:]) throws -> Server {
        var environment = moto.environment
        environment["LKTRACK_STORE_URL"] = database.url()
        environment["LKTRACK_BLOBS_URL"] = moto.url("lktrack")
        environment["LKTRACK_ROLES"] = roles
        return try Server("--workers", "1", environment: environment.merging(settings) { $1 })
    }

    @Test("share the targets of a job, and the result is that of one machine, byte for byte")
    func parts() throws {
        let video = try Material.syntheticVideo(frames: 150, targets: 1, size: "320x240")
        let targets = Array(repeating: "roi=\(video.boxes[0])", count: 12)
        let alone = try Server("--workers", "1")
        let whole = try alone.submit(["video=@\(video.path)"] + targets)
        #expect(try alone.finish(whole)["status"] as? String == "succeeded")
        let expected = try alone.get("/v1/jobs/\(whole)/results?format=ndjson").body
        alone.stop()

        let api = try machine("api")
        let workers = try (0..<2).map { _ in try machine("worker", ["LKTRACK_PART_TARGETS": "4"]) }
        let id = try api.submit(["video=@\(video.path)"] + targets)
        let job = try api.finish(id)
        #expect(job["status"] as? String == "succeeded", "\(job)")
        #expect(try api.get("/v1/jobs/\(id)/results?format=ndjson").body == expected)
        let leader = try #require(workers.firstIndex { $0.log.text.contains("\"job started\"") })
        let helper = workers[1 - leader]
        #expect(helper.log.text.contains("\"part of a job started\""), "\(helper.log.text)")
        #expect(!helper.log.text.contains("\"job started\""))
        #expect(try moto.contents().objects.allSatisfy { !$0.contains("/parts-") })

        #expect(try Curl.run(["-X", "DELETE", "\(api.url)/v1/jobs/\(id)"]).status == 204)
        #expect(try moto.contents().objects.allSatisfy { !$0.contains(id) })
    }

    @Test("share their prefix with no other database: it would take their blobs for left behind")
    func otherDatabase() throws {
        let first = try machine("api")
        _ = try machine("worker")
        let other = try PostgresServer()
        let error = #expect(throws: Server.Failure.self) {
            try machine("api", ["LKTRACK_STORE_URL": other.url()])
        }
        guard case .didNotStart(let log) = error else { return }
        #expect(log.contains("belongs to another installation"), "\(log)")
        #expect(try first.get("/readyz").status == 200)
    }

    @Test("go on with a job whose machine was killed, where any of them answers for it")
    func killed() throws {
        let video = try Material.syntheticVideo(frames: 400, targets: 1, size: "320x240")
        let first = try machine("api, worker", ["LKTRACK_LEASE_SECONDS": "2"])
        let id = try first.submit(["video=@\(video.path)"] + Array(repeating: "roi=\(video.boxes[0])", count: 8))
        try poll("the job to run") { try first.get("/v1/jobs/\(id)").json()["status"] as? String == "running" }
        let second = try machine("api, worker", ["LKTRACK_LEASE_SECONDS": "2"])
        first.crash()
        let job = try second.finish(id)
        #expect(job["status"] as? String == "succeeded", "\(job)")
        #expect(job["attempt"] as? Int == 2)
        #expect(try second.get("/v1/jobs/\(id)/results?format=ndjson").lines.count == video.frames)
    }
}
