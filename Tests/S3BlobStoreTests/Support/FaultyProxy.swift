import Foundation
import Glibc
import Synchronization

/// Stands between a client and a server, passes each request on over a connection of its own, and does what it is told to
/// do wrong. It also answers by itself, where there is no server.
final class FaultyProxy: Sendable {
    enum Fault: Sendable {
        /// Answers so, and does not ask the server.
        case answer(_ status: Int, body: String, fields: [String] = [])
        /// Closes the connection without a word, before the server was asked.
        case hangUp
        /// Closes the connection after the server has answered, with so many bytes of the answer's body sent on.
        case cut(after: Int)
        /// Closes the connection after the server has answered, with nothing of the answer sent on.
        case loseAnswer
    }

    private struct Rule {
        var part: String
        var times: Int
        var fault: Fault
    }

    let port: UInt16
    private let listener: Int32
    private let server: UInt16
    private let rules = Mutex<[Rule]>([])
    private let heads = Mutex<[String]>([])

    /// - Parameter server: a port of this machine; 0: none.
    init(to server: Int = 0) throws {
        self.server = UInt16(server)
        (listener, port) = try Self.listen()
        Thread.detachNewThread { [self] in
            while case let connection = accept(listener, nil, nil), connection >= 0 {
                Thread.detachNewThread { [self] in
                    serve(connection)
                    close(connection)
                }
            }
        }
    }

    /// Ends it: a thread of its own refers to it until then.
    func end() { shutdown(listener, Int32(SHUT_RDWR)) }

    var endpoint: String { "http://127.0.0.1:\(port)" }

    /// The next requests whose head has a text in it go wrong.
    func fail(_ part: String, times: Int = 1, _ fault: Fault) {
        rules.withLock { $0.append(Rule(part: part, times: times, fault: fault)) }
    }

    /// Heads of the requests that came.
    var requests: [String] { heads.withLock { $0 } }

    func count(_ part: String) -> Int { requests.filter { $0.contains(part) }.count }

    // MARK: One request

    private func serve(_ connection: Int32) {
        guard let (head, body) = Self.readMessage(connection) else { return }
        heads.withLock { $0.append(head) }
        let fault = rules.withLock { rules -> Fault? in
            guard let index = rules.firstIndex(where: { head.contains($0.part) && $0.times > 0 }) else { return nil }
            rules[index].times -= 1
            return rules[index].fault
        }
        switch fault {
        case .answer(let status, let body, let fields):
            let lines = ["HTTP/1.1 \(status) x", "Content-Length: \(body.utf8.count)", "Connection: close"] + fields
            Self.send(Data((lines.joined(separator: "\r\n") + "\r\n\r\n" + body).utf8), to: connection)
        case .hangUp: return
        case .loseAnswer: relay(head, body, to: nil, bodyBytes: 0)
        case .cut(let count): relay(head, body, to: connection, bodyBytes: count)
        case nil: relay(head, body, to: connection, bodyBytes: .max)
        }
    }

    private func relay(_ head: String, _ body: Data, to connection: Int32?, bodyBytes: Int) {
        guard let upstream = Self.connect(server) else { return }
        defer { close(upstream) }
        let lines = head.components(separatedBy: "\r\n").filter { !$0.lowercased().hasPrefix("connection:") }
        let request = (lines + ["Connection: close"]).joined(separator: "\r\n") + "\r\n\r\n"
        Self.send(Data(request.utf8) + body, to: upstream)
        var answer = Data()
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while case let count = read(upstream, &buffer, buffer.count), count > 0 { answer += buffer[..<count] }
        guard let connection else { return }
        let end = answer.firstRange(of: Data("\r\n\r\n".utf8))?.upperBound ?? answer.endIndex
        Self.send(answer.prefix(end - answer.startIndex + min(bodyBytes, answer.endIndex - end)), to: connection)
    }

    // MARK: Sockets

    private static func readMessage(_ connection: Int32) -> (head: String, body: Data)? {
        var bytes = Data()
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        var end: Data.Index?
        var length = 0
        while true {
            if end == nil, let range = bytes.firstRange(of: Data("\r\n\r\n".utf8)) {
                end = range.upperBound
                let head = String(decoding: bytes[..<range.lowerBound], as: UTF8.self)
                length = head.firstMatch(of: /(?i)content-length: *([0-9]+)/).flatMap { Int($0.output.1) } ?? 0
            }
            if let end, bytes.endIndex - end >= length {
                return (String(decoding: bytes[..<(end - 4)], as: UTF8.self), Data(bytes[end...]))
            }
            let count = read(connection, &buffer, buffer.count)
            guard count > 0 else { return nil }
            bytes += buffer[..<count]
        }
    }

    private static func send(_ data: Data, to socket: Int32) {
        data.withUnsafeBytes { bytes in
            var sent = 0
            while sent < bytes.count {
                let rest = UnsafeRawBufferPointer(rebasing: bytes[sent...])
                let count = Glibc.send(socket, rest.baseAddress, rest.count, Int32(MSG_NOSIGNAL))
                guard count > 0 else { return }
                sent += count
            }
        }
    }

    private static func address(_ port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        return address
    }

    private static func connect(_ port: UInt16) -> Int32? {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = address(port)
        let isConnected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        if isConnected { return descriptor }
        close(descriptor)
        return nil
    }

    private static func listen() throws -> (Int32, UInt16) {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = address(0)
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, size) == 0 && Glibc.listen(descriptor, 64) == 0
                    && getsockname(descriptor, $0, &size) == 0
            }
        }
        guard isBound else { throw POSIXError(.EADDRNOTAVAIL) }
        return (descriptor, UInt16(bigEndian: address.sin_port))
    }
}
