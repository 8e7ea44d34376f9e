import Foundation

/// A real `lktrack serve` on a free loopback port, with a data folder of its own; stopped when nobody refers to it.
final class BenchServer {
    let port: Int
    private let process = Process()

    /// - Parameter environment: overlays the configuration.
    init(_ options: BenchOptions, data: String, environment: [String: String] = [:]) throws {
        let log = Pipe()
        process.executableURL = URL(fileURLWithPath: options.lktrack)
        process.arguments = ["serve", "--port", "0", "--data-dir", options.scratch.appendingPathComponent(data).path]
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.currentDirectoryURL = options.scratch
        process.standardError = log
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        guard let port = Self.port(in: log.fileHandleForReading) else {
            process.waitUntilExit()
            throw BenchError("lktrack serve does not start")
        }
        self.port = port
        // What nobody reads would fill the pipe and block the server.
        log.fileHandleForReading.readabilityHandler = { handle in
            if handle.availableData.isEmpty { handle.readabilityHandler = nil }
        }
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

    var threads: Int {
        let path = "/proc/\(process.processIdentifier)/task"
        return (try? FileManager.default.contentsOfDirectory(atPath: path).count) ?? 0
    }

    private static func port(in log: FileHandle) -> Int? {
        var text = Data()
        while true {
            let bytes = log.availableData
            if bytes.isEmpty { return nil }
            text.append(bytes)
            for line in text.split(separator: UInt8(ascii: "\n")) {
                let entry = try? JSONSerialization.jsonObject(with: Data(line)) as? [String: Any]
                if let port = entry?["port"] as? Int { return port }
            }
        }
    }
}
