import CapacityModel
import Foundation
import Jobs
import PostgresJobStore
import ServiceHarness

/// What each of the service's operations asks of PostgreSQL: its processors, its log, and how long one caller waits.
struct DatabaseBench {
    private let options: BenchOptions

    init(_ options: BenchOptions) { self.options = options }

    /// Of each operation in each repeat.
    private static let count = 1000
    private static let listeners = 32
    /// Long enough for processes to have done what came last, in microseconds.
    private static let rest: UInt32 = 200_000

    func run(_ report: inout BenchReport) throws {
        let server = try PostgresServer()
        let meter = try DatabaseMeter(server)
        var figures: [DatabaseOperation: [DatabaseMeter.Use]] = [:]
        for _ in 0..<options.repeats {
            for (operation, use) in try round(meter) { figures[operation, default: []].append(use) }
        }
        for operation in DatabaseOperation.allCases {
            let uses = figures[operation] ?? []
            report.add(
                DatabaseCosts.figureName(operation), uses.map { 1e6 * $0.processor }, unit: "µs", target: "")
        }
        for operation in [DatabaseOperation.submit, .claim, .describe, .heartbeat, .look, .publish] {
            let uses = figures[operation] ?? []
            report.add("\(operation.rawValue): by the clock", uses.map { 1e3 * $0.seconds }, unit: "ms", target: "")
            report.add("\(operation.rawValue): write-ahead log", uses.map(\.log), unit: "bytes", target: "")
        }
        let jobs = Double(options.repeats * Self.count)
        let bytes = try meter.value(
            "SELECT sum(pg_total_relation_size(oid))::bigint FROM pg_class WHERE relname IN ('jobs', 'job_labels')")
        report.add("a finished job in its tables and indices", [bytes / jobs], unit: "bytes", target: "")
    }

    private func round(_ meter: DatabaseMeter) throws -> [DatabaseOperation: DatabaseMeter.Use] {
        let store = meter.store
        let ids = JobIDGenerator()
        let jobs = (0..<Self.count).map { _ in Self.job(ids.next()) }
        var leases: [Lease] = []
        var uses: [DatabaseOperation: DatabaseMeter.Use] = [:]
        func measure(_ operation: DatabaseOperation, _ count: Int = Self.count, _ body: () throws -> Void) throws {
            uses[operation] = try meter.use(of: count, body)
            usleep(Self.rest)
        }
        try measure(.submit) { for job in jobs { try store.submit(job) } }
        try measure(.claim) {
            for _ in jobs {
                guard let claimed = try store.claim(owner: "bench", leaseSeconds: 600) else {
                    throw BenchError("nothing is queued")
                }
                leases.append(claimed.lease)
            }
        }
        try measure(.describe) {
            for (job, lease) in zip(jobs, leases) {
                var source = job.source
                source.width = 768
                guard try store.describeSource(source, lease: lease) else { throw BenchError("a lease is lost") }
            }
        }
        try measure(.heartbeat) {
            for lease in leases {
                _ = try store.heartbeat(
                    lease, progress: JobProgress(framesDone: 1, framesTotal: 100), leaseSeconds: 600)
            }
        }
        try measure(.look) { for lease in leases { _ = try store.status(of: lease) } }
        try measure(.publish) {
            for lease in leases {
                let outcome = JobOutcome(
                    status: .succeeded, progress: JobProgress(framesDone: 100, framesTotal: 100),
                    resultKey: lease.job.resultKey(attempt: 1))
                guard try store.publish(outcome, lease: lease) else { throw BenchError("a lease is lost") }
            }
        }
        // Three statements a turn.
        try measure(.sweep, 3 * Self.count) {
            for _ in 0..<Self.count {
                _ = try store.canceledWithoutWorker(owner: nil)
                _ = try store.expireLeases()
                _ = try store.failOverdue()
            }
        }
        try measure(.poll) { for _ in 0..<Self.count { _ = try store.claim(owner: "bench", leaseSeconds: 600) } }
        uses[.delivery] = try delivery(meter)
        return uses
    }

    /// What a message takes more where more listen, by the head.
    private func delivery(_ meter: DatabaseMeter) throws -> DatabaseMeter.Use {
        func messages() throws -> DatabaseMeter.Use {
            usleep(Self.rest)
            return try meter.use(of: Self.count) {
                for number in 0..<Self.count { try meter.notify("\(number)") }
                // The last ones are on their way.
                usleep(Self.rest)
            }
        }
        let few = try messages()
        let listeners = try (0..<Self.listeners).map { _ in try meter.anotherStore() }
        defer { for listener in listeners { listener.close() } }
        var many = try messages()
        many.processor = max(many.processor - few.processor, 0) / Double(Self.listeners)
        return many
    }

    private static func job(_ id: JobID) -> Job {
        let target = TargetSpec(id: "car", box: PixelBox(x: 1, y: 1, width: 20, height: 20))
        let source = JobSource(kind: .video, blobKey: id.sourceKey, bytes: 1, sha256: "ab")
        return Job(id: id, tenant: .anonymous, spec: JobSpec(targets: [target]), source: source, createdAt: Date())
    }
}

/// What a PostgreSQL server's processes do.
private struct DatabaseMeter {
    struct Use {
        /// Seconds: of the server's processors, and by the clock.
        var processor: Double
        var seconds: Double
        /// Bytes.
        var log: Double
    }

    let store: PostgresJobStore
    private let server: PostgresServer
    private let process: Int32

    init(_ server: PostgresServer) throws {
        self.server = server
        store = try PostgresJobStore(PostgresConfiguration(url: server.url(), connections: 1))
        let file = try store.inspect("SELECT pg_read_file('postmaster.pid')") ?? ""
        guard let process = file.split(separator: "\n").first.flatMap({ Int32($0) }) else {
            throw BenchError("PostgreSQL's process is not known")
        }
        self.process = process
    }

    /// One that listens.
    func anotherStore() throws -> PostgresJobStore {
        try PostgresJobStore(PostgresConfiguration(url: server.url(), connections: 1))
    }

    /// To all that listen, on the channel of the stores.
    func notify(_ text: String) throws {
        _ = try store.inspect("SELECT pg_notify('lktrack_' || left(md5(current_schema()), 16), $1)::text", text)
    }

    func value(_ sql: String) throws -> Double { try store.inspect(sql).flatMap(Double.init) ?? 0 }

    /// What each of `count` operations takes.
    func use(of count: Int, _ body: () throws -> Void) throws -> Use {
        let position = "SELECT (pg_current_wal_insert_lsn() - '0/0')::text"
        let (log, before, start) = (try value(position), processorSeconds, ContinuousClock.now)
        try body()
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        // Those that have ended meanwhile (autovacuum's) are left out.
        let used = processorSeconds.reduce(0) { $0 + $1.value - (before[$1.key] ?? 0) }
        return Use(
            processor: used / Double(count), seconds: seconds / Double(count),
            log: (try value(position) - log) / Double(count))
    }

    /// Of each of its processes: the first figure of schedstat, in nanoseconds.
    private var processorSeconds: [Int32: Double] {
        let processes = [process] + Processes.children(of: process)
        return Dictionary(
            uniqueKeysWithValues: Set(processes).map { process in
                let text = (try? String(contentsOfFile: "/proc/\(process)/schedstat", encoding: .utf8)) ?? ""
                return (process, 1e-9 * (text.split(separator: " ").first.flatMap { Double($0) } ?? 0))
            })
    }
}
