import Dispatch
import Foundation
import Synchronization
import Testing

@testable import HTTPServer

/// What a connection keeps of an answer, to give it again.
@Suite("Answers that are given again")
struct RepeatedAnswerTests {
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
}
