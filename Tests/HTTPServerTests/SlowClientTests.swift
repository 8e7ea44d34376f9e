import Dispatch
import Foundation
import Synchronization
import Testing

@testable import HTTPServer

@Suite("Slow clients")
struct SlowClientTests {
    /// Sends one byte now and then until the server closes. Returns the seconds that took.
    static func drip(_ client: RawClient, _ byte: UInt8 = 65, every milliseconds: Int32 = 10) -> Double {
        let began = DispatchTime.now()
        var sent = 0
        while client.send([byte]), sent < 5000 {
            sent += 1
            if let read = client.read(patience: milliseconds), read.isEmpty { break }
        }
        return Double(DispatchTime.now().uptimeNanoseconds - began.uptimeNanoseconds) / 1e9
    }

    static func quick(_ configuration: inout HTTPServerConfiguration) {
        configuration.headTimeout = .milliseconds(300)
        configuration.idleTimeout = .milliseconds(600)
        configuration.rateWindow = .milliseconds(300)
        configuration.minimumRate = 10_000
        configuration.watchInterval = .milliseconds(20)
    }

    @Test("a head that drips is cut at its deadline, though bytes keep coming")
    func head() throws {
        let server = try TestServer(Self.quick) { _ in .respond(text("no")) }
        for start in ["", "GET /", "GET / HTTP/1.1\r\nHost: a\r\nX: "] {
            let client = try server.client()
            client.send(start)
            let seconds = Self.drip(client)
            #expect(seconds > 0.2 && seconds < 3, "\(start)")
        }
        #expect(server.application.paths.isEmpty)
    }

    @Test("a connection that stays silent is closed")
    func silent() throws {
        let server = try TestServer(Self.quick) { _ in .respond(text("hello")) }
        #expect(try server.client().readToEnd().isEmpty)
        let used = try server.client()
        used.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(try used.readResponse().body == "hello")
        #expect(used.readToEnd().isEmpty)
    }

    @Test("a second head that drips is cut as well")
    func secondHead() throws {
        let server = try TestServer(Self.quick) { _ in .respond(text("hello")) }
        let client = try server.client()
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(try client.readResponse().body == "hello")
        client.send("GET / HTTP/1.1\r\nHost: a\r\nX: ")
        #expect(Self.drip(client) < 3)
        #expect(server.application.paths == ["/"])
    }

    @Test("a body that drips is cut and its sink aborted", arguments: ["POST", "PATCH"])
    func body(method: String) throws {
        let sink = CountingSink()
        let server = try TestServer(Self.quick) { _ in
            .receive(sink, limit: .max, tooLarge: text("too large", status: 413))
        }
        let client = try server.client()
        client.send("\(method) / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n")
        let seconds = Self.drip(client)
        #expect(seconds > 0.2 && seconds < 3)
        #expect(sink.ended.wait(timeout: .now() + 10) == .success)
        #expect(sink.calls == ["abort"])
    }

    @Test("a response that nobody takes is cut")
    func response() throws {
        let server = try TestServer(Self.quick) { _ in
            .respond(HTTPResponse(status: 200, body: .stream(CountingStream(1 << 30))))
        }
        let client = try RawClient(port: server.port, receiveBuffer: 4096)
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        let summary = try #require(server.summaries.first(1).first)
        #expect(!summary.isComplete && summary.duration > .milliseconds(200))
    }

    @Test("neither a slow handler nor a slow sink is the client's fault")
    func slowServer() throws {
        /// Takes its time, which is what is tested: nobody signals the gate. Longer than any limit of ``quick(_:)``, so
        /// that the watch looks at the connection often enough to cut it.
        final class SlowSink: HTTPBodySink {
            private let gate = DispatchSemaphore(value: 0)
            func receive(_ bytes: UnsafeRawBufferPointer) -> HTTPResponse? {
                _ = gate.wait(timeout: .now() + 0.1)
                return nil
            }
            func finish() -> HTTPResponse {
                _ = gate.wait(timeout: .now() + 1)
                return text("stored")
            }
            func abort() {}
        }
        let server = try TestServer({
            Self.quick(&$0)
            $0.minimumRate = 1_000_000
        }) { _ in
            .receive(SlowSink(), limit: .max, tooLarge: text("too large", status: 413))
        }
        let client = try server.client()
        client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n")
        client.send([UInt8](repeating: 0, count: 1_000_000))
        #expect(try client.readResponse().body == "stored")
    }

    @Test("many slow clients do not slow others down")
    func starvation() throws {
        let server = try TestServer({
            Self.quick(&$0)
            $0.headTimeout = .seconds(3)
        }) { _ in .respond(text("hello")) }
        let slow = try (0..<200).map { _ in try server.client() }
        let fast = try server.client()
        var worst = 0.0
        for round in 0..<100 {
            for client in slow[(round * 2 % 200)...].prefix(2) { client.send("G") }
            let began = DispatchTime.now().uptimeNanoseconds
            fast.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(try fast.readResponse().body == "hello")
            worst = max(worst, Double(DispatchTime.now().uptimeNanoseconds - began) / 1e9)
        }
        #expect(worst < 1)
        for client in slow { #expect(client.readToEnd().isEmpty) }
    }

    @Test("one address gets so many connections and no more")
    func perAddress() throws {
        let server = try TestServer({ $0.connectionsPerAddress = 3 }) { _ in .respond(text("hello")) }
        let clients = try (0..<3).map { _ in try server.client() }
        for client in clients {
            client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(try client.readResponse().body == "hello")
        }
        let refused = try server.client()
        refused.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(refused.readToEnd().isEmpty)
        clients[0].send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(try clients[0].readResponse().body == "hello")
    }

    @Test("connections beyond the limit are told that the server is full, and those within it are served on")
    func connectionLimit() throws {
        let server = try TestServer({
            $0.connections = 4
            $0.connectionReserve = 60
        }) { _ in .respond(text("hello")) }
        let clients = try (0..<4).map { _ in try server.client() }
        for client in clients {
            client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(try client.readResponse().body == "hello")
        }
        let refused = try server.exchange("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(refused.hasPrefix("HTTP/1.1 503 "))
        let idle = try (0..<10).map { _ in try server.client() }
        #expect(try server.exchange("GET / HTTP/1.1\r\nHost: a\r\n\r\n").hasPrefix("HTTP/1.1 503 "))
        for client in clients {
            client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(try client.readResponse().body == "hello")
        }
        withExtendedLifetime(idle) {}
    }

    @Test("a live body whose client left is let go though nothing is sent; one whose client stays is not")
    func leftLive() throws {
        final class Silence: HTTPLiveBodyStream {
            private let ended: DispatchSemaphore
            private let hasSpoken = Mutex(false)
            let count: Int64? = nil

            init(_ ended: DispatchSemaphore) { self.ended = ended }

            deinit { ended.signal() }

            func attach(wake: @escaping @Sendable () -> Void) {}
            func pending() -> Bool { true }

            func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
                hasSpoken.withLock { hasSpoken in
                    defer { hasSpoken = true }
                    buffer[0] = UInt8(ascii: ":")
                    return hasSpoken ? 0 : 1
                }
            }
        }
        let ended = DispatchSemaphore(value: 0)
        let server = try TestServer(Self.quick) { _ in
            .respond(HTTPResponse(status: 200, body: .stream(Silence(ended))))
        }
        let staying = try server.client()
        staying.send("GET /live HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(try #require(staying.read()).isEmpty == false)
        do {
            let leaving = try server.client()
            leaving.send("GET /live HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(try #require(leaving.read()).isEmpty == false)
        }
        #expect(ended.wait(timeout: .now() + 10) == .success)
        #expect(server.summaries.first(1).map(\.isComplete) == [false])
        #expect(ended.wait(timeout: .now()) == .timedOut)
    }

    @Test("an answer whose client left is let go before it is there")
    func leftWaitingForAnswer() throws {
        let responders = Mutex<[HTTPResponder]>([])
        let asked = DispatchSemaphore(value: 0)
        let server = try TestServer(Self.quick) { _ in
            .later { responder in
                responders.withLock { $0.append(responder) }
                asked.signal()
            }
        }
        do {
            let leaving = try server.client()
            leaving.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(asked.wait(timeout: .now() + 10) == .success)
        }
        #expect(server.summaries.first(1).map(\.isComplete) == [false])
        // Too late, and harmless.
        for responder in responders.withLock({ $0 }) { responder.respond(text("late")) }
    }
}

/// The decision by itself, on made-up times.
@Suite("Slow client watch")
struct SlowClientWatchTests {
    static let second: Int64 = 1_000_000_000

    static var limits: SlowClientWatch.Limits {
        var configuration = HTTPServerConfiguration()
        configuration.headTimeout = .seconds(10)
        configuration.idleTimeout = .seconds(60)
        configuration.rateWindow = .seconds(10)
        configuration.minimumRate = 100
        return SlowClientWatch.Limits(configuration)
    }

    /// Looks once a second; returns the second of the first verdict.
    static func cutAt(_ phase: ConnectionPhase, _ progress: (Int) -> ConnectionProgress) -> Int? {
        var watch = SlowClientWatch()
        return (0..<200).first { now in
            watch.verdict(
                phase: phase, began: 0, now: Int64(now) * second, progress: progress(now), limits: limits) != nil
        }
    }

    @Test("heads and idle connections have deadlines")
    func deadlines() {
        #expect(Self.cutAt(.firstHead) { ConnectionProgress(received: UInt64($0)) } == 11)
        #expect(Self.cutAt(.idle) { _ in ConnectionProgress(received: 500) } == 61)
        // The next head begins at second 31.
        #expect(Self.cutAt(.idle) { ConnectionProgress(received: $0 > 30 ? 500 + UInt64($0) : 500) } == 41)
        #expect(Self.cutAt(.handling) { _ in ConnectionProgress() } == nil)
        #expect(Self.cutAt(.lingering) { ConnectionProgress(received: UInt64($0) * 1_000_000) } == 31)
    }

    @Test("bodies and responses have a least rate")
    func rates() {
        #expect(Self.cutAt(.body) { ConnectionProgress(received: UInt64($0) * 99) } == 10)
        #expect(Self.cutAt(.body) { ConnectionProgress(received: UInt64($0) * 100) } == nil)
        #expect(Self.cutAt(.body) { _ in ConnectionProgress(received: 5, unread: 1) } == nil)
        #expect(Self.cutAt(.body) { _ in ConnectionProgress(received: 5, isServerBusy: true) } == nil)
        #expect(Self.cutAt(.body) { ConnectionProgress(received: UInt64(min($0, 15)) * 1000) } == 30)
        #expect(Self.cutAt(.sending) { ConnectionProgress(acknowledged: UInt64($0) * 99, unsent: 1) } == 10)
        #expect(Self.cutAt(.sending) { _ in ConnectionProgress(acknowledged: 5, unsent: 0) } == nil)
    }

    @Test("a client that left before its request was whole is cut soon, later ones are left to the handler")
    func left() {
        for phase in [ConnectionPhase.firstHead, .idle, .body] {
            #expect(Self.cutAt(phase) { _ in ConnectionProgress(hasEnded: true) } == 2)
            #expect(Self.cutAt(phase) { ConnectionProgress(unread: $0 < 5 ? 1 : 0, hasEnded: true) } == 7)
        }
        #expect(Self.cutAt(.body) { _ in ConnectionProgress(hasEnded: true, isServerBusy: true) } == nil)
        #expect(Self.cutAt(.handling) { _ in ConnectionProgress(hasEnded: true) } == nil)
        #expect(Self.cutAt(.sending) { _ in ConnectionProgress(hasEnded: true) } == nil)
    }

    @Test("a client that waits no more, for an answer or for more of a live body, is cut soon")
    func leftWaiting() {
        for phase in [ConnectionPhase.waiting, .sending] {
            #expect(Self.cutAt(phase) { ConnectionProgress(hasEnded: $0 >= 5, isServerBusy: true) } == 7)
            #expect(Self.cutAt(phase) { _ in ConnectionProgress(isServerBusy: true) } == nil)
        }
    }
}
