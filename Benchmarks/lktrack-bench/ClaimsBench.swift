import Foundation
import Jobs
import PostgresJobStore
import ServiceHarness

/// Claims a second through PostgreSQL, by processes of their own that claim as fast as they can, as nodes with nothing
/// else to do would; and whether tenants get their turns meanwhile.
struct ClaimsBench {
    private let options: BenchOptions

    init(_ options: BenchOptions) { self.options = options }

    /// The argument by which this program becomes one of the processes.
    static let claimer = "claim-jobs"

    private static let processes = 8
    private static let tenants = 8
    private static let jobs = 4000
    private static let publishedJobs = 2000

    func run(_ report: inout BenchReport) throws {
        let server = try PostgresServer()
        // Makes the schema.
        let store = try PostgresJobStore(PostgresConfiguration(url: server.url(), connections: 1))
        defer { store.close() }
        var rates: [Double] = []
        var spreads: [Double] = []
        var turnover: [Double] = []
        var processor: [Double] = []
        for _ in 0..<options.repeats {
            try Self.queue(Self.jobs, server)
            let claims = try Self.claim(server, publishing: false)
            guard claims.all.count == Self.jobs else {
                throw BenchError("\(claims.all.count) of \(Self.jobs) were claimed")
            }
            rates.append(Self.rate(claims.all))
            spreads.append(Self.spread(claims.all))
            processor.append(claims.processorSeconds / Double(Self.jobs) * 1e6)
            try Self.queue(Self.publishedJobs, server)
            turnover.append(Self.rate(try Self.claim(server, publishing: true).all))
        }
        report.add("claims by \(Self.processes) processes", rates, unit: "claims/s", target: "≥ 1000")
        report.add(
            "a claim's processor time, its process's and the database's", processor, unit: "µs",
            target: "≤ \(ProcessInfo.processInfo.activeProcessorCount * 1000)")
        report.add(
            "of \(Self.tenants) tenants the most served less the least, after half of the claims", spreads,
            unit: "claims", target: "≤ \(1 + Self.processes)")
        report.add(
            "claims and ends, each end on the disk, by \(Self.processes) processes", turnover, unit: "jobs/s",
            target: "")
    }

    /// Empties the database and puts so many copies of a job into its queue, in turn of the tenants.
    private static func queue(_ count: Int, _ server: PostgresServer) throws {
        let connection = try PostgresConnection(url: server.url(), seconds: 10)
        connection.deadline = .now + .seconds(120)
        try connection.run(
            script: """
                TRUNCATE jobs, job_counts, tenant_counts, tenant_turns, job_endings CASCADE
                """)
        let store = try PostgresJobStore(PostgresConfiguration(url: server.url(), connections: 1))
        defer { store.close() }
        let id = JobIDGenerator(environment: SystemEnvironment()).next()
        let target = TargetSpec(id: "car", box: PixelBox(x: 1, y: 1, width: 20, height: 20))
        let source = JobSource(
            kind: .video, blobKey: id.sourceKey, bytes: 1, sha256: String(repeating: "a", count: 64))
        let job = Job(
            id: id, tenant: TenantID("tenant-0"), spec: JobSpec(targets: [target]), source: source, createdAt: Date())
        try store.submit(job)
        let columns = "status, priority, spec, source, has_webhook, created_at"
        try connection.run(
            script: """
                INSERT INTO jobs (id, tenant, \(columns))
                SELECT overlay(gen_random_uuid()::text PLACING '7' FROM 15 FOR 1)::uuid, 'tenant-' || number % \(tenants), \(columns)
                FROM jobs CROSS JOIN generate_series(1, \(count - 1)) AS number
                """)
        try connection.run(script: "VACUUM (ANALYZE)")
        try connection.run(script: "CHECKPOINT")
    }

    /// A claim as the process saw it that got it.
    private struct Claim {
        /// Of the monotonic clock that all processes share.
        let nanoseconds: UInt64
        let tenant: Substring
    }

    private struct Claims {
        /// In their order.
        var all: [Claim] = []
        /// Of the processes, and of the database's, while they claim.
        var processorSeconds = 0.0
    }

    /// Has the processes claim all that is queued.
    private static func claim(_ server: PostgresServer, publishing: Bool) throws -> Claims {
        let children = try (0..<processes).map { _ in try ClaimProcess(server.url(), publishing: publishing) }
        for child in children { try child.awaitReadiness() }
        let before = server.processorSeconds
        for child in children { child.go() }
        var claims = Claims()
        for child in children {
            for line in try child.lines() {
                let words = line.split(separator: " ")
                guard words.count == 2, let time = UInt64(words[0]) else { throw BenchError("a claimer says \(line)") }
                if words[1] == processorTime {
                    claims.processorSeconds += Double(time) / 1e9
                } else {
                    claims.all.append(Claim(nanoseconds: time, tenant: words[1]))
                }
            }
        }
        claims.all.sort { $0.nanoseconds < $1.nanoseconds }
        claims.processorSeconds += server.processorSeconds - before
        return claims
    }

    /// A second, over the middle: at the ends not all of them are at it.
    private static func rate(_ claims: [Claim]) -> Double {
        let middle = claims[(claims.count / 10)..<(claims.count * 9 / 10)]
        guard let first = middle.first, let last = middle.last, last.nanoseconds > first.nanoseconds else { return 0 }
        return Double(middle.count - 1) / (Double(last.nanoseconds - first.nanoseconds) / 1e9)
    }

    private static func spread(_ claims: [Claim]) -> Double {
        let half = claims.prefix(claims.count / 2)
        let counts = Dictionary(grouping: half, by: \.tenant).values.map(\.count)
        return counts.count == tenants ? Double((counts.max() ?? 0) - (counts.min() ?? 0)) : Double(half.count)
    }

    /// One of the processes: claims until there is nothing left, and says when it got what.
    static func claim(_ arguments: [String]) throws -> Never {
        let store = try PostgresJobStore(PostgresConfiguration(url: arguments[0], connections: 1))
        let publishes = arguments.contains("publish")
        print("ready")
        fflush(nil)
        _ = readLine()
        var lines = ""
        let begun = nanoseconds(CLOCK_PROCESS_CPUTIME_ID)
        while let claim = try store.claim(owner: "process-\(getpid())", leaseSeconds: 3600) {
            if publishes {
                let outcome = JobOutcome(status: .succeeded, progress: JobProgress(framesDone: 1))
                guard try store.publish(outcome, lease: claim.lease) else { throw BenchError("a lease was lost") }
            }
            lines += "\(nanoseconds(CLOCK_MONOTONIC)) \(claim.job.tenant.name)\n"
        }
        lines += "\(nanoseconds(CLOCK_PROCESS_CPUTIME_ID) - begun) \(processorTime)\n"
        store.close()
        print(lines)
        exit(0)
    }

    /// Stands for a tenant's name where a line tells the processor time.
    private static let processorTime = "processor"

    private static func nanoseconds(_ clock: clockid_t) -> UInt64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}

/// A process that claims.
private final class ClaimProcess {
    private let process = Process()
    private let input = Pipe()
    private let output: ServiceHarness.TemporaryFile

    init(_ url: String, publishing: Bool) throws {
        output = try TemporaryFile()
        process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        process.arguments = [ClaimsBench.claimer, url] + (publishing ? ["publish"] : [])
        process.standardInput = input
        process.standardOutput = output.handle
        try process.run()
    }

    deinit {
        if process.isRunning { process.terminate() }
        process.waitUntilExit()
    }

    func awaitReadiness() throws {
        while try !String(decoding: output.contents(), as: UTF8.self).hasPrefix("ready\n") {
            guard process.isRunning else { throw BenchError("a claiming process has ended") }
            usleep(5000)
        }
    }

    func go() { try? input.fileHandleForWriting.close() }

    /// What it said, at its end.
    func lines() throws -> [Substring] {
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw BenchError("a claiming process failed") }
        return String(decoding: try output.contents(), as: UTF8.self).split(separator: "\n").dropFirst().map { $0 }
    }
}
