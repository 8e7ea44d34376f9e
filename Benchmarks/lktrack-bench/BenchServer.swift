import Foundation

/// A real `lktrack serve` on a free loopback port, with a data folder of its own; stopped when nobody refers to it.
final class BenchServer {
    let port: Int
    private let process = Process()

    /// - Parameter environment: overlays the configuration.
    init(_ options: BenchOptions, data: String, environment: [String: String] = [:]) throws {
        let log = options.scratch.appendingPathComponent("\(data).log")
        try Data().write(to: log)
        process.executableURL = URL(fileURLWithPath: options.lktrack)
        process.arguments = ["serve", "--port", "0", "--data-dir", options.scratch.appendingPathComponent(data).path]
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.currentDirectoryURL = options.scratch
        // A file, as under systemd: what reads a pipe would take its share of the processor.
        process.standardError = try FileHandle(forWritingTo: log)
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        guard let port = Self.port(in: log, while: process) else {
            throw BenchError("lktrack serve does not start: \((try? String(contentsOf: log, encoding: .utf8)) ?? "")")
        }
        self.port = port
    }

    deinit {
        process.terminate()
        process.waitUntilExit()
    }

    var url: String { "http://127.0.0.1:\(port)" }

    /// A figure of /proc/PID/status, in KiB: `VmRSS`, `VmHWM`.
    func memory(_ field: String) -> Int {
        let path = "/proc/\(process.processIdentifier)/status"
        let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix(field + ":") } ?? ""
        return Int(line.filter(\.isNumber)) ?? 0
    }

    var processIdentifier: Int32 { process.processIdentifier }

    var threads: Int {
        let path = "/proc/\(process.processIdentifier)/task"
        return (try? FileManager.default.contentsOfDirectory(atPath: path).count) ?? 0
    }

    /// The port that the server logs when it listens; `nil` where it ends before.
    private static func port(in log: URL, while process: Process) -> Int? {
        while process.isRunning {
            for line in ((try? Data(contentsOf: log)) ?? Data()).split(separator: UInt8(ascii: "\n")) {
                let entry = try? JSONSerialization.jsonObject(with: Data(line)) as? [String: Any]
                if let port = entry?["port"] as? Int { return port }
            }
            usleep(10_000)
        }
        return nil
    }
}
