import Testing

@testable import HTTPServer

/// Requests that a proxy and the server could take for different things. Each comes with another request in the same
/// bytes, which must never be answered as one of its own.
@Suite("Malformed requests")
struct MalformedRequestTests {
    struct Attack: Sendable, CustomTestStringConvertible {
        var name: String
        var request: String
        var testDescription: String { name }

        init(_ name: String, _ request: String) {
            self.name = name
            self.request = request
        }

        /// With these lines after a valid request line and Host.
        init(lines: String, body: String = "") {
            self.init(
                lines.debugDescription,
                "POST / HTTP/1.1\r\nHost: a\r\n" + lines + "\r\n\r\n" + body)
        }

        /// With this target.
        init(target: String) { self.init(target.debugDescription, "GET \(target) HTTP/1.1\r\nHost: a\r\n\r\n") }
    }

    static let marker = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"

    static let framing: [Attack] = [
        Attack(lines: "Content-Length: 6\r\nTransfer-Encoding: chunked", body: "0\r\n\r\n"),
        Attack(lines: "Transfer-Encoding: chunked\r\nContent-Length: 6", body: "0\r\n\r\n"),
        Attack(lines: "Content-Length: 0\r\nContent-Length: 40"),
        Attack(lines: "Content-Length: 5\r\nContent-Length: 5", body: "hello"),
        Attack(lines: "Content-Length: 5, 5", body: "hello"),
        Attack(lines: "Content-Length : 5", body: "hello"),
        Attack(lines: "Content-Length\t: 5", body: "hello"),
        Attack(lines: " Content-Length: 5", body: "hello"),
        Attack(lines: "Content-Length: +5", body: "hello"),
        Attack(lines: "Content-Length: -1"),
        Attack(lines: "Content-Length: 0x5", body: "hello"),
        Attack(lines: "Content-Length: 5 5", body: "hello"),
        Attack(lines: "Content-Length: 5;a", body: "hello"),
        Attack(lines: "Content-Length:"),
        Attack(lines: "Content-Length: 99999999999999999999"),
        Attack(lines: "Content-Length: 18446744073709551616"),
        Attack(lines: "Transfer-Encoding: identity"),
        Attack(lines: "Transfer-Encoding: gzip, chunked", body: "0\r\n\r\n"),
        Attack(lines: "Transfer-Encoding: chunked, chunked", body: "0\r\n\r\n"),
        Attack(lines: "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", body: "0\r\n\r\n"),
        Attack(lines: "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", body: "0\r\n\r\n"),
        Attack(lines: "Transfer-Encoding : chunked", body: "0\r\n\r\n"),
        Attack(lines: "Transfer-Encoding: xchunked", body: "0\r\n\r\n"),
        Attack(lines: "Transfer-Encoding: \"chunked\"", body: "0\r\n\r\n"),
        Attack(lines: "Transfer-Encoding: \u{b}chunked", body: "0\r\n\r\n"),
        Attack(lines: "Transfer-Encoding:\r\n chunked", body: "0\r\n\r\n"),
        Attack("chunked in HTTP/1.0", "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    ]

    static let lines: [Attack] = [
        Attack(lines: "X: a\nContent-Length: 5"),
        Attack(lines: "X: a\rContent-Length: 5"),
        Attack(lines: "X: a\r\r\nContent-Length: 5"),
        Attack(lines: "X: a\0b\r\nY: c"),
        Attack(lines: "X: a\0b"),
        Attack(lines: "X\0Y: a"),
        Attack(lines: "X: a\u{1}b"),
        Attack(lines: "X: a\u{7f}b"),
        Attack(lines: "X: a\r\n b"),
        Attack(lines: "X: a\r\n\tb\r\nY: c"),
        Attack(lines: "X Y: a"),
        Attack(lines: "X(Y): a"),
        Attack(lines: ": a"),
        Attack(lines: "no colon"),
        Attack(lines: "H\u{f6}st: a"),
        Attack("bare LF after the request line", "GET / HTTP/1.1\nHost: a\r\n\r\n"),
        Attack("bare LF after the last line", "GET / HTTP/1.1\r\nHost: a\n\r\n"),
        Attack("bare LF as the empty line", "GET / HTTP/1.1\r\nHost: a\r\n\n"),
        Attack("bare LF everywhere", "GET / HTTP/1.1\nHost: a\n\n"),
        Attack("no Host", "GET / HTTP/1.1\r\nAccept: */*\r\n\r\n"),
        Attack("no field at all", "GET / HTTP/1.1\r\n\r\n"),
        Attack(lines: "Host: b"),
        Attack(lines: "host: a"),
        Attack("a Host that is none", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"),
        Attack("two hosts in one", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n"),
        Attack("user in the Host", "GET / HTTP/1.1\r\nHost: a@b\r\n\r\n"),
        Attack(lines: "Expect: 200-maybe"),
    ]

    static let requestLines: [Attack] = [
        Attack(target: "/a%00.json"), Attack(target: "/%"), Attack(target: "/%4"), Attack(target: "/%zz"),
        Attack(target: "/a/../b"), Attack(target: "/a/%2e%2e/b"), Attack(target: "/a/.%2E"), Attack(target: "/./a"),
        Attack(target: "/a%2fb"), Attack(target: "/a%5Cb"), Attack(target: "/a\\b"), Attack(target: "/a%0d%0aX:%20y"),
        Attack(target: "/%ff%fe"), Attack(target: "/\u{e4}"), Attack(target: "/a#b"), Attack(target: "/a\0b"),
        Attack(target: "/a?b=%00"), Attack(target: "/a?b=%f"), Attack(target: "/a b"), Attack(target: "a"),
        Attack(target: "*"), Attack(target: "ftp://a/"), Attack(target: "a:80"), Attack(target: "/a\u{1}"),
        Attack("two spaces", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n"),
        Attack("two spaces before the version", "GET /  HTTP/1.1\r\nHost: a\r\n\r\n"),
        Attack("tabs", "GET\t/\tHTTP/1.1\r\nHost: a\r\n\r\n"),
        Attack("a space at the end", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n"),
        Attack("a space at the start", " GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
        Attack("no version", "GET /\r\nHost: a\r\n\r\n"), Attack("HTTP/2.0", "GET / HTTP/2.0\r\nHost: a\r\n\r\n"),
        Attack("HTTP/1.2", "GET / HTTP/1.2\r\nHost: a\r\n\r\n"),
        Attack("http/1.1", "GET / http/1.1\r\nHost: a\r\n\r\n"),
        Attack("HTTP/01.1", "GET / HTTP/01.1\r\nHost: a\r\n\r\n"),
        Attack("a method that is no token", "GE(T) / HTTP/1.1\r\nHost: a\r\n\r\n"),
        Attack("CONNECT", "CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n"),
        Attack("a TLS hello", "\u{16}\u{3}\u{1}\u{2}\0\u{1}\0\u{1}\r\n\r\n"), Attack("no HTTP", "hello\r\n\r\n"),
    ]

    @Test("is refused and the connection closed", arguments: framing + lines + requestLines)
    func refused(attack: Attack) throws {
        let server = try TestServer { _ in .respond(text("served")) }
        let answer = try server.exchange(attack.request + Self.marker)
        #expect(server.application.paths.isEmpty, "the application saw the request")
        #expect(responses(answer) <= 1, "more than one response: \(answer)")
        if !answer.isEmpty {
            let status = try #require(Int(answer.split(separator: " ").dropFirst().first ?? ""))
            #expect((400..<500).contains(status) || status == 505, "\(answer)")
        }
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
    func count() { #expect(Self.framing.count + Self.lines.count + Self.requestLines.count >= 40) }

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
        let answer = try server.exchange(head + body + Self.marker)
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
        let long = String(repeating: "x", count: 30_000)
        #expect(try answer("X: \(long)\r\n") == 200)
        #expect(try answer("X: \(long)\r\nY: \(long)\r\n") == 431)
        #expect(try answer(String(repeating: "X: y\r\n", count: 90)) == 200)
        #expect(try answer(String(repeating: "X: y\r\n", count: 110)) == 431)
        // Beyond libmicrohttpd's buffer it answers by itself, or closes.
        let enormous = String(repeating: "x", count: 400_000)
        #expect(try [0, 413, 414, 431, 500].contains(answer("X: \(enormous)\r\n")))
        #expect(try answer("", target: "/" + String(repeating: "a", count: 8_000)) == 200)
        #expect(try answer("", target: "/" + String(repeating: "a", count: 9_000)) == 414)
    }
}
