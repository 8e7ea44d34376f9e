import ServiceHarness
import Testing

@testable import HTTPServer

/// Requests that a proxy and the server could take for different things. Each comes with another request in the same
/// bytes, which must never be answered as one of its own.
extension MalformedRequests.Attack: CustomTestStringConvertible {
    public var testDescription: String { name }
}

@Suite("Malformed requests")
struct MalformedRequestTests {
    @Test("is refused and the connection closed", arguments: MalformedRequests.all)
    func refused(attack: MalformedRequests.Attack) throws {
        let server = try TestServer { _ in .respond(text("served")) }
        let answer = try server.exchange(attack.request + MalformedRequests.marker)
        #expect(server.application.paths.isEmpty, "the application saw the request")
        #expect(responses(answer) <= 1, "more than one response: \(answer)")
        guard attack.silence == nil else {
            #expect(answer.isEmpty, "it is answered, so that it is no exception: \(answer)")
            return
        }
        let status = try #require(
            Int(answer.split(separator: " ").dropFirst().first ?? ""), "closed without an answer")
        #expect((400..<500).contains(status) || status == 505, "\(answer)")
    }

    /// How many responses there are. libmicrohttpd 0.9.75 writes the head twice where it refuses a Content-Length by itself;
    /// the second lies within what the first announces as its body.
    private func responses(_ answer: String) -> Int {
        var answer = answer
        if let end = answer.utf8.firstRange(of: Array("\r\n\r\n".utf8))?.upperBound {
            let head = String(answer[..<end])
            if answer.dropFirst(head.count).hasPrefix(head) { answer = String(answer.dropFirst(head.count)) }
        }
        return answer.matches(of: #/HTTP\/1\.[01] [1-5][0-9][0-9] /#).count
    }

    @Test("more than forty of them are tried")
    func count() { #expect(MalformedRequests.all.count >= 40) }

    @Test(
        "nothing behind a malformed chunked body is taken for a request",
        arguments: [
            "5\nhello\r\n0\r\n\r\n", "5 \r\nhello\r\n0\r\n\r\n", "0x5\r\nhello\r\n0\r\n\r\n",
            "-5\r\nhello\r\n0\r\n\r\n",
            "5\r\nhelloXX0\r\n\r\n", "5\r\nhello0\r\n\r\n", "FFFFFFFFFFFFFFFFF\r\nhello\r\n0\r\n\r\n", "\r\n0\r\n\r\n",
            "5;ext=\"\r\n\"\r\nhello\r\n0\r\n\r\n", "0\r\nX: y\nZ\r\n\r\n", "0\n\n", "0;\r\n\r\n", "g\r\n\r\n",
            "0\r\n\r\n",
        ])
    func chunked(body: String) throws {
        let server = try TestServer { _ in .work { text("served") } }
        let head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        let answer = try server.exchange(head + body + MalformedRequests.marker)
        #expect(!server.application.paths.contains("/smuggled"))
        #expect(responses(answer) <= 1, "more than one response: \(answer)")
    }

    @Test("valid requests in the same bytes are all answered, in order")
    func pipelining() throws {
        let server = try TestServer { .respond(text($0.target)) }
        let first = "GET /1 HTTP/1.1\r\nHost: a\r\nX:\t spaced \t\r\nEmpty:\r\n\r\n"
        let second = "POST /2?a=%20b HTTP/1.1\r\nHost: [::1]:8080\r\nContent-Length: 5\r\n\r\nhello"
        let third = "GET http://a:1/3 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        let answer = try server.exchange(first + second + third)
        #expect(server.application.paths == ["/1", "/2?a=%20b", "http://a:1/3"])
        #expect(responses(answer) == 3)
        let seen = server.application.seen.withLock { $0 }
        #expect(seen[0].fields["x"] == "spaced" && seen[0].fields["empty"] == "")
        #expect(seen[1].path == ["2"] && seen[1].query("a") == " b")
        #expect(seen[2].path == ["3"])
    }

    @Test("heads that come again over a connection are the requests that they were, each with an id of its own")
    func repeated() throws {
        let server = try TestServer { .respond(text($0.target)) }
        func head(_ field: String) -> String { "GET /a?b=%201 HTTP/1.1\r\nHost: a\r\n\(field)\r\n\r\n" }
        let heads = ["X: 1", "X: 1", "X: 2", "X: 1", "Y: 1", "Connection: close"].map(head)
        #expect(responses(try server.exchange(heads.joined())) == 6)
        let seen = server.application.seen.withLock { $0 }
        #expect(seen.map { $0.fields["x"] } == ["1", "1", "2", "1", nil, nil])
        #expect(seen.allSatisfy { $0.path == ["a"] && $0.query("b") == " 1" && $0.fields["host"] == "a" })
        #expect(Set(seen.map(\.id)).count == 6)
    }

    @Test(
        "a target's arguments are read, however many fit in it",
        arguments: [
            String(repeating: "a=b&", count: 1_950), String(repeating: "&", count: 8_100),
            (0..<600).map { "label.\($0)=x" }.joined(separator: "&"),
        ])
    func manyArguments(query: String) throws {
        let server = try TestServer { .respond(text("\($0.query.count) arguments")) }
        let request = "GET /a?\(query) HTTP/1.1\r\nHost: a\r\n"
        let expected = query.split(separator: "&").count
        let answer = try server.exchange(request + "\r\n" + request + "Connection: close\r\n\r\n")
        #expect(answer.matches(of: #/([0-9]+) arguments/#).map(\.1) == ["\(expected)", "\(expected)"])
        #expect(server.application.paths == ["/a?\(query)", "/a?\(query)"])
    }

    @Test("heads that differ in nothing but their arguments' separators are different requests")
    func separators() throws {
        let server = try TestServer { .respond(text($0.target)) }
        let targets = ["/a?b=c", "/a?b&c", "/a?b+c", "/a?x+c", "/a?", "/a?b=c"]
        let requests = targets.map { "GET \($0) HTTP/1.1\r\nHost: a\r\n\r\n" }
        let last = "GET /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        #expect(responses(try server.exchange(requests.joined() + last)) == targets.count + 1)
        #expect(server.application.paths == targets + ["/a"])
        let seen = server.application.seen.withLock { $0.map { $0.query.map { "\($0.name):\($0.value)" } } }
        #expect(seen == [["b:c"], ["b:", "c:"], ["b c:"], ["x c:"], [], ["b:c"], []])
    }

    @Test(
        "more fields or cookies than there is memory for are answered",
        arguments: [
            String(repeating: "X: y\r\n", count: 3_000),
            "Cookie: \(String(repeating: "a=b;", count: 4_500))\r\n",
        ])
    func manyFields(lines: String) throws {
        let server = try TestServer { _ in .respond(text("served")) }
        let answer = try server.exchange("GET / HTTP/1.1\r\nHost: a\r\n\(lines)\r\n")
        #expect(answer.hasPrefix("HTTP/1.1 431 "), "\(answer)")
        #expect(server.application.paths.isEmpty)
    }

    @Test("a client's own request id counts each time, and a repeated head with a fault is refused each time")
    func repeatedID() throws {
        let server = try TestServer { .respond(text($0.target)) }
        let own = "GET /own HTTP/1.1\r\nHost: a\r\nX-Request-Id: r7\r\n\r\n"
        let answer = try server.exchange(own + own + "GET /../ HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(responses(answer) == 3 && answer.contains("HTTP/1.1 400 "))
        #expect(server.application.seen.withLock { $0.map(\.id) } == ["r7", "r7"])
    }

    @Test("a head that comes byte by byte is read like any other")
    func bytewise() throws {
        let server = try TestServer { .respond(text($0.target)) }
        let client = try server.client()
        for byte in "GET /slow HTTP/1.1\r\nHost: a\r\nX: y\r\nConnection: close\r\n\r\n".utf8 { client.send([byte]) }
        #expect(client.readToEnd().hasSuffix("/slow"))
    }

    @Test("a large head within the limits is read, one beyond them is refused")
    func sizes() throws {
        let server = try TestServer { .respond(text($0.fields["x"] ?? "")) }
        func answer(_ lines: String, target: String = "/") throws -> Int {
            let answer = try server.exchange("GET \(target) HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\(lines)\r\n")
            return Int(answer.split(separator: " ").dropFirst().first ?? "") ?? 0
        }
        let long = String(repeating: "x", count: HTTPServerConfiguration().headBytes - 100)
        #expect(try answer("X: \(long)\r\n") == 200)
        #expect(try answer("X: \(long)\r\nY: \(long)\r\n") == 431)
        #expect(try answer(String(repeating: "X: y\r\n", count: 90)) == 200)
        #expect(try answer(String(repeating: "X: y\r\n", count: 110)) == 431)
        // Beyond libmicrohttpd's buffer it answers by itself.
        let enormous = String(repeating: "x", count: 400_000)
        #expect(try answer("X: \(enormous)\r\n") == 431)
        #expect(try answer("", target: "/" + String(repeating: "a", count: 8_000)) == 200)
        #expect(try answer("", target: "/" + String(repeating: "a", count: 9_000)) == 414)
    }
}
