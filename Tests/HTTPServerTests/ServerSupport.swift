import Foundation
import Glibc
import Logging
import Synchronization
import Testing

@testable import HTTPServer

/// An application made of a closure, which remembers what it was asked.
final class TestApplication: HTTPApplication {
    let seen = Mutex<[HTTPRequest]>([])
    private let answer: @Sendable (HTTPRequest) -> HTTPDisposition

    init(_ answer: @escaping @Sendable (HTTPRequest) -> HTTPDisposition) { self.answer = answer }

    func begin(_ request: HTTPRequest) -> HTTPDisposition {
        seen.withLock { $0.append(request) }
        return answer(request)
    }

    func error(status: Int, detail: String, requestID: String) -> HTTPResponse {
        var response = HTTPResponse(status: status, body: .bytes(Array("error: \(detail)\n".utf8)))
        response.fields["Content-Type"] = "text/plain"
        return response
    }

    var paths: [String] { seen.withLock { $0.map(\.target) } }
}

/// A running server on a free port of the loopback interface.
final class TestServer: Sendable {
    let application: TestApplication
    let server: HTTPServer
    let port: UInt16
    let summaries: Log

    /// Finished requests.
    final class Log: Sendable {
        private let state = Mutex<[HTTPRequestSummary]>([])
        private let added = DispatchSemaphore(value: 0)

        func add(_ summary: HTTPRequestSummary) {
            state.withLock { $0.append(summary) }
            added.signal()
        }

        /// Waits until so many requests are finished.
        func first(_ count: Int) -> [HTTPRequestSummary] {
            while state.withLock({ $0.count }) < count {
                guard added.wait(timeout: .now() + 10) == .success else { break }
            }
            return state.withLock { Array($0.prefix(count)) }
        }
    }

    /// Stops it on a thread of its own; what is returned is signalled when it has stopped.
    func beginToStop(within seconds: Double) -> DispatchSemaphore {
        let stopped = DispatchSemaphore(value: 0)
        Thread.detachNewThread { [server] in
            server.stop(by: .now() + seconds)
            stopped.signal()
        }
        return stopped
    }

    init(
        _ configure: (inout HTTPServerConfiguration) -> Void = { _ in },
        _ answer: @escaping @Sendable (HTTPRequest) -> HTTPDisposition
    ) throws {
        var configuration = HTTPServerConfiguration()
        configuration.port = 0
        configuration.threads = 2
        configuration.handlerThreads = 4
        configure(&configuration)
        application = TestApplication(answer)
        let log = Log()
        summaries = log
        server = HTTPServer(
            configuration: configuration, application: application,
            log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            observer: { log.add($0) })
        try server.start()
        port = try #require(server.boundPort)
    }

    deinit { server.stop(by: .now()) }

    func url(_ target: String) -> String { "http://127.0.0.1:\(port)\(target)" }

    func client() throws -> RawClient { try RawClient(port: port) }

    /// Sends these bytes on a connection of their own and returns what comes back before the server closes.
    func exchange(_ request: String) throws -> String {
        let client = try client()
        client.send(request)
        return client.readToEnd()
    }
}

struct CannotConnect: Error { var reason: String }

/// A client's end of a connection, for bytes that no HTTP client would send.
final class RawClient {
    let descriptor: Int32

    /// Longer than any wait of a test that passes.
    static let patience: Int32 = 10_000

    init(port: UInt16, receiveBuffer: Int32? = nil) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        if var size = receiveBuffer {
            setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
        }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let status = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard status == 0 else { throw CannotConnect(reason: String(cString: strerror(errno))) }
    }

    deinit { close(descriptor) }

    @discardableResult
    func send(_ text: String) -> Bool { send(Array(text.utf8)) }

    @discardableResult
    func send(_ bytes: [UInt8]) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress! + sent, $0.count - sent, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return false }
            sent += count
        }
        return true
    }

    /// What comes within the patience; `nil` where nothing does, empty at the end.
    func read(patience: Int32 = patience) -> [UInt8]? {
        var poll = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard Glibc.poll(&poll, 1, patience) > 0 else { return nil }
        var buffer = [UInt8](repeating: 0, count: 65536)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        return Array(buffer.prefix(max(0, count)))
    }

    /// Everything up to the end of the connection.
    func readToEnd() -> String {
        var all: [UInt8] = []
        while let bytes = read() {
            guard !bytes.isEmpty else { return String(decoding: all, as: UTF8.self) }
            all += bytes
        }
        Issue.record("the connection stays open after: \(String(decoding: all, as: UTF8.self))")
        return String(decoding: all, as: UTF8.self)
    }

    /// One response with `Content-Length`.
    func readResponse() throws -> Response {
        var all: [UInt8] = []
        while true {
            let bytes = try #require(read(), "no response in time")
            all += bytes
            if let response = Response(String(decoding: all, as: UTF8.self)) { return response }
            try #require(!bytes.isEmpty, "the connection ended within: \(String(decoding: all, as: UTF8.self))")
        }
    }
}

struct Response {
    var status: Int
    var head: [String]
    var body: String

    /// `nil` where the text is not a whole response with `Content-Length`, or a bodiless one.
    init?(_ text: String) {
        guard let end = text.utf8.firstRange(of: Array("\r\n\r\n".utf8)) else { return nil }
        head = String(text.utf8[..<end.lowerBound])!.components(separatedBy: "\r\n")
        guard let status = Int(head[0].split(separator: " ").dropFirst().first ?? "") else { return nil }
        self.status = status
        body = String(decoding: text.utf8[end.upperBound...], as: UTF8.self)
        let length = self["content-length"].flatMap { Int($0) } ?? 0
        guard body.utf8.count >= length else { return nil }
        body = String(decoding: body.utf8.prefix(length), as: UTF8.self)
    }

    subscript(name: String) -> String? {
        let prefix = name.lowercased() + ":"
        return head.first { $0.lowercased().hasPrefix(prefix) }.map {
            $0.dropFirst(prefix.count).trimmingCharacters(in: .whitespaces)
        }
    }
}

/// The real curl.
enum Curl {
    struct Result {
        var exitCode: Int32
        var output: Data
        var status: Int
        var text: String { String(decoding: output, as: UTF8.self) }
    }

    /// - Parameter input: goes to its standard input.
    static func run(_ arguments: [String], input: FileHandle? = nil) throws -> Result {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/curl")
        process.arguments = ["-sS", "--max-time", "60", "--noproxy", "*", "-w", "\n%{http_code}"] + arguments
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        process.standardInput = input ?? FileHandle.nullDevice
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        let end = data.lastIndex(of: UInt8(ascii: "\n")) ?? data.startIndex
        let status = Int(String(decoding: data[end...].dropFirst(), as: UTF8.self)) ?? 0
        return Result(exitCode: process.terminationStatus, output: data[..<end], status: status)
    }
}

func text(_ text: String, status: Int = 200, route: String? = nil) -> HTTPResponse {
    var response = HTTPResponse(status: status, body: .bytes(Array(text.utf8)))
    response.fields["Content-Type"] = "text/plain"
    response.route = route
    return response
}
