import Dispatch
import Foundation
import Synchronization
import Testing

@testable import HTTPServer

/// Sinks that were begun and not ended.
final class LiveCount: Sendable {
    let opened = Mutex(0)
    private let open = Mutex(0)
    private let ended = DispatchSemaphore(value: 0)

    func begin() {
        opened.withLock { $0 += 1 }
        open.withLock { $0 += 1 }
    }

    func end() {
        open.withLock { $0 -= 1 }
        ended.signal()
    }

    /// Whether each that began ends exactly once. A handler may still be at it.
    func balanced() -> Bool {
        while open.withLock({ $0 > 0 }) {
            guard ended.wait(timeout: .now() + 5) == .success else { return false }
        }
        return open.withLock { $0 == 0 }
    }
}

/// Clients of every kind against one server until its connections end.
final class Load: Sendable {
    final class Sink: HTTPBodySink {
        private let live: LiveCount

        init(_ live: LiveCount) {
            self.live = live
            live.begin()
        }

        func receive(_ bytes: UnsafeRawBufferPointer) -> HTTPResponse? { nil }

        func finish() -> HTTPResponse {
            live.end()
            return text("stored")
        }

        func abort() { live.end() }
    }

    final class Silence: HTTPLiveBodyStream {
        let count: Int64? = nil
        func attach(wake: @escaping @Sendable () -> Void) {}
        func pending() -> Bool { true }
        func read(into buffer: UnsafeMutableRawBufferPointer) -> Int { 0 }
    }

    let server: HTTPServer
    private let clients = DispatchGroup()

    static let requests = [
        "GET /respond HTTP/1.1\r\nHost: a\r\n\r\n", "GET /work HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /later HTTP/1.1\r\nHost: a\r\n\r\n", "GET /live HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n" + String(repeating: "x", count: 50_000),
        "POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
        "POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000\r\n\r\nhello", "GET / HT",
        "POST /upload HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        "GET /../ HTTP/1.1\r\n\r\n",
    ]

    /// Returns when every kind of client has begun.
    init(_ live: LiveCount, cycle: Int) throws {
        var configuration = HTTPServerConfiguration()
        configuration.port = 0
        configuration.threads = 1 + cycle % 3
        configuration.handlerThreads = 2
        let application = TestApplication { request in
            switch request.path[0] {
            case "respond": .respond(text("hello"))
            case "later": .later { responder in DispatchQueue.global().async { responder.respond(text("later")) } }
            case "live": .respond(HTTPResponse(status: 200, body: .stream(Silence())))
            case "upload": .receive(Sink(live), limit: 1_000_000, tooLarge: text("too large", status: 413))
            default: .work { text("worked") }
            }
        }
        server = HTTPServer(configuration: configuration, application: application, log: LifecycleTests.quiet)
        try server.start()
        guard let port = server.boundPort else { return }
        let begun = DispatchSemaphore(value: 0)
        for request in Self.requests {
            clients.enter()
            Thread.detachNewThread { [clients] in
                Self.run(request, port: port, begun)
                clients.leave()
            }
        }
        for _ in Self.requests { try #require(begun.wait(timeout: .now() + 60) == .success, "a client does not begin") }
    }

    func finish() { #expect(clients.wait(timeout: .now() + 60) == .success, "a client does not end") }

    /// Asks again and again, for as long as the server is there.
    private static func run(_ request: String, port: UInt16, _ begun: DispatchSemaphore) {
        var isFirst = true
        while let client = try? RawClient(port: port) {
            client.send(request)
            let answer = client.read(patience: 20)
            if isFirst { begun.signal() }
            isFirst = false
            if let answer, answer.isEmpty { continue }
            client.send(request)
            _ = client.read(patience: 20)
        }
        if isFirst { begun.signal() }
    }
}
