import Foundation
import ServiceHarness
import Synchronization

/// A process of its own that only works on jobs, beside a server that only answers.
final class WorkerProcess {
    private let data: String
    private let environment: [String: String]
    private var process = Process()
    private(set) var log = ServerLog()

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
        log = ServerLog()
        process.executableURL = URL(fileURLWithPath: Executable.lktrack)
        process.arguments = ["serve", "--workers", "1", "--port", "0", "--data-dir", data]
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
            .merging(["LKTRACK_ROLES": "worker"]) { $1 }
        process.currentDirectoryURL = URL(fileURLWithPath: data)
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = log.pipe
        try process.run()
        log.start()
    }

    func crash() {
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    /// SIGTERM, and waits for the end. Returns the exit status.
    func stop() throws -> Int32 {
        signal(SIGTERM)
        try wait(for: "a worker to stop") { !process.isRunning }
        return process.terminationStatus
    }

    /// SIGSTOP; returns once it does nothing any more.
    func suspend() throws {
        signal(SIGSTOP)
        try wait(for: "a worker to stand still") { Processes.isStopped(process.processIdentifier) }
    }

    func signal(_ number: Int32) { kill(process.processIdentifier, number) }
}

extension ServerLog {
    /// Whether something was logged of a job.
    func says(_ text: String, of job: String) -> Bool {
        self.text.split(separator: "\n").contains { $0.contains(text) && $0.contains(job) }
    }
}

extension String {
    /// How many of its lines hold a text.
    func lines(containing text: String) -> Int { split(separator: "\n").count { $0.contains(text) } }
}

/// Clients that submit all the time, whatever becomes of the server, and keep what was told to be accepted.
final class Submitters: Sendable {
    private let port: Mutex<Int>
    private let ids = Tally<String>()
    private let strange = Tally<Int>()

    init(_ server: Server) { port = Mutex(server.port) }

    var accepted: [String] { ids.all }
    /// Answers that are neither 202 nor 503, nor none.
    var otherAnswers: [Int] { strange.all }

    /// Waits until another job has been accepted than by now.
    func awaitAnother() throws {
        let before = ids.count
        try wait(for: "a job to be accepted") { ids.count > before }
    }

    func follow(_ server: Server) { port.withLock { $0 = server.port } }

    /// - Parameter pause: between two submissions of a client, in seconds.
    func crew(_ count: Int, _ work: Work, pause wait: Double) -> Crew {
        Crew(count) { [self] _, _ in
            defer { pause(wait) }
            let wire = WireServer(port: port.withLock { $0 })
            let answer = try? wire.request(
                "POST", work.path, fields: ["Content-Type: application/octet-stream"], body: work.clip.bytes,
                seconds: 10)
            guard let answer, answer.status != 0 else { return }
            if answer.status == 202, let id = answer.json["id"] as? String {
                ids.add(id)
            } else if answer.status != 503 {
                strange.add(answer.status)
            }
        }
    }
}
