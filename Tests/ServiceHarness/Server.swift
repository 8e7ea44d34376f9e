import Foundation
import Glibc

/// A real `lktrack serve` on a free loopback port, with its own data folder; stopped when nobody refers to it.
package final class Server {
    package enum Failure: Error { case didNotStart(log: String), timedOut(String) }

    package let data: TemporaryFolder
    package private(set) var port = 0
    private var process = Process()
    package private(set) var log = ServerLog()
    private let arguments: [String]

    /// - Parameter launcher: a command that becomes the server: it is given the server's command as further arguments.
    package init(
        _ arguments: String..., environment: [String: String] = [:], data: TemporaryFolder? = nil,
        launcher: [String] = []
    ) throws {
        self.data = try data ?? TemporaryFolder()
        self.launcher = launcher
        self.arguments = arguments
        self.environment = environment
        try start()
    }

    private let environment: [String: String]
    private let launcher: [String]

    /// Seconds; many times what any start and any stop takes, on a busy machine, too.
    private static let longestStart = 120.0
    private static let longestStop = 180.0

    deinit {
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
        process.waitUntilExit()
    }

    package var url: String { "http://127.0.0.1:\(port)" }
    package var processIsRunning: Bool { process.isRunning }
    package var processIdentifier: Int32 { process.processIdentifier }

    /// Starts it (again, on the same data).
    package func start() throws {
        process = Process()
        log = ServerLog()
        let command = launcher + [Executable.lktrack, "serve", "--port", "0", "--data-dir", data.url.path] + arguments
        process.executableURL = URL(fileURLWithPath: command[0])
        process.arguments = Array(command.dropFirst())
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        // Away from a config/lktrack.yaml that the folder of the tests may hold.
        process.currentDirectoryURL = data.url
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = log.pipe
        try process.run()
        log.start()
        guard let line = log.line(containing: "\"listening\"", seconds: Self.longestStart),
            let entry = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any],
            let port = entry["port"] as? Int
        else { throw Failure.didNotStart(log: log.text) }
        self.port = port
    }

    /// SIGTERM, and waits for the end. Returns the exit status; one that does not end in time is killed, and the status
    /// is SIGKILL's number.
    @discardableResult
    package func stop() -> Int32 {
        kill(process.processIdentifier, SIGTERM)
        try? poll("the server to end", seconds: Self.longestStop) { !process.isRunning }
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
        process.waitUntilExit()
        port = 0
        return process.terminationStatus
    }

    /// `kill -9`.
    package func crash() {
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        port = 0
    }

    /// Everything in the data folder but the database and the lock files: relative paths of files.
    package func blobs() -> [String] {
        let base = data.url.appendingPathComponent("blobs")
        let files = FileManager.default.enumerator(at: base, includingPropertiesForKeys: [.isRegularFileKey])
        return (files?.allObjects as? [URL] ?? []).filter {
            (try? $0.resourceValues(forKeys: [.isRegularFileKey]).isRegularFile) ?? false
        }.map { String($0.path.dropFirst(base.path.count + 1)) }.sorted()
    }

    /// Identifiers of the server's child processes: decoders at work, and the one that is kept ready.
    package func children() -> [Int32] { Processes.children(of: processIdentifier) }

    /// Identifiers of its decoders that have a job.
    package func decoders() -> [Int32] { Processes.decoders(of: processIdentifier) }

    /// Whether nothing runs for a job: no decoder, and no more than the one that is kept ready.
    package var isIdle: Bool { decoders().isEmpty && children().count <= 1 }

    /// A figure of /proc/PID/status in bytes: `VmRSS`, `VmHWM`.
    package func memory(_ field: String) -> Int {
        let text = (try? String(contentsOfFile: "/proc/\(processIdentifier)/status", encoding: .utf8)) ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix(field + ":") } ?? ""
        return (Int(line.filter(\.isNumber)) ?? 0) * 1024
    }
}
