import Foundation

/// What a quiet tenant notices of one that floods the server with submissions and reads: its answers' 99th percentile,
/// beside that without the other.
struct TenantsBench {
    private let options: BenchOptions

    init(_ options: BenchOptions) { self.options = options }

    private static let requests = 600
    /// Between two of the quiet tenant's requests, in microseconds.
    private static let pause: UInt32 = 2000
    private static let floodingConnections = 16
    /// What the flooding tenant may do.
    private static let limits = ["--rate", "200/s", "--burst", "200", "--queued", "2000"]

    func run(_ report: inout BenchReport) throws {
        guard Wrk.isThere else { return report.skip("wrk is not installed") }
        let data = "tenants"
        let quiet = try key("quiet", [], data)
        let loud = try key("loud", Self.limits, data)
        let server = try BenchServer(
            options, data: data,
            environment: ["LKTRACK_ROLES": "api", "LKTRACK_LIMITS_QUEUED_JOBS": "10000000"])
        let job = try server.submitSmallJob(options, key: quiet)
        let form = try SubmissionScript.form(options)
        let read = Data("GET /v1/jobs/\(job) HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer \(quiet)\r\n\r\n".utf8)
        let submit =
            Data(
                """
                POST /v1/jobs HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer \(quiet)\r\nContent-Type: \
                \(SubmissionScript.contentType)\r\nContent-Length: \(form.count)\r\n\r\n
                """.utf8) + form
        for (name, request, status) in [("read", read, 200), ("submission", submit, 202)] {
            var alone: [Double] = []
            var ratios: [Double] = []
            for _ in 0..<options.repeats {
                let before = try slowest(server.port, request, status)
                let flood = try Flood(options, server, key: loud, connections: Self.floodingConnections)
                let during = try slowest(server.port, request, status)
                flood.stop()
                alone.append(before)
                ratios.append(during / before)
            }
            report.add("quiet tenant's \(name): 99th percentile alone", alone, unit: "ms", target: "")
            report.add(
                "quiet tenant's \(name): 99th percentile beside a flood", ratios, unit: "times as long", target: "≤ 2")
        }
    }

    private func key(_ tenant: String, _ limits: [String], _ data: String) throws -> String {
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: options.lktrack)
        process.arguments =
            [
                "keys", "create", "--tenant", tenant, "--data-dir", options.scratch.appendingPathComponent(data).path,
            ] + limits
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        process.currentDirectoryURL = options.scratch
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        guard let key = text.split(whereSeparator: \.isWhitespace).first(where: { $0.hasPrefix("lkt_") }) else {
            throw BenchError("lktrack keys create made no key")
        }
        return String(key)
    }

    /// The 99th percentile of the times of a request that is sent again and again, in milliseconds.
    private func slowest(_ port: Int, _ request: Data, _ status: Int) throws -> Double {
        let socket = try BenchSocket(port: port)
        var times: [Double] = []
        for _ in 0..<Self.requests {
            usleep(Self.pause)
            let start = ContinuousClock.now
            try socket.send(request)
            // The last member of a job.
            guard try socket.receive(until: "/source\"}}").hasPrefix("HTTP/1.1 \(status) ") else {
                throw BenchError("a quiet tenant's request is not answered with \(status)")
            }
            times.append((ContinuousClock.now - start) / .milliseconds(1))
        }
        return times.sorted()[times.count * 99 / 100]
    }
}

/// A tenant that submits and reads as fast as it can. The processor time that its clients take is not the server's: they
/// run when nobody else wants to.
private final class Flood {
    private var processes: [Process] = []

    init(_ options: BenchOptions, _ server: BenchServer, key: String, connections: Int) throws {
        let script = try SubmissionScript.write(options, key: key)
        let commands = [
            ["-s", script.path, server.url + "/v1/jobs"],
            ["-H", "Authorization: Bearer \(key)", server.url + "/v1/jobs?limit=50"],
        ]
        for arguments in commands {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/nice")
            process.arguments = ["-n", "19", "wrk", "-t1", "-c\(connections)", "-d600s"] + arguments
            process.standardOutput = FileHandle.nullDevice
            try process.run()
            processes.append(process)
        }
        usleep(500_000)
    }

    func stop() {
        for process in processes {
            process.terminate()
            process.waitUntilExit()
        }
        processes = []
    }

    deinit { stop() }
}
