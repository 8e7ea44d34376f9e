import Foundation
import Synchronization
import Testing

@testable import HTTPServer

/// Bytes made on demand: the number of each position, modulo 251.
final class CountingStream: HTTPBodyStream {
    let count: Int64?
    private let total: Int
    private let failsAt: Int?
    private let position = Mutex(0)

    init(_ total: Int, announced: Bool = true, failsAt: Int? = nil) {
        self.total = total
        self.failsAt = failsAt
        count = announced ? Int64(total) : nil
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        try position.withLock { position in
            if let failsAt, position >= failsAt { throw CancellationError() }
            let count = min(buffer.count, (failsAt ?? total) - position)
            for index in 0..<count { buffer[index] = UInt8((position + index) % 251) }
            position += count
            return count
        }
    }

    static func bytes(_ total: Int) -> Data { Data((0..<total).map { UInt8($0 % 251) }) }
}

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

    @Test("a stream that fails cuts the connection, so that the client sees it", arguments: [true, false])
    func failingStream(announced: Bool) throws {
        let server = try TestServer { _ in
            let stream = CountingStream(500_000, announced: announced, failsAt: 200_000)
            return .respond(HTTPResponse(status: 200, body: .stream(stream)))
        }
        let result = try Curl.run([server.url("/")])
        #expect(result.exitCode == 18 || result.exitCode == 56)
        #expect(server.summaries.first(1).map(\.isComplete) == [false])
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

    @Test("an answer that is given again over a connection has each request's id, and is the other one when it changes")
    func givenAgain() throws {
        let kept = text("kept")
        let unchanged = text("not sent", status: 304)
        // Kept by the connection, and too long for that.
        let bodies = [3 << 10, 20 << 10].map { String(repeating: "x", count: $0) }
        let (short, long) = (text(bodies[0]), text(bodies[1]))
        var changed = kept
        changed.fields["X-Changed"] = "yes"
        let other = changed
        let server = try TestServer { request in
            switch request.path[0] {
            case "changed": .respond(other)
            case "unchanged": .respond(unchanged)
            case "short": .respond(short)
            case "long": .respond(long)
            case "late": .work { kept }
            case "broken":
                .respond(HTTPResponse(status: 200, fields: HTTPFields([("Bad", "a\r\nSmuggled: yes")])))
            default: .respond(kept)
            }
        }
        let requests = [
            "GET /kept", "GET /kept", "GET /late", "GET /changed", "GET /kept", "GET /broken", "GET /kept",
            "GET /broken", "GET /kept", "HEAD /kept", "GET /kept", "HEAD /kept", "HEAD /kept", "GET /kept",
            "GET /unchanged", "GET /unchanged", "HEAD /unchanged", "GET /unchanged", "GET /kept",
            "GET /short", "GET /short", "HEAD /short", "GET /short",
            "GET /long", "GET /long", "HEAD /long", "GET /long", "GET /kept",
        ]
        let heads = requests.enumerated().map { number, request in
            let close = number == requests.count - 1 ? "Connection: close\r\n" : ""
            return "\(request) HTTP/1.1\r\nHost: a\r\nX-Request-Id: number-\(number)\r\n\(close)\r\n"
        }
        let answers = try server.exchange(heads.joined()).components(separatedBy: "HTTP/1.1 ").dropFirst()
        #expect(answers.count == requests.count)
        let expected = requests.map { request -> (status: Int, body: String) in
            switch request.split(separator: "/")[1] {
            case "broken": (500, "error: The server could not answer.\n")
            case "unchanged": (304, "")
            case "short": (200, bodies[0])
            case "long": (200, bodies[1])
            default: (200, "kept")
            }
        }
        for (number, answer) in zip(requests.indices, answers) {
            let (status, body) = expected[number]
            #expect(answer.components(separatedBy: "X-Request-Id: ").count == 2)
            #expect(answer.contains("X-Request-Id: number-\(number)\r\n"))
            #expect(answer.hasPrefix("\(status) "))
            #expect(answer.contains("X-Changed") == (requests[number] == "GET /changed"))
            #expect(status == 304 || answer.contains("Content-Length: \(body.utf8.count)\r\n"))
            let isHead = requests[number].hasPrefix("HEAD")
            #expect(answer.hasSuffix("\r\n\r\n" + (isHead ? "" : body)), "\(requests[number])")
            #expect(!answer.contains("Smuggled"))
        }
        let summaries = server.summaries.first(requests.count)
        #expect(summaries.map(\.status) == expected.map(\.status))
        #expect(
            summaries.map(\.bytesSent)
                == zip(requests, expected).map { $0.hasPrefix("HEAD") ? 0 : Int64($1.body.utf8.count) })
        #expect(summaries.allSatisfy { $0.isComplete })
    }

    @Test("what a connection remembers of its last request goes with it")
    func forgotten() throws {
        final class Last: Sendable {
            private let state = Mutex<(request: Weak, response: Weak)>((Weak(nil), Weak(nil)))

            struct Weak: @unchecked Sendable {
                // @unchecked Sendable: behind the lock of `state`.
                weak var object: AnyObject?

                init(_ object: AnyObject?) { self.object = object }
            }

            func note(_ request: HTTPRequest, _ response: HTTPResponse) {
                state.withLock { $0 = (Weak(request.head), Weak(response.content)) }
            }

            var isThere: (request: Bool, response: Bool) {
                state.withLock { ($0.request.object != nil, $0.response.object != nil) }
            }
        }
        let last = Last()
        let server = try TestServer { request in
            let response = text("remembered")
            last.note(request, response)
            return .respond(response)
        }
        do {
            let client = try server.client()
            for _ in 0..<2 {
                client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                #expect(try client.readResponse().body == "remembered")
            }
            _ = server.summaries.first(2)
            server.application.seen.withLock { $0 = [] }
            #expect(last.isThere == (true, true))
            withExtendedLifetime(client) {}
        }
        // The client has left: this returns when the connection is closed.
        server.server.stop(by: .now() + 10)
        #expect(last.isThere == (false, false))
    }

    @Test("a response that was changed is no longer the same as the one it was copied from")
    func identity() {
        let first = text("a")
        var second = first
        #expect(second.isSame(as: first))
        second.route = first.route
        #expect(second.isSame(as: first))
        second.fields["X"] = "1"
        #expect(!second.isSame(as: first) && first.fields["X"] == nil && second.fields["X"] == "1")
        second.fields["X"] = "2"
        second.status = 404
        second.route = "/a"
        second.logNote = "note"
        second.isProbe = true
        second.body = .empty
        #expect(first.status == 200 && first.route == nil && first.logNote == nil && !first.isProbe)
        guard case .bytes(let bytes) = first.body else { return #expect(Bool(false), "the body changed") }
        #expect(bytes == Array("a".utf8))
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

    @Test("handlers that block do not keep others waiting for the connection's thread")
    func blocking() throws {
        let gate = DispatchSemaphore(value: 0)
        let server = try TestServer { request in
            guard request.path == ["slow"] else { return .respond(text("fast")) }
            return .work {
                gate.wait()
                return text("slow")
            }
        }
        let slow = try (0..<4).map { _ in try server.client() }
        for client in slow { client.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n") }
        for _ in 0..<8 { #expect(try Curl.run([server.url("/")]).text == "fast") }
        for _ in slow { gate.signal() }
        for client in slow { #expect(try client.readResponse().body == "slow") }
    }

    @Test("more requests than the backlog holds are told to come back")
    func backlog() throws {
        let gate = DispatchSemaphore(value: 0)
        let started = DispatchSemaphore(value: 0)
        let server = try TestServer({
            $0.handlerThreads = 1
            $0.handlerBacklog = 1
        }) { _ in
            .work {
                started.signal()
                gate.wait()
                return text("done")
            }
        }
        let running = try server.client()
        running.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(started.wait(timeout: .now() + 10) == .success)
        // Of two more, one waits and the other is refused.
        let others = try (0..<2).map { _ in try server.client() }
        for client in others { client.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n") }
        let refused = try #require(server.summaries.first(1).first)
        #expect(refused.status == 503)
        gate.signal()
        gate.signal()
        let answers = others.map { $0.readToEnd() }
        #expect(answers.filter { $0.hasPrefix("HTTP/1.1 503 ") && $0.contains("Retry-After: 1") }.count == 1)
        #expect(answers.filter { $0.hasSuffix("done") }.count == 1)
        #expect(try running.readResponse().body == "done")
    }

    @Test("an answer may come later, from any thread, or never")
    func later() throws {
        let waiting = Mutex<[HTTPResponder]>([])
        let server = try TestServer { request in
            switch request.path[0] {
            case "wait":
                .later { responder in waiting.withLock { $0.append(responder) } }
            case "forget":
                .later { _ in }
            default:
                .work {
                    for responder in waiting.withLock({ $0 }) { responder.respond(text("now")) }
                    return text("told")
                }
            }
        }
        let clients = try (0..<20).map { _ in try server.client() }
        for client in clients { client.send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n") }
        while waiting.withLock({ $0.count }) < clients.count {
            #expect(try Curl.run([server.url("/forget")]).status == 500)
        }
        #expect(try Curl.run([server.url("/tell")]).text == "told")
        for client in clients { #expect(try client.readResponse().body == "now") }
    }

    @Test("a live stream sends what comes when it comes, without a thread that waits")
    func live() throws {
        final class Ticker: HTTPLiveBodyStream {
            private let state = Mutex<(text: [UInt8], isOver: Bool, wake: (@Sendable () -> Void)?)>(([], false, nil))
            let count: Int64? = nil

            func attach(wake: @escaping @Sendable () -> Void) { state.withLock { $0.wake = wake } }

            func pending() -> Bool { state.withLock { !$0.isOver } }

            func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
                state.withLock { state in
                    let bytes = state.text.prefix(buffer.count)
                    buffer.copyBytes(from: bytes)
                    state.text.removeFirst(bytes.count)
                    return bytes.count
                }
            }

            func say(_ text: String, isOver: Bool = false) {
                let wake = state.withLock { state in
                    state.text += Array(text.utf8)
                    state.isOver = isOver
                    return state.wake
                }
                wake?()
            }
        }
        let ticker = Ticker()
        let server = try TestServer { _ in .respond(HTTPResponse(status: 200, body: .stream(ticker))) }
        let client = try server.client()
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        let head = String(decoding: try #require(client.read()), as: UTF8.self)
        #expect(head.contains("Transfer-Encoding: chunked"))
        // Kept for another request, a connection would keep all of its memory.
        #expect(head.contains("Connection: close"))
        for number in 0..<50 {
            ticker.say("tick \(number)\n")
            #expect(String(decoding: try #require(client.read()), as: UTF8.self).contains("tick \(number)\n"))
        }
        ticker.say("end", isOver: true)
        var rest = ""
        while !rest.hasSuffix("0\r\n\r\n") { rest += String(decoding: try #require(client.read()), as: UTF8.self) }
        #expect(rest.contains("end"))
        #expect(server.summaries.first(1).map(\.isComplete) == [true])
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
