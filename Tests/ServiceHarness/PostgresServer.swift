import Foundation
import Glibc

/// A real PostgreSQL server with a cluster of its own, in a temporary folder and on a free port. Stopped, and the
/// folder removed, with the last reference or with this process, however that ends.
package final class PostgresServer: @unchecked Sendable {
    // @unchecked Sendable: `process` and `leash` are changed by start() and stop() alone, which one thread calls.

    package enum Failure: Error { case didNotStart(String) }

    package let port: Int
    private let host: String
    private let launcher: [String]
    private let folder: URL
    private let programs: URL
    private let settings: [String]
    private let password = UUID().uuidString
    private var process = Process()
    /// The server goes when this is closed.
    private var leash = Pipe()

    private static let user = "lktrack"

    /// - Parameters:
    ///   - settings: of postgresql.conf, `name=value`.
    ///   - host: the address to listen on; from its network all may come.
    ///   - launcher: a command that becomes the server's: it is given that as further arguments.
    package init(_ settings: String..., host: String = "127.0.0.1", launcher: [String] = []) throws {
        self.settings = settings
        self.host = host
        self.launcher = launcher
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("lktrack-pg-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        programs = try Self.programs(in: folder)
        port = try FreePort.find()
        try Data(password.utf8).write(to: folder.appendingPathComponent("password"))
        if Self.isRoot { try Self.run("/usr/bin/env", ["chown", "-R", "nobody:nogroup", folder.path]) }
        let initdb = Self.unprivileged([
            programs.appendingPathComponent("initdb").path, "-D", data.path, "-U", Self.user, "--no-sync",
            "--auth=scram-sha-256", "--pwfile=\(folder.appendingPathComponent("password").path)", "--locale=C",
            "--encoding=UTF8",
        ])
        try Self.run(initdb[0], Array(initdb.dropFirst()))
        let access = try FileHandle(forUpdating: data.appendingPathComponent("pg_hba.conf"))
        try access.seekToEnd()
        try access.write(contentsOf: Data("host all all samenet scram-sha-256\n".utf8))
        try access.close()
        try start()
    }

    deinit {
        try? leash.fileHandleForWriting.close()
        process.waitUntilExit()
    }

    /// - Parameters:
    ///   - schema: where tables are; `nil`: as the server has it.
    ///   - port: another one that leads to it.
    ///   - parameters: further ones.
    package func url(schema: String? = nil, port: Int? = nil, _ parameters: String...) -> String {
        let options = schema.map { ["options=-csearch_path%3D\($0)"] } ?? []
        return "postgres://\(Self.user):\(password)@\(host):\(port ?? self.port)/postgres?"
            + (options + parameters).joined(separator: "&")
    }

    /// Starts it (again, on the same data), and returns once it takes connections.
    package func start() throws {
        leash = Pipe()
        process = Process()
        // A word says that there will be another start; none, that this process is gone.
        let script = """
            folder=$1; shift
            "$@" >"$folder/log" 2>&1 & server=$!
            read -r word
            [ "$word" = crash ] && signal=QUIT || signal=INT
            kill -$signal $server 2>/dev/null
            wait $server
            [ -n "$word" ] || rm -rf "$folder"
            """
        let command = Self.unprivileged(
            [
                programs.appendingPathComponent("postgres").path, "-D", data.path, "-p", String(port), "-h",
                host, "-k", folder.path, "-c", "max_connections=300",
            ] + settings.flatMap { ["-c", $0] })
        // Not `sh`, which is dash in Debian: its `wait` hangs where SIGCHLD is blocked, as it is on Dispatch's threads.
        let whole = launcher + ["/bin/bash", "-c", script, "bash", folder.path] + command
        process.executableURL = URL(fileURLWithPath: whole[0])
        process.arguments = Array(whole.dropFirst())
        process.standardInput = leash
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        do {
            try poll("PostgreSQL to take connections") {
                let lines = (try? String(contentsOf: pidFile, encoding: .utf8))?.split(separator: "\n") ?? []
                return lines.last?.hasPrefix("ready") == true
            }
        } catch {
            let log = try? String(contentsOf: folder.appendingPathComponent("log"), encoding: .utf8)
            throw Failure.didNotStart(log ?? "\(error)")
        }
    }

    /// Ends every connection and the server, as a restart does.
    package func stop() { end("keep") }

    /// The server and every process of it end at once, with nothing written that was not yet (`pg_ctl stop -m immediate`).
    package func crash() { end("crash") }

    /// Its process stands still, or goes on: connections neither answer nor break.
    package func pause() { signalAll(SIGSTOP) }
    package func resume() { signalAll(SIGCONT) }

    /// Seconds that its processes have used.
    package var processorSeconds: Double { mainProcess.map { Processes.processorSeconds(ofFamily: $0) } ?? 0 }

    // MARK: Helpers

    private var mainProcess: Int32? {
        let text = (try? String(contentsOf: pidFile, encoding: .utf8)) ?? ""
        return text.split(separator: "\n").first.flatMap { Int32($0) }
    }

    private func end(_ word: String) {
        try? leash.fileHandleForWriting.write(contentsOf: Data("\(word)\n".utf8))
        try? leash.fileHandleForWriting.close()
        process.waitUntilExit()
    }

    private var data: URL { folder.appendingPathComponent("data") }
    private var pidFile: URL { data.appendingPathComponent("postmaster.pid") }

    private func signalAll(_ signal: Int32) {
        guard let server = mainProcess else { return }
        let tasks = "/proc/\(server)/task/\(server)/children"
        let children = ((try? String(contentsOfFile: tasks, encoding: .utf8)) ?? "").split(separator: " ")
        for process in [server] + children.compactMap({ Int32($0.filter(\.isNumber)) }) { kill(process, signal) }
    }

    private static var isRoot: Bool { geteuid() == 0 }

    /// PostgreSQL refuses to run as root.
    private static func unprivileged(_ command: [String]) -> [String] {
        guard isRoot else { return command }
        return ["/usr/bin/setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "--"] + command
    }

    /// The folder of `initdb` and `postgres`: unpacked by `scripts/install-deps --test`, or installed. The unpacked ones are
    /// copied to where any user may read them; they find what else they need beside them.
    private static func programs(in folder: URL) throws -> URL {
        let path = "usr/lib/postgresql/15/bin"
        let tools = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent(".build-tools")
        let unpacked = tools.appendingPathComponent(path)
        guard FileManager.default.isExecutableFile(atPath: unpacked.appendingPathComponent("initdb").path) else {
            return URL(fileURLWithPath: "/" + path)
        }
        guard isRoot else { return unpacked }
        for part in ["usr/lib/postgresql", "usr/share/postgresql"] {
            let copy = folder.appendingPathComponent(part)
            try FileManager.default.createDirectory(
                at: copy.deletingLastPathComponent(), withIntermediateDirectories: true)
            try run("/usr/bin/env", ["cp", "-a", tools.appendingPathComponent(part).path, copy.path])
        }
        return folder.appendingPathComponent(path)
    }

    private static func run(_ program: String, _ arguments: [String]) throws {
        let output = try Executable.run(program, arguments, in: URL(fileURLWithPath: "/"))
        guard output.status == 0 else { throw Failure.didNotStart(output.standardError + output.text) }
    }
}
