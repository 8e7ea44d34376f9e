import Dispatch
import Foundation
import HTTPServer
import Jobs
import Logging
import Synchronization
import Testing

/// A service behind the real server, spoken to by `curl`.
final class Wire: Sendable {
    let service: Service
    private let server: HTTPServer
    private let finished: Finished

    /// Tells which requests the server is done with.
    private final class Finished: Sendable {
        private let summaries = Mutex<[HTTPRequestSummary]>([])
        private let signal = DispatchSemaphore(value: 0)

        func add(_ summary: HTTPRequestSummary) {
            summaries.withLock { $0.append(summary) }
            signal.signal()
        }

        /// The next one; `nil` where there is none within ten seconds.
        func next() -> HTTPRequestSummary? {
            guard signal.wait(timeout: .now() + 10) == .success else { return nil }
            return summaries.withLock { $0.removeFirst() }
        }
    }

    private init(_ service: Service) throws {
        var configuration = HTTPServerConfiguration()
        configuration.port = 0
        let finished = Finished()
        self.finished = finished
        self.service = service
        var log = Logger(label: "test")
        log.logLevel = .critical
        server = HTTPServer(
            configuration: configuration, application: service.api, log: log,
            observer: {
                service.api.observe($0)
                finished.add($0)
            })
        try server.start()
    }

    /// Runs a test on a thread of its own, because it waits for processes and for the server.
    static func run(_ service: Service, _ body: @escaping @Sendable (Wire) throws -> Void) async throws {
        try await withCheckedThrowingContinuation { (done: CheckedContinuation<Void, any Error>) in
            DispatchQueue.global().async {
                done.resume(
                    with: Result {
                        let wire = try Wire(service)
                        defer { wire.server.stop(by: .now() + 5) }
                        try body(wire)
                    })
            }
        }
    }

    /// What the server says of the request that it finished next.
    func summary() throws -> HTTPRequestSummary { try #require(finished.next()) }

    /// A file for `curl` to send, below the service's folder.
    func file(_ name: String, _ content: [UInt8]) throws -> String {
        let path = service.folder + "/" + name
        try Data(content).write(to: URL(fileURLWithPath: path))
        return path
    }

    struct Reply {
        /// Of `curl`; 28 where it gave up.
        var exitCode: Int32
        /// The last head, without body.
        var head: String
        var body: [UInt8]

        var status: Int { head.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0 }
        var json: JSONValue? { try? JSONValue(parsing: body) }
    }

    func curl(_ path: String, _ arguments: String...) throws -> Reply { try curl(path, arguments) }

    func curl(_ path: String, _ arguments: [String]) throws -> Reply {
        let port = try #require(server.boundPort)
        let output = service.folder + "/reply-\(UUID().uuidString)"
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/curl")
        process.arguments =
            ["-sS", "-o", output + ".body", "-D", output + ".head"] + arguments + ["http://127.0.0.1:\(port)\(path)"]
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        let head = FileManager.default.contents(atPath: output + ".head").map { String(decoding: $0, as: UTF8.self) }
        let last = (head ?? "").components(separatedBy: "\r\n\r\n").last { !$0.isEmpty }
        return Reply(
            exitCode: process.terminationStatus, head: last ?? "",
            body: FileManager.default.contents(atPath: output + ".body").map { Array($0) } ?? [])
    }
}
