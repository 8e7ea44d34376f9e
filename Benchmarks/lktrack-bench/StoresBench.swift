import Foundation
import PostgresJobStore
import ServiceHarness
import Synchronization

/// One node under a mixed load, on SQLite and a folder, on PostgreSQL and a folder, and on PostgreSQL and a bucket, in
/// turns.
struct StoresBench {
    private let options: BenchOptions

    init(_ options: BenchOptions) { self.options = options }

    private static let clients = 4
    /// Of one measurement.
    private static let seconds = 8.0
    private static let most = 1 / 1.1

    private struct Node {
        let name: String
        let wire: WireServer
        let server: BenchServer
        var rates: [Double] = []
        var submissions: [Double] = []
        var polls: [Double] = []
        /// Milliseconds of a processor that a job takes: of the node, its decoders and its database.
        var processor: [Double] = []
    }

    func run(_ report: inout BenchReport) throws {
        let clip = try Clip.make(frames: 60, size: "320x240")
        let database = try PostgresServer()
        let bucket = try MotoServer()
        let postgres = ["LKTRACK_STORE_URL": database.url()]
        let apart = ["LKTRACK_STORE_URL": database.url(schema: "apart")]
        let connection = try PostgresConnection(url: database.url(), seconds: 10)
        try connection.run(script: "CREATE SCHEMA apart")
        var nodes = try [
            node("SQLite, folder", "sqlite", [:]), node("PostgreSQL, folder", "postgres", postgres),
            node(
                "PostgreSQL, bucket", "bucket",
                apart.merging(bucket.environment) { $1 }.merging(["LKTRACK_BLOBS_URL": bucket.url("lktrack")]) { $1 }),
        ]
        // What is loaded and cached once counts for none.
        for index in nodes.indices { _ = try Load(nodes[index].wire, clip, seed: 0).run(Self.clients, seconds: 2) }
        for turn in 0..<options.repeats {
            // None is always the first.
            for index in nodes.indices.map({ ($0 + turn) % nodes.count }) {
                func used() -> Double {
                    let node = Processes.processorSeconds(ofFamily: nodes[index].server.processIdentifier)
                    return node + (index == 0 ? 0 : database.processorSeconds)
                }
                let before = used()
                let load = try Load(nodes[index].wire, clip, seed: turn + 1).run(Self.clients, seconds: Self.seconds)
                nodes[index].processor.append(1000 * (used() - before) / Double(load.jobs))
                nodes[index].rates.append(load.rate)
                nodes[index].submissions.append(load.submission)
                nodes[index].polls.append(load.poll)
            }
        }
        for node in nodes {
            report.add("\(node.name): jobs with all that belongs to them", node.rates, unit: "jobs/s", target: "")
            report.add("\(node.name): processor time of a job", node.processor, unit: "ms", target: "")
            report.add("\(node.name): a submission, median", node.submissions, unit: "ms", target: "")
            report.add("\(node.name): a GET of a job, median", node.polls, unit: "ms", target: "")
        }
        for node in nodes.dropFirst() {
            let isMeasured = node.name == "PostgreSQL, folder"
            report.add(
                "\(node.name): jobs a second, of SQLite's", zip(node.rates, nodes[0].rates).map { $0 / $1 },
                unit: "times as many", target: isMeasured ? "≥ \(String(format: "%.2f", Self.most))" : "")
            // Says the same on a machine that has other work to do.
            report.add(
                "\(node.name): processor time of a job, of SQLite's",
                zip(node.processor, nodes[0].processor).map { $0 / $1 }, unit: "times as much",
                target: isMeasured ? "≤ 1.1" : "")
        }
    }

    private func node(_ name: String, _ data: String, _ environment: [String: String]) throws -> Node {
        let server = try BenchServer(options, data: "stores-\(data)", environment: environment)
        return Node(name: name, wire: WireServer(port: server.port), server: server)
    }
}

/// Clients each of whom submits a job, watches it or asks how it is, cancels some, lists, fetches the result and deletes
/// the job; then the next.
private final class Load: Sendable {
    struct Figures {
        let jobs: Int
        /// Jobs a second.
        var rate: Double
        /// Milliseconds.
        var submission, poll: Double
    }

    private let wire: WireServer
    private let clip: Clip
    private let seed: Int
    private let times = Mutex(Times())

    private struct Times {
        var jobs = 0
        var submissions: [Double] = []
        var polls: [Double] = []
        var failure: (any Error)?
    }

    private static let pollSeconds = 0.05

    init(_ wire: WireServer, _ clip: Clip, seed: Int) {
        self.wire = wire
        self.clip = clip
        self.seed = seed
    }

    func run(_ clients: Int, seconds: Double) throws -> Figures {
        let begin = ContinuousClock.now
        let end = begin + .seconds(seconds)
        let group = DispatchGroup()
        for client in 0..<clients {
            group.enter()
            Thread.detachNewThread { [self] in
                var number = seed * 7919 + client
                while ContinuousClock.now < end, times.withLock({ $0.failure == nil }) {
                    do { try session(number) } catch { times.withLock { $0.failure = error } }
                    number += clients
                }
                group.leave()
            }
        }
        group.wait()
        let took = (ContinuousClock.now - begin) / .seconds(1)
        return try times.withLock { times in
            if let failure = times.failure { throw failure }
            func median(_ values: [Double]) -> Double { values.isEmpty ? 0 : values.sorted()[values.count / 2] }
            return Figures(
                jobs: times.jobs, rate: Double(times.jobs) / took, submission: median(times.submissions),
                poll: median(times.polls))
        }
    }

    /// - Parameter number: says what is done: of ten, one cancels, three watch, two wait, four poll.
    private func session(_ number: Int) throws {
        let answer = try timed(\.submissions) {
            try wire.request(
                "POST", "/v1/jobs?roi=\(clip.box)", fields: ["Content-Type: application/octet-stream"], body: clip.bytes
            )
        }
        guard answer.status == 202, let id = answer.json["id"] as? String else {
            throw BenchError("a submission is answered with \(answer.status)")
        }
        let path = "/v1/jobs/\(id)"
        switch number % 10 {
        case 0: try expect([202, 409], wire.request("POST", path + "/cancel"))
        case 1...3: try expect([200], wire.get(path + "/events?frames=true"))
        case 4...5: try expect([200], wire.get(path, ["Prefer: wait=10"]))
        default: break
        }
        try expect([200], wire.get("/v1/jobs?limit=20"))
        while true {
            let job = try timed(\.polls) { try wire.get(path) }
            try expect([200], job)
            guard ["queued", "running"].contains(job.json["status"] as? String ?? "") else { break }
            usleep(useconds_t(Self.pollSeconds * 1e6))
        }
        try expect([200, 404, 409], wire.get(path + "/results?format=json&partial=true"))
        try expect([204], wire.request("DELETE", path))
        times.withLock { $0.jobs += 1 }
    }

    private func timed(
        _ list: WritableKeyPath<Times, [Double]> & Sendable, _ body: () throws -> WireAnswer
    ) throws -> WireAnswer {
        let start = ContinuousClock.now
        let answer = try body()
        let taken = (ContinuousClock.now - start) / .milliseconds(1)
        times.withLock { $0[keyPath: list].append(taken) }
        return answer
    }

    private func expect(_ statuses: [Int], _ answer: WireAnswer) throws {
        guard statuses.contains(answer.status) else { throw BenchError("a request is answered with \(answer.status)") }
    }
}
