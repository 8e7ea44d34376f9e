import Foundation
import ServiceHarness

/// Real nodes on one real PostgreSQL and one folder of blobs: one that answers, without a limit, and as many that track
/// as are wanted, each limited.
final class NodeFleet {
    let api: Server
    private let database: PostgresServer
    private let folder: TemporaryFolder
    private let share: Double

    /// - Parameter share: of one processor, for each node that tracks.
    init(_ options: BenchOptions, share: Double) throws {
        self.share = share
        database = try PostgresServer()
        folder = try TemporaryFolder()
        let environment = Self.environment(database, folder, roles: "api")
        api = try Server(environment: environment)
    }

    /// Runs `body` while so many nodes track; they are new ones.
    func with<T>(nodes: Int, partTargets: Int, _ body: () throws -> T) throws -> T {
        let limits = try (0..<nodes).map { try ProcessorLimit(share: share, name: "\($0)") }
        defer { for limit in limits { limit.remove() } }
        var environment = Self.environment(database, folder, roles: "worker")
        environment["LKTRACK_PART_TARGETS"] = "\(partTargets)"
        let servers = try limits.map {
            try Server("--workers", "1", environment: environment, launcher: $0.launcher)
        }
        defer { for server in servers { server.stop() } }
        return try body()
    }

    /// A grid of targets over a frame of 768×576.
    func submit(_ video: String, targets: Int, frames: Int) throws -> String {
        let columns = 8
        let boxes = (0..<targets).map { "roi=\($0 % columns * 96 + 28),\($0 / columns * 72 + 6),40,60" }
        return try api.submit(["video=@\(video)", "stop_frame=\(frames)"] + boxes)
    }

    /// Waits for a job's end, without asking again and again.
    func awaitEnd(_ id: String) throws -> [String: Any] {
        while true {
            let job = try api.get("/v1/jobs/\(id)", "-H", "Prefer: wait=30").json()
            switch job["status"] as? String {
            case "succeeded": return job
            case "queued", "running": continue
            default: throw BenchError("the job did not succeed: \(job)")
            }
        }
    }

    func times(_ id: String) throws -> (started: Date, finished: Date) {
        let job = try awaitEnd(id)
        guard let started = Self.date(job["started_at"]), let finished = Self.date(job["finished_at"]) else {
            throw BenchError("a job without times: \(job)")
        }
        return (started, finished)
    }

    /// How long a worker had the job.
    func seconds(of id: String) throws -> Double {
        let (started, finished) = try times(id)
        return finished.timeIntervalSince(started)
    }

    private static func date(_ value: Any?) -> Date? {
        let format = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
        return (value as? String).flatMap { try? format.parse($0) }
    }

    private static func environment(
        _ database: PostgresServer, _ folder: TemporaryFolder, roles: String
    ) -> [String: String] {
        [
            "LKTRACK_STORE_URL": database.url(), "LKTRACK_BLOBS_URL": "file:\(folder.path("blobs"))",
            "LKTRACK_ROLES": roles,
        ]
    }
}
