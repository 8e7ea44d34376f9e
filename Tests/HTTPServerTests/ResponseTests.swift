import Foundation
import Synchronization
import Testing

@testable import HTTPServer

@Suite("Responses")
struct ResponseTests {
    @Test("bytes, streams of known and of unknown length arrive whole", arguments: [0, 1, 1000, 40_000, 300_000])
    func bodies(size: Int) throws {
        let server = try TestServer { request in
            let body: HTTPBody =
                switch request.path[0] {
                case "bytes": .bytes(Array(CountingStream.bytes(size)))
                case "known": .stream(CountingStream(size))
                default: .stream(CountingStream(size, announced: false))
                }
            return .respond(HTTPResponse(status: 200, body: body))
        }
        for path in ["/bytes", "/known", "/chunked"] {
            let result = try Curl.run([server.url(path)])
            #expect(result.exitCode == 0 && result.status == 200)
            #expect(result.output == CountingStream.bytes(size), "\(path)")
        }
        #expect(server.summaries.first(3).map(\.bytesSent) == [Int64](repeating: Int64(size), count: 3))
    }

    @Test(
        "a stream that fails cuts the connection, so that the client sees it, and the log says why",
        arguments: [true, false])
    func failingStream(announced: Bool) throws {
        let server = try TestServer { _ in
            let stream = CountingStream(500_000, announced: announced, failsAt: 200_000)
            return .respond(HTTPResponse(status: 200, body: .stream(stream)))
        }
        let result = try Curl.run([server.url("/")])
        #expect(result.exitCode == 18 || result.exitCode == 56)
        let summary = try #require(server.summaries.first(1).first)
        #expect(summary.status == 200 && !summary.isComplete)
        #expect(summary.note == "the body broke off: CancellationError()")
    }

    @Test("what a response has for the log stays there when its body breaks off")
    func failingStreamWithNote() throws {
        let server = try TestServer { _ in
            var response = HTTPResponse(status: 200, body: .stream(CountingStream(500_000, failsAt: 200_000)))
            response.logNote = "the disk is slow"
            return .respond(response)
        }
        _ = try Curl.run([server.url("/")])
        #expect(server.summaries.first(1).map(\.note) == ["the disk is slow"])
    }

    @Test("HTTP/1.0 clients get bodies of unknown length up to the end of the connection")
    func oldClients() throws {
        let server = try TestServer { _ in
            .respond(HTTPResponse(status: 200, body: .stream(CountingStream(100_000, announced: false))))
        }
        let result = try Curl.run(["--http1.0", server.url("/")])
        #expect(result.exitCode == 0 && result.output == CountingStream.bytes(100_000))
        let answer = try server.exchange("GET / HTTP/1.0\r\n\r\n")
        #expect(answer.hasPrefix("HTTP/1.") && !answer.lowercased().contains("transfer-encoding"))
    }

    @Test("HEAD gets the head that GET gets, and no body")
    func head() throws {
        let server = try TestServer { request in
            switch request.path[0] {
            case "bytes": .respond(text("twelve bytes"))
            case "late": .work { text("twelve bytes") }
            case "chunked": .respond(HTTPResponse(status: 200, body: .stream(CountingStream(12, announced: false))))
            default: .respond(HTTPResponse(status: 200, body: .stream(CountingStream(12))))
            }
        }
        let client = try server.client()
        for path in ["/bytes", "/late", "/stream"] {
            client.send("HEAD \(path) HTTP/1.1\r\nHost: a\r\n\r\n")
            // The next request on the same connection shows that no body was in between.
            let head = String(decoding: try #require(client.read()), as: UTF8.self)
            #expect(head.hasPrefix("HTTP/1.1 200 OK\r\n") && head.hasSuffix("\r\n\r\n"))
            #expect(head.contains("\r\nContent-Length: 12\r\n"), "\(head)")
        }
        client.send("HEAD /chunked HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        #expect(client.readToEnd().hasSuffix("\r\n\r\n"))
        #expect(server.application.seen.withLock { $0.allSatisfy { $0.method == "GET" && $0.isHead } })
        #expect(server.summaries.first(4).allSatisfy { $0.method == "HEAD" && $0.bytesSent == 0 && $0.isComplete })
    }

    @Test("204 and 304 have no body and leave the connection usable", arguments: [204, 304])
    func bodiless(status: Int) throws {
        let server = try TestServer { _ in .respond(text("not to be sent", status: status)) }
        let client = try server.client()
        for _ in 0..<3 {
            client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            let head = String(decoding: try #require(client.read()), as: UTF8.self)
            #expect(head.hasPrefix("HTTP/1.1 \(status)") && head.hasSuffix("\r\n\r\n"))
            #expect(!head.lowercased().contains("transfer-encoding"))
            #expect(status == 304 || !head.lowercased().contains("content-length"), "\(head)")
        }
    }

    @Test("what the server sets is set once, whatever the application says")
    func serverFields() throws {
        let server = try TestServer { _ in
            var response = text("body")
            response.fields.append("Content-Length", "99")
            response.fields.append("Transfer-Encoding", "chunked")
            response.fields.append("Date", "yesterday")
            response.fields.append("X-Request-Id", "mine")
            response.fields.append("Set-Cookie", "a=b")
            response.fields.append("Set-Cookie", "c=d")
            response.fields.append("Empty", "")
            return .respond(response)
        }
        let answer = try server.exchange("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX-Request-Id: r-1\r\n\r\n")
        let response = try #require(Response(answer))
        let names = response.head.dropFirst().map { $0.split(separator: ":")[0].lowercased() }.sorted()
        #expect(
            names == [
                "connection", "content-length", "content-type", "date", "set-cookie", "set-cookie", "x-request-id",
            ])
        #expect(response["Content-Length"] == "4" && response["X-Request-Id"] == "r-1" && response.body == "body")
    }

    @Test(
        "a field that would be two is not sent",
        arguments: [
            ("X", "a\r\nSet-Cookie: b"), ("X", "a\nb"), ("X", "a\rb"), ("X", "a\0b"), ("X\r\nY", "a"), ("X Y", "a"),
            ("", "a"), ("X:", "a"),
        ])
    func injection(name: String, value: String) throws {
        let server = try TestServer { request in
            var response = text("secret")
            response.fields.append(name, value)
            return request.path == ["late"] ? .work { [response] in response } : .respond(response)
        }
        for path in ["/", "/late"] {
            let answer = try server.exchange("GET \(path) HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            #expect(answer.hasPrefix("HTTP/1.1 500 ") && !answer.contains("Cookie") && !answer.contains("secret"))
        }
        #expect(server.summaries.first(2).allSatisfy { $0.note?.isEmpty == false })
    }

    @Test(
        "request ids are the client's where they are fit, else made here",
        arguments: [
            ("abc-1.2_X", true), ("", false), ("a b", false), ("a\u{fc}", false),
            (String(repeating: "a", count: 65), false),
            ("<script>", false),
        ])
    func requestIDs(sent: String, isTaken: Bool) throws {
        let server = try TestServer { .respond(text($0.id)) }
        let answer = try server.exchange(
            "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX-Request-Id: \(sent)\r\n\r\n")
        let response = try #require(Response(answer))
        #expect(response.body == response["X-Request-Id"])
        #expect((response.body == sent) == isTaken)
        #expect(isTaken || response.body.utf8.count == 32)
    }

    @Test("every finished request is observed once, with its route and not its path")
    func observed() throws {
        let server = try TestServer { request in
            .work { text("hello", status: 201, route: "/things/{id}") }
        }
        _ = try Curl.run(["-d", "12345", server.url("/things/7")])
        let summary = try #require(server.summaries.first(1).first)
        #expect(summary.method == "POST" && summary.route == "/things/{id}" && summary.status == 201)
        #expect(summary.bytesReceived == 5 && summary.bytesSent == 5 && summary.isComplete)
        #expect(summary.remoteAddress == "127.0.0.1" && summary.duration > .zero)
    }
}
