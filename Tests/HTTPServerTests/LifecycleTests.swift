import Dispatch
import Foundation
import Logging
import Synchronization
import Testing

@testable import HTTPServer

@Suite("Start and stop")
struct LifecycleTests {
    static let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    static func server(_ configure: (inout HTTPServerConfiguration) -> Void) -> HTTPServer {
        var configuration = HTTPServerConfiguration()
        configuration.port = 0
        configure(&configuration)
        let application = TestApplication { _ in .respond(text("hello")) }
        return HTTPServer(configuration: configuration, application: application, log: quiet)
    }

    static func code(_ body: () throws -> Void) -> HTTPServerError.Code? {
        do {
            try body()
            return nil
        } catch {
            return (error as? HTTPServerError)?.code
        }
    }

    @Test("a port that is taken and an address that is not there are named")
    func cannotListen() throws {
        let first = Self.server { _ in }
        try first.start()
        let port = try #require(first.boundPort)
        let second = Self.server { $0.port = port }
        #expect(Self.code { try second.start() } == .cannotListen)
        #expect(second.boundPort == nil)
        #expect(Self.code { try Self.server { $0.address = "192.0.2.1" }.start() } == .cannotListen)
        #expect(Self.code { try Self.server { $0.address = "no.such.host.invalid" }.start() } == .cannotListen)
        #expect(Self.code { try first.start() } == .alreadyRunning)
        first.stop(by: .now())
        #expect(first.boundPort == nil)
        try first.start()
        #expect(first.boundPort != nil)
        first.stop(by: .now())
        first.stop(by: .now())
    }

    @Test("where fewer files may be open than all connections take, there are fewer connections, and room for the rest")
    func fewFiles() {
        var configuration = HTTPServerConfiguration()
        configuration.connections = 4000
        configuration.connectionsPerAddress = 400
        #expect(configuration.fitted(toOpenFiles: configuration.openFiles) == configuration)
        for limit in [configuration.openFiles - 1, 4096, 1024, 256, 128] {
            let fitted = configuration.fitted(toOpenFiles: limit)
            #expect((8..<4000).contains(fitted.connections), "\(limit): \(fitted.connections)")
            // Each with a file of its own, beside what the rest needs.
            #expect(2 * fitted.connections + fitted.connectionReserve + fitted.otherDescriptors <= limit, "\(limit)")
            #expect(fitted.otherDescriptors >= min(512, limit / 2), "\(limit): \(fitted.otherDescriptors)")
            #expect((8...fitted.connections).contains(fitted.connectionsPerAddress ?? 0), "\(limit)")
        }
        #expect(configuration.fitted(toOpenFiles: 256).connections > 32)
        configuration.connectionsPerAddress = nil
        #expect(configuration.fitted(toOpenFiles: 256).connectionsPerAddress == nil)
        // There is no server without any.
        #expect(configuration.fitted(toOpenFiles: 16).connections == 8)
    }

    @Test("after more connections came than there is room for, others are served again")
    func tooManyConnections() throws {
        let server = try TestServer {
            $0.connections = 8
            $0.connectionReserve = 4
        } _: { _ in
            .respond(text("served"))
        }
        for _ in 0..<3 {
            let flood = try (0..<100).map { _ in try server.client() }
            withExtendedLifetime(flood) {}
        }
        let deadline = ContinuousClock.now + .seconds(60)
        var isServed = false
        while !isServed, ContinuousClock.now < deadline {
            let client = try server.client()
            client.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            isServed = client.read().map { String(decoding: $0, as: UTF8.self).hasPrefix("HTTP/1.1 200 ") } ?? false
        }
        #expect(isServed)
    }

    @Test("a wrong configuration is refused with the name of the key")
    func configuration() {
        let changes: [(String, (inout HTTPServerConfiguration) -> Void)] = [
            ("address", { $0.address = "" }), ("threads", { $0.threads = 0 }), ("connections", { $0.connections = 0 }),
            ("handlerThreads", { $0.handlerThreads = -1 }), ("headTimeout", { $0.headTimeout = .zero }),
            ("lingerBytes", { $0.lingerBytes = -1 }), ("targetBytes", { $0.targetBytes = .max }),
        ]
        for (key, change) in changes {
            let error = #expect(throws: HTTPServerError.self) { try Self.server(change).start() }
            #expect(error?.code == .invalidConfiguration && error?.message.contains(key) == true, "\(key)")
        }
    }

    @Test("IPv6 is served, and IPv4 on the same socket", arguments: ["::1", "::"])
    func ipv6(address: String) throws {
        let server = try TestServer({ $0.address = address }) { .respond(text($0.remoteAddress)) }
        #expect(try Curl.run(["http://[::1]:\(server.port)/"]).text == "::1")
        if address == "::" { #expect(try Curl.run([server.url("/")]).text == "127.0.0.1") }
    }

    @Test("stopping lets requests finish within the grace period and closes what is idle")
    func graceful() throws {
        let gate = DispatchSemaphore(value: 0)
        let started = DispatchSemaphore(value: 0)
        let server = try TestServer { request in
            guard request.path == ["slow"] else { return .respond(text("fast")) }
            return .work {
                started.signal()
                gate.wait()
                return text("slow")
            }
        }
        let idle = try server.client()
        idle.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(try idle.readResponse().body == "fast")
        let slow = try server.client()
        slow.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(started.wait(timeout: .now() + 10) == .success)
        let stopped = DispatchSemaphore(value: 0)
        let instance = server.server
        Thread.detachNewThread {
            instance.stop(by: .now() + 30)
            stopped.signal()
        }
        #expect(idle.readToEnd().isEmpty)
        #expect(stopped.wait(timeout: .now()) == .timedOut)
        gate.signal()
        #expect(slow.readToEnd().hasSuffix("slow"))
        #expect(stopped.wait(timeout: .now() + 10) == .success)
    }

    @Test("stopping does not cut a request whose head was read and that is answered at once", arguments: [true, false])
    func readHead(isFirst: Bool) throws {
        let isRead = DispatchSemaphore(value: 0)
        let gate = DispatchSemaphore(value: 0)
        let server = try TestServer { request in
            if request.path == ["held"] {
                isRead.signal()
                gate.wait()
            }
            return .respond(text("hello"))
        }
        let client = try server.client()
        if !isFirst {
            client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(try client.readResponse().body == "hello")
        }
        // When all of these are closed, so would be the other one.
        let idle = try (0..<16).map { _ in try server.client() }
        // Each has been taken by its thread, which the held request may be about to block.
        for other in idle {
            other.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(try other.readResponse().body == "hello")
        }
        client.send("GET /held HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(isRead.wait(timeout: .now() + 10) == .success)
        let stopped = DispatchSemaphore(value: 0)
        let instance = server.server
        Thread.detachNewThread {
            instance.stop(by: .now() + 30)
            stopped.signal()
        }
        for other in idle { #expect(other.readToEnd().isEmpty) }
        gate.signal()
        #expect(client.readToEnd().hasSuffix("\r\n\r\nhello"))
        #expect(stopped.wait(timeout: .now() + 20) == .success)
    }

    @Test("stopping does not wait longer than the grace period: uploads are aborted, handlers' answers dropped")
    func impatient() throws {
        let gate = DispatchSemaphore(value: 0)
        let started = DispatchSemaphore(value: 0)
        let sink = CountingSink()
        let server = try TestServer { request in
            switch request.path[0] {
            case "upload":
                started.signal()
                return .receive(sink, limit: .max, tooLarge: text("too large", status: 413))
            case "later":
                started.signal()
                return .later { _ in }
            default:
                return .work {
                    started.signal()
                    gate.wait()
                    return text("too late")
                }
            }
        }
        let clients = try ["work", "upload", "later"].map { path in
            let client = try server.client()
            client.send("POST /\(path) HTTP/1.1\r\nHost: a\r\nContent-Length: \(path == "upload" ? 10 : 0)\r\n\r\n")
            return client
        }
        for _ in clients { #expect(started.wait(timeout: .now() + 10) == .success) }
        server.server.stop(by: .now() + .milliseconds(50))
        #expect(sink.calls == ["abort"])
        #expect(clients[0].readToEnd().isEmpty && clients[1].readToEnd().isEmpty)
        gate.signal()
    }

    @Test("50 starts and stops under load neither crash nor leave a descriptor or a request behind")
    func cycles() async {
        // In a process of its own: libmicrohttpd aborts the program if it is stopped wrongly.
        let result = await #expect(processExitsWith: .success, observing: [\.standardErrorContent]) {
            let live = LiveCount()
            func run(_ cycles: Range<Int>) throws {
                for cycle in cycles {
                    let load = try Load(live, cycle: cycle)
                    load.server.stop(by: .now() + .milliseconds(cycle % 3 * 10))
                    load.finish()
                }
            }
            func descriptors() throws -> Int {
                try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count
            }
            // Dispatch and Foundation open theirs.
            try run(0..<2)
            let before = try descriptors()
            try run(0..<50)
            let after = try descriptors()
            #expect(after == before, "\(before) descriptors before, \(after) after")
            let uploads = live.opened.withLock { $0 }
            #expect(uploads > 100, "only \(uploads) uploads")
            #expect(live.balanced(), "sinks that were neither finished nor aborted")
        }
        let message = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
        #expect(!message.contains("Fatal error"), "\(message)")
    }
}

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
        for _ in Self.requests { begun.wait() }
    }

    func finish() { clients.wait() }

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
