import Dispatch
import Foundation
import Logging
import ServiceHarness
import Testing

@testable import HTTPServer

@Suite("Start and stop", .timeLimit(.minutes(10)))
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
        try poll("others to be served") {
            let client = try server.client()
            client.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            return client.read().map { String(decoding: $0, as: UTF8.self).hasPrefix("HTTP/1.1 200 ") } ?? false
        }
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
}
