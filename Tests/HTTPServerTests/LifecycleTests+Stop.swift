import Dispatch
import Foundation
import Testing

@testable import HTTPServer

/// Stops of a server, idle and under load.
extension LifecycleTests {
    @Test("stopping lets requests finish within the grace period and closes what is idle")
    func graceful() throws {
        let gate = DispatchSemaphore(value: 0)
        let started = DispatchSemaphore(value: 0)
        let server = try TestServer { request in
            guard request.path == ["slow"] else { return .respond(text("fast")) }
            return .work {
                started.signal()
                _ = gate.wait(timeout: .now() + 60)
                return text("slow")
            }
        }
        let idle = try server.client()
        idle.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(try idle.readResponse().body == "fast")
        let slow = try server.client()
        slow.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(started.wait(timeout: .now() + 10) == .success)
        let stopped = server.beginToStop(within: 30)
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
                _ = gate.wait(timeout: .now() + 60)
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
        let stopped = server.beginToStop(within: 30)
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
                    _ = gate.wait(timeout: .now() + 60)
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
