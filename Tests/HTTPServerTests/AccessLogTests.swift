import Dispatch
import Logging
import Synchronization
import Testing

@testable import HTTPServer

@Suite("Access log")
struct AccessLogTests {
    struct Line: Sendable {
        var level: Logger.Level
        var message: String
        var metadata: Logger.Metadata
    }

    final class Lines: Sendable {
        let all = Mutex<[Line]>([])
    }

    struct Recorder: LogHandler {
        let lines: Lines
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.info

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            lines.all.withLock {
                $0.append(
                    Line(level: event.level, message: event.message.description, metadata: event.metadata ?? [:]))
            }
        }
    }

    private func lines(_ requests: [String], _ response: HTTPResponse) throws -> [Line] {
        let lines = Lines()
        var configuration = HTTPServerConfiguration()
        configuration.port = 0
        let server = HTTPServer(
            configuration: configuration, application: TestApplication { _ in .respond(response) },
            log: Logger(label: "test") { _ in Recorder(lines: lines) })
        try server.start()
        for request in requests {
            let client = try RawClient(port: try #require(server.boundPort))
            client.send(request)
            _ = client.readToEnd()
        }
        server.stop(by: .now() + 10)
        return lines.all.withLock { $0.filter { $0.message == "request" } }
    }

    @Test("a request is one line: a constant message, and everything else as metadata, numbers as such")
    func line() throws {
        let request = "GET /v1/jobs/7?secret=1 HTTP/1.1\r\nHost: a\r\nX-Request-Id: r7\r\nConnection: close\r\n\r\n"
        let lines = try lines([request, request], text("hello", route: "/v1/jobs/{id}"))
        #expect(lines.count == 2)
        var metadata = try #require(lines.first).metadata
        #expect(metadata.removeValue(forKey: "duration_ms").flatMap { Double("\($0)") } ?? -1 >= 0)
        #expect(
            metadata == [
                "request_id": "r7", "method": "GET", "route": "/v1/jobs/{id}", "remote": "127.0.0.1",
                "status": .stringConvertible(200), "bytes_in": .stringConvertible(0),
                "bytes_out": .stringConvertible(5),
            ])
    }

    @Test("a server error is logged as one, with the cause that the client does not get")
    func serverError() throws {
        var response = text("an error", status: 500)
        response.logNote = "the disk is on fire"
        let line = try #require(try lines(["GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"], response).first)
        #expect(line.level == .error && line.metadata["note"] == "the disk is on fire")
    }

    @Test("refused requests are logged as well")
    func refused() throws {
        let line = try #require(try lines(["GET /../ HTTP/1.1\r\nHost: a\r\n\r\n"], text("hello")).first)
        #expect(line.metadata["status"] == .stringConvertible(400) && line.metadata["route"] == "none")
    }

    @Test("a request of a trace says which, and which span of it asked")
    func trace() throws {
        let request =
            "GET / HTTP/1.1\r\nHost: a\r\ntraceparent: \(TraceContextTests.valid)\r\nConnection: close\r\n\r\n"
        let line = try #require(try lines([request], text("hello")).first)
        #expect(line.metadata["trace_id"] == "0af7651916cd43dd8448eb211c80319c")
        #expect(line.metadata["parent_id"] == "b7ad6b7169203331")
    }
}
