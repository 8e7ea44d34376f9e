import Foundation
import GRDB
import Jobs
import SQLiteJobStore

/// Claims and lists with a long queue, beside a short one, in turns.
struct QueueBench {
    private let options: BenchOptions

    init(_ options: BenchOptions) { self.options = options }

    private static let long = 100_000
    private static let short = 1000
    private static let claims = 100
    private static let connections = 4
    private static let seconds = 1

    private struct Queue {
        let server: BenchServer
        let store: SQLiteJobStore
    }

    func run(_ report: inout BenchReport) throws {
        guard Wrk.isThere else { return report.skip("wrk is not installed") }
        let (short, long) = (try queue(Self.short), try queue(Self.long))
        try claim(short, long, &report)
        for (name, path) in [
            ("list of 50 jobs", "/v1/jobs?limit=50"), ("list of 50 queued jobs", "/v1/jobs?limit=50&status=queued"),
        ] { try list(name, path, short, long, &report) }
        try short.store.close()
        try long.store.close()
    }

    private func claim(_ short: Queue, _ long: Queue, _ report: inout BenchReport) throws {
        var times: [Double] = []
        var ratios: [Double] = []
        for _ in 0..<options.repeats {
            let (few, many) = (try claims(short.store), try claims(long.store))
            times.append(many)
            ratios.append(many / few)
        }
        report.add("claim out of 100,000, on the disk", times, unit: "ms", target: "")
        report.add("claim out of 100,000, beside 1,000", ratios, unit: "times as long", target: "≤ 1.5")
    }

    /// Milliseconds of a claim: the median, because now and then one waits for the disk.
    private func claims(_ store: SQLiteJobStore) throws -> Double {
        let times = try (0..<Self.claims).map { _ in
            let start = ContinuousClock.now
            guard try store.claim(owner: "bench", leaseSeconds: 600) != nil else {
                throw BenchError("nothing is queued")
            }
            return (ContinuousClock.now - start) / .milliseconds(1)
        }
        return times.sorted()[times.count / 2]
    }

    private func list(
        _ name: String, _ path: String, _ short: Queue, _ long: Queue, _ report: inout BenchReport
    ) throws {
        var times: [Double] = []
        var ratios: [Double] = []
        for _ in 0..<options.repeats {
            let few = try Wrk.run(short.server.url + path, connections: Self.connections, seconds: Self.seconds)
            let many = try Wrk.run(long.server.url + path, connections: Self.connections, seconds: Self.seconds)
            times.append(many.median)
            ratios.append(few.requestsPerSecond / many.requestsPerSecond)
        }
        report.add("\(name) out of 100,000", times, unit: "ms", target: "")
        report.add("\(name) out of 100,000, beside 1,000", ratios, unit: "times as long", target: "≤ 1.5")
    }

    /// A server on a database with so many queued jobs: copies of one that was submitted.
    private func queue(_ count: Int) throws -> Queue {
        let name = "queue-\(count)"
        let server = try BenchServer(
            options, data: name,
            environment: ["LKTRACK_ROLES": "api", "LKTRACK_LIMITS_QUEUED_JOBS": "\(2 * count)"])
        let job = try server.submitSmallJob(options)
        let path = options.scratch.appendingPathComponent("\(name)/lktrack.sqlite").path
        let database = try DatabaseQueue(path: path)
        try database.write { db in
            // Hidden are those that SQLite makes of others.
            let columns = try String.fetchAll(
                db, sql: "SELECT name FROM pragma_table_xinfo('jobs') WHERE hidden = 0 AND name <> 'id'"
            ).joined(separator: ", ")
            // The last group of a UUID counts.
            try db.execute(
                sql: """
                    WITH RECURSIVE numbers(number) AS (
                        SELECT 1 UNION ALL SELECT number + 1 FROM numbers WHERE number < :count - 1)
                    INSERT INTO jobs (id, \(columns))
                    SELECT substr(id, 1, 24) || printf('%012x', number), \(columns) FROM jobs, numbers WHERE id = :job
                    """, arguments: ["count": count, "job": job])
        }
        try database.close()
        return Queue(server: server, store: try SQLiteJobStore(path: path))
    }
}
