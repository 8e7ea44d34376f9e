import HTTPServer
import Logging
import ServiceHarness
import Synchronization
import Testing

/// W3C Trace Context, level 1; the values are those of its text and its test suite.
@Suite("Trace context")
struct TraceContextTests {
    static let valid = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

    @Test("a traceparent of version 00 is taken apart")
    func version00() throws {
        let context = try #require(TraceContext(Self.valid))
        #expect(context.traceID == "0af7651916cd43dd8448eb211c80319c")
        #expect(context.parentID == "b7ad6b7169203331")
        #expect(context.isSampled)
        #expect(TraceContext("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00")?.isSampled == false)
        // Bits that this version does not know are nobody's business.
        #expect(TraceContext("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-ff")?.isSampled == true)
    }

    @Test(
        "a later version is read as far as it is known",
        arguments: [
            "cc-12345678901234567890123456789012-1234567890123456-01",
            "cc-12345678901234567890123456789012-1234567890123456-01-what-the-future-will-be-like",
            "01-12345678901234567890123456789012-1234567890123456-01-",
        ])
    func laterVersion(_ text: String) {
        #expect(TraceContext(text)?.traceID == "12345678901234567890123456789012")
    }

    @Test(
        "what is not as the specification has it is ignored",
        arguments: [
            "", "00", "00-", "garbage", valid + "-", valid + "-extra", valid + "0", String(valid.dropLast()),
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "0-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            ".0-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "cc-12345678901234567890123456789012-1234567890123456-01.what",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-B7AD6B7169203331-01",
            "00-.af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-.0",
            "00_0af7651916cd43dd8448eb211c80319c_b7ad6b7169203331_01",
            "00-0af7651916cd43dd8448eb211c80319-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c1-b7ad6b716920333-01",
            "00-0af7651916cd43dd8448eb211c8031é-b7ad6b7169203331-01",
        ])
    func invalid(_ text: String) {
        #expect(TraceContext(text) == nil)
    }

    @Test("the access log names the trace and the caller's span, and neither where the field is invalid or doubled")
    func accessLog() throws {
        let server = try TestServer { _ in .respond(text("hello")) }
        let fields = [
            "traceparent: \(Self.valid)\r\n", "TraceParent: \t\(Self.valid) \r\n", "traceparent: 00-1\r\n",
            "traceparent: \(Self.valid)\r\ntraceparent: \(Self.valid)\r\n", "",
        ]
        for field in fields {
            _ = try server.exchange("GET / HTTP/1.1\r\nHost: a\r\n\(field)Connection: close\r\n\r\n")
        }
        let summaries = server.summaries.first(fields.count)
        let context = TraceContext(Self.valid)
        #expect(summaries.map(\.trace) == [context, context, nil, nil, nil])
        #expect(summaries.map(\.status) == [200, 200, 200, 200, 200])
    }
}

@Suite("Counts of a server")
struct ServerCountTests {
    @Test("a request is in flight from its head to the end of its response")
    func inFlight() throws {
        let responders = Mutex<[HTTPResponder]>([])
        let server = try TestServer { _ in
            .later { responder in responders.withLock { $0.append(responder) } }
        }
        #expect(server.server.requestsInFlight == 0)
        let clients = try (0..<3).map { _ in try server.client() }
        for client in clients { client.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n") }
        try poll("the requests to be read") { responders.withLock { $0.count } == clients.count }
        #expect(server.server.requestsInFlight == 3)
        for responder in responders.withLock({ $0 }) { responder.respond(text("done")) }
        for client in clients { #expect(client.readToEnd().hasSuffix("done")) }
        #expect(server.summaries.first(3).count == 3)
        #expect(server.server.requestsInFlight == 0)
    }
}
