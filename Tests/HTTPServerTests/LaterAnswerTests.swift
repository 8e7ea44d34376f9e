import Dispatch
import Foundation
import ServiceHarness
import Synchronization
import Testing

@testable import HTTPServer

/// Handlers that take their time, and bodies that do.
@Suite("Answers that come later", .timeLimit(.minutes(10)))
struct LaterAnswerTests {
    @Test("handlers that block do not keep others waiting for the connection's thread")
    func blocking() throws {
        let gate = DispatchSemaphore(value: 0)
        let server = try TestServer { request in
            guard request.path == ["slow"] else { return .respond(text("fast")) }
            return .work {
                _ = gate.wait(timeout: .now() + 60)
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
                _ = gate.wait(timeout: .now() + 60)
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
        try poll("the requests to be held") {
            let forgotten = try Curl.run([server.url("/forget")])
            #expect(forgotten.status == 500)
            return waiting.withLock { $0.count } == clients.count
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
}
