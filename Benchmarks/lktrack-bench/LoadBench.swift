import Foundation

/// Requests a second, beside a bare libmicrohttpd program that answers with the same bytes from the same number of
/// threads, in turns; and how many small jobs come in.
struct LoadBench {
    private let options: BenchOptions

    init(_ options: BenchOptions) { self.options = options }

    private static let connections = 32
    private static let submitters = 16
    /// Of one measurement.
    private static let seconds = 2

    func run(_ report: inout BenchReport) throws {
        guard Wrk.isThere else { return report.skip("wrk is not installed") }
        let server = try BenchServer(
            options, data: "load",
            environment: ["LKTRACK_ROLES": "api", "LKTRACK_LIMITS_QUEUED_JOBS": "10000000"])
        let job = try server.submitSmallJob(options)
        try read(server, job, &report)
        try submit(server, &report)
    }

    private func read(_ server: BenchServer, _ job: String, _ report: inout BenchReport) throws {
        let paths = [("GET of a job", "/v1/jobs/\(job)", "≥ 0.6"), ("GET /healthz", "/healthz", "≥ 0.85")]
        let (bare, idling) = (try peer(true), try peer(false))
        func peer(_ dealsConnections: Bool) throws -> BarePeer {
            try BarePeer(
                options, like: server, paths: paths.map(\.1), threads: ProcessInfo.processInfo.activeProcessorCount,
                dealsConnections: dealsConnections)
        }
        for (name, path, target) in paths {
            var own: [Double] = []
            var ratios: [Double] = []
            var idlingRatios: [Double] = []
            var slowest: [Double] = []
            for _ in 0..<options.repeats {
                let figures = try Wrk.run(server.url + path, connections: Self.connections, seconds: Self.seconds)
                let peer = try Wrk.run(bare.url + path, connections: Self.connections, seconds: Self.seconds)
                let other = try Wrk.run(idling.url + path, connections: Self.connections, seconds: Self.seconds)
                own.append(figures.requestsPerSecond)
                slowest.append(figures.slowest99)
                ratios.append(figures.requestsPerSecond / peer.requestsPerSecond)
                idlingRatios.append(figures.requestsPerSecond / other.requestsPerSecond)
            }
            report.add("\(name)", own, unit: "requests/s", target: "")
            report.add("\(name): of the bare program's", ratios, unit: "times as many", target: target)
            report.add(
                "\(name): of the same, which accepts for itself, mostly by one thread", idlingRatios,
                unit: "times as many", target: "")
            report.add("\(name): 99th percentile", slowest, unit: "ms", target: "")
        }
    }

    private func submit(_ server: BenchServer, _ report: inout BenchReport) throws {
        let script = try SubmissionScript.write(options)
        let figures = try (0..<options.repeats).map { _ in
            try Wrk.run(
                server.url + "/v1/jobs", connections: Self.submitters, seconds: Self.seconds, script: script)
        }
        report.add(
            "submit of a job of one frame, on the disk, by \(Self.submitters) clients",
            figures.map(\.requestsPerSecond),
            unit: "jobs/s", target: "≥ 150")
        report.add("submit: 99th percentile", figures.map(\.slowest99), unit: "ms", target: "")
    }
}

/// A job of one small frame.
enum SubmissionScript {
    private static let boundary = "bench-boundary"

    /// A `wrk` script that submits it again and again.
    static func write(_ options: BenchOptions, key: String? = nil) throws -> URL {
        let body = try form(options)
        let text = body.map { "\\" + String(format: "%03d", $0) }.joined()
        let authorization = key.map { "wrk.headers[\"Authorization\"] = \"Bearer \($0)\"\n" } ?? ""
        let script = """
            wrk.method = "POST"
            wrk.headers["Content-Type"] = "multipart/form-data; boundary=\(boundary)"
            \(authorization)wrk.body = "\(text)"
            """
        let file = options.scratch.appendingPathComponent("submit.lua")
        try script.write(to: file, atomically: true, encoding: .utf8)
        return file
    }

    static var contentType: String { "multipart/form-data; boundary=\(boundary)" }

    static func form(_ options: BenchOptions) throws -> Data {
        let folder = options.scratch.appendingPathComponent("small")
        if !FileManager.default.fileExists(atPath: folder.path) {
            _ = try Stopwatch.seconds(options.lktrack, ["synth", folder.path, "--frames", "1", "--size", "160x120"])
        }
        let images = folder.appendingPathComponent("img")
        guard let name = try FileManager.default.contentsOfDirectory(atPath: images.path).first else {
            throw BenchError("lktrack synth made no image")
        }
        let image = try Data(contentsOf: images.appendingPathComponent(name))
        return Data(
            "--\(boundary)\r\nContent-Disposition: form-data; name=\"roi\"\r\n\r\n20,20,40,40\r\n".utf8)
            + Data("--\(boundary)\r\nContent-Disposition: form-data; name=\"frame\"; filename=\"a.png\"\r\n\r\n".utf8)
            + image + Data("\r\n--\(boundary)--\r\n".utf8)
    }
}

extension BenchServer {
    /// Returns the job's id.
    func submitSmallJob(_ options: BenchOptions, key: String? = nil) throws -> String {
        let (form, answer) = (
            options.scratch.appendingPathComponent("form"), options.scratch.appendingPathComponent("submitted.json")
        )
        try SubmissionScript.form(options).write(to: form)
        let authorization = key.map { ["-H", "Authorization: Bearer \($0)"] } ?? []
        _ = try Stopwatch.seconds(
            "/usr/bin/env",
            [
                "curl", "-fsS", "-o", answer.path, "-H", "Content-Type: \(SubmissionScript.contentType)",
                "--data-binary", "@\(form.path)",
            ] + authorization + [url + "/v1/jobs"])
        let job = try JSONSerialization.jsonObject(with: try Data(contentsOf: answer)) as? [String: Any]
        guard let id = job?["id"] as? String else { throw BenchError("the server took no job") }
        return id
    }
}
