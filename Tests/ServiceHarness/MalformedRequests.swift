/// Requests that a proxy and the server could take for different things. Each comes with another request in the same
/// bytes, which must never be answered as one of its own.
package enum MalformedRequests {
    package struct Attack: Sendable {
        package var name: String
        package var request: String
        /// Why it is right that the connection is closed without an answer; `nil`: there must be one.
        package var silence: String?

        package init(_ name: String, _ request: String, silence: String? = nil) {
            self.name = name
            self.request = request
            self.silence = silence
        }

        /// With these lines after a valid request line and Host.
        package init(lines: String, body: String = "") {
            self.init(
                lines.debugDescription,
                "POST / HTTP/1.1\r\nHost: a\r\n" + lines + "\r\n\r\n" + body)
        }

        /// With this target.
        package init(target: String) { self.init(target.debugDescription, "GET \(target) HTTP/1.1\r\nHost: a\r\n\r\n") }
    }

    package static let marker = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"

    package static let framing: [Attack] = [
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

    package static let lines: [Attack] = [
        Attack(lines: "X: a\nContent-Length: 5"),
        Attack(lines: "X: a\rContent-Length: 5"),
        Attack(lines: "X: a\r\r\nContent-Length: 5"),
        Attack(lines: "X: a\0b\r\nY: c"),
        Attack(lines: "X: a\0b"),
        Attack(lines: "X\0Y: a"),
        Attack(lines: "X: a\u{1}b"),
        Attack(lines: "X: a\u{7f}b"),
        // Slow to compare with anything.
        Attack(
            "31 marks in a field", "GET / HTTP/1.1\r\nHost: a\r\nX: a\(String(repeating: "\u{301}", count: 31))\r\n\r\n"
        ),
        Attack(target: "/?a=b" + String(repeating: "%CC%81", count: 31)),
        Attack(target: "/a" + String(repeating: "%CC%81", count: 31)),
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

    package static let requestLines: [Attack] = [
        Attack(target: "/a%00.json"), Attack(target: "/%"), Attack(target: "/%4"), Attack(target: "/%zz"),
        Attack(target: "/a/../b"), Attack(target: "/a/%2e%2e/b"), Attack(target: "/a/.%2E"), Attack(target: "/./a"),
        Attack(target: "/a%2fb"), Attack(target: "/a%5Cb"), Attack(target: "/a\\b"), Attack(target: "/a%0d%0aX:%20y"),
        Attack(target: "/%ff%fe"), Attack(target: "/\u{e4}"), Attack(target: "/a#b"), Attack(target: "/a\0b"),
        Attack(target: "/a?b=%00"), Attack(target: "/a?b=%f"), Attack(target: "/a b"), Attack(target: "a"),
        Attack(target: "*"), Attack(target: "ftp://a/"), Attack(target: "a:80"), Attack(target: "/a\u{1}"),
        Attack("two spaces", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n"),
        Attack("two spaces before the version", "GET /  HTTP/1.1\r\nHost: a\r\n\r\n"),
        Attack("tabs", "GET\t/\tHTTP/1.1\r\nHost: a\r\n\r\n", silence: noTarget),
        Attack("a space at the end", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n"),
        Attack("a space at the start", " GET / HTTP/1.1\r\nHost: a\r\n\r\n", silence: noTarget),
        Attack("no version", "GET /\r\nHost: a\r\n\r\n"), Attack("HTTP/2.0", "GET / HTTP/2.0\r\nHost: a\r\n\r\n"),
        Attack("HTTP/1.2", "GET / HTTP/1.2\r\nHost: a\r\n\r\n"),
        Attack("http/1.1", "GET / http/1.1\r\nHost: a\r\n\r\n"),
        Attack("HTTP/01.1", "GET / HTTP/01.1\r\nHost: a\r\n\r\n"),
        Attack("a method that is no token", "GE(T) / HTTP/1.1\r\nHost: a\r\n\r\n"),
        Attack("CONNECT", "CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n"),
        Attack("a TLS hello", "\u{16}\u{3}\u{1}\u{2}\0\u{1}\0\u{1}\r\n\r\n", silence: noTarget),
        Attack("no HTTP", "hello\r\n\r\n", silence: noTarget),
    ]

    /// libmicrohttpd closes the connection at once, before anything of ours is asked.
    private static let noTarget = "the line has no method and target, so that it may be no HTTP at all"

    package static let all = framing + lines + requestLines
}
