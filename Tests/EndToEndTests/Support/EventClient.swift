import Foundation
import Glibc

/// One watcher of a job's events, on a socket of its own: what curl cannot be a thousand of.
final class EventClient {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    private let descriptor: Int32
    private var received: [UInt8] = []
    /// The server has closed the connection, or has ended the body.
    private(set) var isOver = false

    /// Longer than any wait of a test that passes.
    private static let patience: Int32 = 120_000

    /// Sends the request; does not wait for the answer.
    init(_ server: Server, _ path: String, _ fields: [String] = []) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(server.port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let status = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard status == 0 else { throw Failure(description: "cannot connect: \(String(cString: strerror(errno)))") }
        let lines = ["GET \(path) HTTP/1.1", "Host: localhost"] + fields
        let request = Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8)
        let sent = send(descriptor, request, request.count, Int32(MSG_NOSIGNAL))
        guard sent == request.count else { throw Failure(description: "cannot send the request") }
    }

    deinit { close(descriptor) }

    /// Reads until it is so, or the answer is over.
    func read(until isSo: (EventClient) -> Bool = { $0.isOver }) throws {
        var buffer = [UInt8](repeating: 0, count: 65536)
        while !isOver, !isSo(self) {
            var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            guard poll(&waiting, 1, Self.patience) > 0 else {
                throw Failure(description: "nothing came after: \(text.suffix(500))")
            }
            let count = recv(descriptor, &buffer, buffer.count, 0)
            if count > 0 { received += buffer[..<count] }
            isOver = count <= 0 || isWhole
        }
    }

    var text: String { String(decoding: received, as: UTF8.self) }

    /// Whether the last chunk came (RFC 9112 §7.1): the body was not cut off.
    var isWhole: Bool { received.suffix(7).elementsEqual(Array("\r\n0\r\n\r\n".utf8)) }

    var status: Int { text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0 }

    /// The body without its chunks' sizes.
    private var body: [UInt8] {
        guard let head = received.firstRange(of: Array("\r\n\r\n".utf8)) else { return [] }
        var rest = received[head.upperBound...]
        var body: [UInt8] = []
        while let line = rest.firstRange(of: Array("\r\n".utf8)),
            let size = Int(String(decoding: rest[..<line.lowerBound], as: UTF8.self), radix: 16), size > 0
        {
            body += rest[line.upperBound...].prefix(size)
            rest = rest[line.upperBound...].dropFirst(size + 2)
        }
        return body
    }

    struct Event: Equatable {
        var id = ""
        var name = ""
        var data = ""
    }

    /// Whole events; one `id`, `event` and `data` each is all that this server sends.
    var events: [Event] {
        String(decoding: body, as: UTF8.self).components(separatedBy: "\n\n").dropLast().compactMap { block in
            var event = Event()
            for line in block.split(separator: "\n") {
                if line.hasPrefix("id: ") { event.id = String(line.dropFirst(4)) }
                if line.hasPrefix("event: ") { event.name = String(line.dropFirst(7)) }
                if line.hasPrefix("data: ") { event.data = String(line.dropFirst(6)) }
            }
            return event.name.isEmpty ? nil : event
        }
    }

    func count(of name: String) -> Int { events.count { $0.name == name } }
}
