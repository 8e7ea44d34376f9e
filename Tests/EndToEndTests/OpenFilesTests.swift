import Foundation
import ServiceHarness
import Testing

/// How few files the server can live with.
@Suite("Open files", .serialized)
struct OpenFilesTests {
    @Test("with 256 open files, idle connections keep no accepted client's job from being stored and tracked")
    func lowLimit() throws {
        let server = try Server(
            "--workers", "1", launcher: ["/bin/bash", "-c", #"ulimit -n 256; exec "$@""#, "bash"])
        #expect(server.log.text.contains("the hard limit of open files is too low"))
        let clip = try Clip.make(frames: 5)
        let client = try KeptConnection(server)
        #expect(try client.request("GET", "/healthz").status == 200)
        let idle = try (0..<400).map { _ in try WireClient(port: server.port) }
        for _ in 0..<3 {
            let answer = try client.request(
                "POST", "/v1/jobs?roi=\(clip.box)", fields: ["Content-Type: application/octet-stream"], body: clip.bytes
            )
            #expect(answer.status == 202, "\(answer.body)")
            let id = try #require(answer.json["id"] as? String)
            try poll("the job ends") {
                let status = try client.request("GET", "/v1/jobs/\(id)").json["status"] as? String
                return try ["succeeded", "failed"].contains(#require(status))
            }
            #expect(try client.request("GET", "/v1/jobs/\(id)").json["status"] as? String == "succeeded")
        }
        let faults = ["no descriptors", "unable to open", "Too many open files", "\"level\":\"error\""]
        for fault in faults { #expect(!server.log.text.contains(fault), "\(server.log.text)") }
        withExtendedLifetime(idle) {}
    }

    @Test("with 256 open files, streams leave others a quarter of the connections that there are then")
    func streams() throws {
        let server = try Server(
            environment: ["LKTRACK_ROLES": "api"],
            launcher: ["/bin/bash", "-c", #"ulimit -n 256; exec "$@""#, "bash"])
        let id = try #require(try server.wire.submit(try Clip.make(frames: 5)))
        var streams: [WireClient] = []
        var status = 200
        while status == 200, streams.count < 256 {
            let client = try WireClient(port: server.port)
            client.send("GET /v1/jobs/\(id)/events HTTP/1.1\r\nHost: a\r\n\r\n")
            status = WireAnswer(try #require(client.receive(), "a connection is closed")).status
            streams.append(client)
        }
        #expect(status == 503)
        #expect((8..<64).contains(streams.count), "\(streams.count)")
        for _ in 0..<5 { #expect(try server.wire.get("/healthz").status == 200) }
        withExtendedLifetime(streams) {}
    }

    /// Requests one after the other over one connection.
    private struct KeptConnection {
        private let client: WireClient

        init(_ server: Server) throws { client = try WireClient(port: server.port) }

        func request(
            _ method: String, _ path: String, fields: [String] = [], body: [UInt8] = []
        ) throws -> WireAnswer {
            let lines = ["\(method) \(path) HTTP/1.1", "Host: a", "Content-Length: \(body.count)"] + fields
            client.send(Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8) + body)
            var message: [UInt8] = []
            while true {
                message += try #require(client.receive(), "the connection is closed")
                let answer = WireAnswer(message)
                guard
                    let field = answer.head.split(separator: "\r\n").first(where: { $0.hasPrefix("Content-Length: ") }),
                    let length = Int(field.dropFirst("Content-Length: ".count))
                else { continue }
                if answer.bytes.count >= length { return answer }
            }
        }
    }
}
