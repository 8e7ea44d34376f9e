import CLinux
import Foundation
import Synchronization
import Testing

@testable import HTTPServer

/// Counts what it gets; may answer early, or wait in `finish`.
final class CountingSink: HTTPBodySink {
    struct State {
        var bytes: Int64 = 0
        var sum: UInt64 = 0
        var calls: [String] = []
    }

    let state = Mutex(State())
    let ended = DispatchSemaphore(value: 0)
    private let refuseAfter: Int64?

    init(refuseAfter: Int64? = nil) { self.refuseAfter = refuseAfter }

    func receive(_ bytes: UnsafeRawBufferPointer) -> HTTPResponse? {
        state.withLock { state in
            state.bytes += Int64(bytes.count)
            for byte in bytes { state.sum &+= UInt64(byte) }
            if let refuseAfter, state.bytes > refuseAfter { return text("unsupported", status: 415) }
            return nil
        }
    }

    func finish() -> HTTPResponse {
        state.withLock {
            $0.calls.append("finish")
            return text("\($0.bytes) \($0.sum)", status: 201)
        }
    }

    func abort() {
        state.withLock { $0.calls.append("abort") }
        ended.signal()
    }

    var calls: [String] { state.withLock { $0.calls } }
}

@Suite("Uploads", .timeLimit(.minutes(10)))
struct UploadTests {
    static let mebibyte = 1024 * 1024

    /// A file of this many zeros that takes no room on the disk.
    final class SparseFile {
        let path: String

        init(bytes: Int) throws {
            path = FileManager.default.temporaryDirectory.appending(path: "sparse-\(UUID().uuidString)").path
            try Data().write(to: URL(fileURLWithPath: path))
            let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
            try file.truncate(atOffset: UInt64(bytes))
            try file.close()
        }

        deinit { try? FileManager.default.removeItem(atPath: path) }
    }

    static func server(limit: Int64 = .max, _ sink: @escaping @Sendable () -> CountingSink) throws -> TestServer {
        try TestServer { _ in
            .receive(sink(), limit: limit, tooLarge: text("too large", status: 413))
        }
    }

    @Test("every byte reaches the sink, with a length and in chunks, and the connection goes on")
    func whole() throws {
        let server = try Self.server { CountingSink() }
        let bytes = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let sum = bytes.reduce(UInt64(0)) { $0 + UInt64($1) }
        let file = FileManager.default.temporaryDirectory.appending(path: "upload-\(UUID().uuidString)")
        try Data(bytes).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        for options in [[], ["-H", "Expect:"], ["-H", "Transfer-Encoding: chunked"]] {
            let result = try Curl.run(["--data-binary", "@\(file.path)", server.url("/")] + options)
            #expect(result.status == 201 && result.text == "3000000 \(sum)", "\(options)")
        }
        let client = try server.client()
        for _ in 0..<3 {
            client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n")
            client.send("abc")
            #expect(try client.readResponse().body == "3 294")
        }
        client.send("POST / HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(try client.readResponse().body == "0 0")
    }

    @Test(
        "a body over the limit is answered with 413, and the client reads it, every time",
        arguments: [
            [], ["-H", "Expect:"], ["-H", "Expect: 100-continue"], ["-H", "Transfer-Encoding: chunked"],
            ["-H", "Transfer-Encoding: chunked", "-H", "Expect:"],
        ])
    func tooLarge(options: [String]) throws {
        let sinks = Mutex<[CountingSink]>([])
        let server = try Self.server(limit: Int64(Self.mebibyte)) {
            let sink = CountingSink()
            sinks.withLock { $0.append(sink) }
            return sink
        }
        let file = try SparseFile(bytes: 64 * Self.mebibyte)
        for _ in 0..<20 {
            let result = try Curl.run(["-T", file.path, "-X", "POST", server.url("/")] + options)
            #expect(result.exitCode == 0 && result.status == 413 && result.text == "too large")
        }
        #expect(server.summaries.first(20).map(\.status) == [Int](repeating: 413, count: 20))
        #expect(sinks.withLock { $0.count } == 20)
        #expect(sinks.withLock { $0.allSatisfy { $0.calls == ["abort"] } })
        #expect(sinks.withLock { $0.allSatisfy { $0.state.withLock { $0.bytes } <= Int64(Self.mebibyte) } })
    }

    @Test("a client that sends everything before it reads gets the 413 as well", arguments: ["POST", "PATCH"])
    func sendsFirst(method: String) throws {
        let server = try Self.server(limit: 10) { CountingSink() }
        let bytes = 16 * Self.mebibyte
        for _ in 0..<5 {
            let client = try server.client()
            client.send("\(method) / HTTP/1.1\r\nHost: a\r\nContent-Length: \(bytes)\r\n\r\n")
            #expect(client.send([UInt8](repeating: 0, count: bytes)))
            #expect(client.readToEnd().hasPrefix("HTTP/1.1 413 "))
        }
    }

    @Test("a client that goes on sending for ever is cut off")
    func lingerLimit() throws {
        let server = try TestServer({ $0.lingerBytes = Int64(Self.mebibyte) }) { _ in
            .receive(CountingSink(), limit: 10, tooLarge: text("too large", status: 413))
        }
        let client = try server.client()
        client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000000\r\n\r\n")
        let block = [UInt8](repeating: 0, count: 64 * 1024)
        var sent = 0
        while client.send(block), sent < 1 << 30 { sent += block.count }
        #expect(sent < 1 << 26)
    }

    @Test("a sink's early response is read by the client")
    func early() throws {
        let sink = CountingSink(refuseAfter: 100_000)
        let server = try Self.server { sink }
        let file = try SparseFile(bytes: 64 * Self.mebibyte)
        let result = try Curl.run(["-T", file.path, server.url("/")])
        #expect(result.exitCode == 0 && result.status == 415 && result.text == "unsupported")
        #expect(sink.calls == ["abort"])
    }

    @Test("a sink's early response does not wait for more of the body")
    func earlyWhileWaiting() throws {
        let server = try Self.server { CountingSink(refuseAfter: 4) }
        for framing in ["Content-Length: 1000\r\n\r\nhello", "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"] {
            let client = try server.client()
            client.send("POST / HTTP/1.1\r\nHost: a\r\n" + framing)
            #expect(client.readToEnd().hasPrefix("HTTP/1.1 415 "))
        }
    }

    @Test(
        "sinks that wait for the disk, however many, keep nobody else waiting, neither for a connection's thread nor a handler"
    )
    func blockingSink() throws {
        final class Blocking: HTTPBodySink {
            let gate = DispatchSemaphore(value: 0)
            let entered = DispatchSemaphore(value: 0)

            func receive(_ bytes: UnsafeRawBufferPointer) -> HTTPResponse? {
                entered.signal()
                _ = gate.wait(timeout: .now() + 60)
                return nil
            }

            func finish() -> HTTPResponse { text("stored") }

            func abort() {}
        }
        let sink = Blocking()
        let server = try TestServer({ $0.threads = 1 }) { request in
            guard request.method == "POST" else {
                return request.path == ["work"] ? .work { text("hello") } : .respond(text("hello"))
            }
            return .receive(sink, limit: .max, tooLarge: text("too large", status: 413))
        }
        // One sink for all, so that the first holds up the others.
        let uploads = try (0..<10).map { _ in try server.client() }
        for upload in uploads { upload.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello") }
        #expect(sink.entered.wait(timeout: .now() + 10) == .success)
        for path in ["/", "/work", "/", "/work"] { #expect(try Curl.run([server.url(path)]).text == "hello") }
        for _ in uploads { sink.gate.signal() }
        for upload in uploads { #expect(try upload.readResponse().body == "stored") }
    }

    @Test("a client that goes away within the body aborts the sink", arguments: [true, false])
    func disconnect(chunked: Bool) throws {
        let sink = CountingSink()
        let server = try Self.server { sink }
        do {
            let client = try server.client()
            let framing =
                chunked ? "Transfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n" : "Content-Length: 10\r\n\r\nabcde"
            client.send("POST / HTTP/1.1\r\nHost: a\r\n\(framing)")
        }
        #expect(sink.ended.wait(timeout: .now() + 10) == .success)
        let summary = try #require(server.summaries.first(1).first)
        #expect(sink.calls == ["abort"])
        #expect(summary.status == 0 && !summary.isComplete)
    }

    @Test("bodies that nobody asked for are thrown away: small ones keep the connection, large ones end it")
    func discarded() throws {
        let server = try TestServer { request in
            request.path == ["work"] ? .work { text("worked") } : .respond(text("answered", status: 404))
        }
        let client = try server.client()
        for (path, answer) in [("/", "answered"), ("/work", "worked"), ("/", "answered")] {
            client.send("POST \(path) HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n")
            client.send([UInt8](repeating: 65, count: 1000))
            #expect(try client.readResponse().body == answer)
        }
        let file = try SparseFile(bytes: 8 * Self.mebibyte)
        for options in [[], ["-H", "Expect:"], ["-H", "Transfer-Encoding: chunked"]] {
            let answered = try Curl.run(["-T", file.path, server.url("/")] + options)
            #expect(answered.exitCode == 0 && answered.status == 404 && answered.text == "answered")
            let worked = try Curl.run(["-T", file.path, server.url("/work")] + options)
            #expect(worked.exitCode == 0 && worked.status == 413)
        }
    }

    @Test(
        "a large upload does not grow the server's memory",
        .disabled(if: clinux_is_sanitized(), "sanitizers keep what was freed"))
    func memory() async {
        // In a process of its own, where nothing else takes memory.
        await #expect(processExitsWith: .success) {
            let sink = CountingSink()
            let server = try Self.server { sink }
            // Once before, so that threads and buffers are there.
            let small = try SparseFile(bytes: 4 * Self.mebibyte)
            _ = try Curl.run(["-T", small.path, server.url("/")])
            let file = try SparseFile(bytes: 256 * Self.mebibyte)
            let before = try Self.residentBytes()
            try "5".write(toFile: "/proc/self/clear_refs", atomically: false, encoding: .utf8)
            let result = try Curl.run(["-T", file.path, server.url("/")])
            #expect(result.status == 201)
            let peak = try Self.residentBytes(peak: true)
            #expect(peak - before < 32 * Self.mebibyte, "\((peak - before) / 1024) KiB more")
        }
    }

    private static func residentBytes(peak: Bool = false) throws -> Int {
        let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        let line = try #require(status.split(separator: "\n").first { $0.hasPrefix(peak ? "VmHWM:" : "VmRSS:") })
        return try #require(Int(line.filter(\.isNumber))) * 1024
    }
}
