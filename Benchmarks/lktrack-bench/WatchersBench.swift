import Foundation
import Glibc
import Synchronization

/// How long `GET /v1/jobs/{id}` takes beside nobody, beside a thousand idle event streams, and beside a thousand streams
/// of one running job; and what those cost.
struct WatchersBench {
    private let options: BenchOptions

    init(_ options: BenchOptions) { self.options = options }

    private static let watchers = 1000
    private static let idleJobs = 100
    /// Ask at the same time, each on a connection that it keeps.
    private static let clients = 4
    private static let requestsEach = 1000

    func run(_ report: inout BenchReport) throws {
        guard BenchSocket.allow(Self.watchers + 200) else {
            return report.skip("the limit of open files is too low for \(Self.watchers) watchers")
        }
        try idle(&report)
        try running(&report)
    }

    /// Jobs that nobody runs, a few watchers each.
    private func idle(_ report: inout BenchReport) throws {
        let server = try start("idle", roles: "api")
        let jobs = try (0..<Self.idleJobs).map { _ in try submit(server, frames: 5, targets: 1) }
        try measure("no watchers", server, jobs[0], &report)
        let before = (memory: server.memory("VmRSS"), threads: server.threads)
        let watching = try watch(server, jobs)
        try measure("1,000 idle watchers", server, jobs[0], &report)
        report.add(
            "1,000 idle watchers: a watcher's resident memory",
            [Double(server.memory("VmRSS") - before.memory) / Double(Self.watchers)], unit: "KiB", target: "")
        report.add(
            "1,000 idle watchers: more than before", [Double(server.threads - before.threads)], unit: "threads",
            target: "a few, not 1,000")
        withExtendedLifetime(watching) {}
    }

    /// One job that a worker runs, and that everybody watches.
    private func running(_ report: inout BenchReport) throws {
        let server = try start("running", roles: "api,worker")
        let job = try submit(server, frames: 3000, targets: 64)
        let watching = try watch(server, [job])
        try measure("1,000 watchers of a running job", server, job, &report)
        report.add(
            "1,000 watchers of a running job: peak resident memory", [Double(server.memory("VmHWM")) / 1024],
            unit: "MiB", target: "< 200")
        withExtendedLifetime(watching) {}
    }

    // MARK: Helpers

    private func start(_ name: String, roles: String) throws -> BenchServer {
        try BenchServer(
            options, data: name,
            environment: [
                "LKTRACK_SERVER_CONNECTIONS": "\(Self.watchers * 2)", "LKTRACK_ROLES": roles, "LKTRACK_WORKERS": "1",
            ])
    }

    private func submit(_ server: BenchServer, frames: Int, targets: Int) throws -> String {
        let video = options.scratch.appendingPathComponent("watched-\(frames).avi").path
        if !FileManager.default.fileExists(atPath: video) {
            _ = try Stopwatch.seconds(
                options.lktrack, ["synth", video, "--frames", "\(frames)", "--size", "320x240"])
        }
        let answer = options.scratch.appendingPathComponent("submitted.json")
        let boxes = (0..<targets).flatMap { ["-F", "roi=\(20 + $0 % 8 * 30),\(20 + $0 / 8 * 20),40,40"] }
        _ = try Stopwatch.seconds(
            "/usr/bin/env",
            ["curl", "-fsS", "-o", answer.path, "-F", "video=@\(video)"] + boxes + [server.url + "/v1/jobs"])
        let job = try JSONSerialization.jsonObject(with: try Data(contentsOf: answer)) as? [String: Any]
        guard let id = job?["id"] as? String else { throw BenchError("the server took no job") }
        return id
    }

    private func watch(_ server: BenchServer, _ jobs: [String]) throws -> [BenchSocket] {
        try (0..<Self.watchers).map { index in
            let socket = try BenchSocket(port: server.port)
            try socket.send("GET /v1/jobs/\(jobs[index % jobs.count])/events HTTP/1.1\r\nHost: a\r\n\r\n")
            _ = try socket.receive(until: "event: status")
            return socket
        }
    }

    private func measure(_ name: String, _ server: BenchServer, _ job: String, _ report: inout BenchReport) throws {
        var medians: [Double] = []
        var slow: [Double] = []
        for _ in 0..<options.repeats {
            let times = try times(server.port, job)
            medians.append(times[times.count / 2])
            slow.append(times[times.count * 99 / 100])
        }
        report.add("\(name): GET of a job, median", medians, unit: "ms", target: "")
        report.add("\(name): GET of a job, 99th percentile", slow, unit: "ms", target: "< 20")
    }

    /// Milliseconds of every request, sorted.
    private func times(_ port: Int, _ job: String) throws -> [Double] {
        let all = Mutex<[Double]>([])
        let failure = Mutex<(any Error)?>(nil)
        DispatchQueue.concurrentPerform(iterations: Self.clients) { _ in
            do {
                let socket = try BenchSocket(port: port)
                var times: [Double] = []
                for _ in 0..<Self.requestsEach {
                    let start = ContinuousClock.now
                    try socket.send("GET /v1/jobs/\(job) HTTP/1.1\r\nHost: a\r\n\r\n")
                    // The last member of a job.
                    guard try socket.receive(until: "/source\"}}").hasPrefix("HTTP/1.1 200 ") else {
                        throw BenchError("GET of a job is not answered with 200")
                    }
                    times.append((ContinuousClock.now - start) / .milliseconds(1))
                }
                all.withLock { $0 += times }
            } catch {
                failure.withLock { $0 = error }
            }
        }
        if let error = failure.withLock({ $0 }) { throw error }
        return all.withLock { $0.sorted() }
    }
}
