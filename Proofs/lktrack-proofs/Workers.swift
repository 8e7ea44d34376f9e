import Foundation
import ServiceHarness
import Synchronization

/// A process of its own that only works on jobs, beside a server that only answers.
final class WorkerProcess {
    private let data: String
    private let environment: [String: String]
    private var process = Process()

    init(data: String, environment: [String: String] = [:]) throws {
        self.data = data
        self.environment = environment
        try start()
    }

    deinit {
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
        process.waitUntilExit()
    }

    var identifier: Int32 { process.processIdentifier }

    func start() throws {
        process = Process()
        process.executableURL = URL(fileURLWithPath: Executable.lktrack)
        process.arguments = ["serve", "--workers", "1", "--port", "0", "--data-dir", data]
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
            .merging(["LKTRACK_ROLES": "worker"]) { $1 }
        process.currentDirectoryURL = URL(fileURLWithPath: data)
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
    }

    func crash() {
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    func signal(_ number: Int32) { kill(process.processIdentifier, number) }
}

/// Clients that submit all the time, whatever becomes of the server, and keep what was told to be accepted.
final class Submitters: Sendable {
    private let port: Mutex<Int>
    private let ids = Tally<String>()
    private let strange = Tally<Int>()
    private let isPaused = Atomic(false)

    init(_ server: Server) { port = Mutex(server.port) }

    var accepted: [String] { ids.all }
    /// Answers that are neither 202 nor 503, nor none.
    var otherAnswers: [Int] { strange.all }

    func follow(_ server: Server) { port.withLock { $0 = server.port } }

    /// - Parameter pause: between two submissions of a client, in seconds.
    func crew(_ count: Int, _ clip: Clip, pause wait: Double) -> Crew {
        Crew(count) { [self] _, _ in
            defer { pause(wait) }
            let wire = WireServer(port: port.withLock { $0 })
            let answer = try? wire.request(
                "POST", "/v1/jobs?roi=\(clip.box)&tracker=template",
                fields: ["Content-Type: application/octet-stream"], body: clip.bytes, seconds: 10)
            guard let answer, answer.status != 0 else { return }
            if answer.status == 202, let id = answer.json["id"] as? String {
                ids.add(id)
            } else if answer.status != 503 {
                strange.add(answer.status)
            }
        }
    }
}
