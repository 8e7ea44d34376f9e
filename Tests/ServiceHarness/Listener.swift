import Foundation
import Glibc
import Jobs
import Synchronization
import Webhooks

/// A listening socket that answers every connection with the same bytes, once it has read a whole request, and keeps
/// what it read.
package final class Listener: Sendable {
    package let address: String
    package let port: UInt16
    private let socket: Int32
    private let requests = Mutex<[String]>([])
    private let accepted = Mutex(0)

    package enum Failure: Error { case system(String) }

    /// - Parameter answer: empty: nothing is answered, and the connection stays open.
    package init(_ address: String = "127.0.0.1", port: UInt16 = 0, answer: String) throws {
        self.address = address
        socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var reuse: Int32 = 1
        setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &reuse, socklen_t(MemoryLayout<Int32>.size))
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_port = port.bigEndian
        inet_pton(AF_INET, address, &name.sin_addr)
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let socket = socket
        let isBound = withUnsafeMutablePointer(to: &name) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                bind(socket, pointer, size) == 0 && listen(socket, 16) == 0 && getsockname(socket, pointer, &size) == 0
            }
        }
        guard isBound else { throw Failure.system(String(cString: strerror(errno))) }
        self.port = UInt16(bigEndian: name.sin_port)
        Thread.detachNewThread { [self] in
            while true {
                let connection = accept(socket, nil, nil)
                guard connection >= 0 else { return }
                accepted.withLock { $0 += 1 }
                serve(connection, answer)
            }
        }
    }

    deinit { end() }

    package var connections: Int { accepted.withLock { $0 } }
    package var received: [String] { requests.withLock { $0 } }
    package func url(_ host: String? = nil, path: String = "/hook") throws -> WebhookURL {
        try WebhookURL("http://\(host ?? address):\(port)\(path)")
    }

    /// Takes no more connections.
    package func end() { shutdown(socket, Int32(SHUT_RDWR)) }

    private func serve(_ connection: Int32, _ answer: String) {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while !isWhole(bytes) {
            let count = read(connection, &buffer, buffer.count)
            guard count > 0 else { break }
            bytes += buffer[..<count]
        }
        requests.withLock { $0.append(String(decoding: bytes, as: UTF8.self)) }
        guard !answer.isEmpty else { return }
        _ = answer.withCString { Glibc.send(connection, $0, strlen($0), Int32(MSG_NOSIGNAL)) }
        close(connection)
    }

    private func isWhole(_ bytes: [UInt8]) -> Bool {
        let text = String(decoding: bytes, as: UTF8.self)
        let parts = text.components(separatedBy: "\r\n\r\n")
        guard parts.count > 1, let length = text.firstMatch(of: /Content-Length: ([0-9]+)/)?.output.1 else {
            return false
        }
        return parts.dropFirst().joined(separator: "\r\n\r\n").utf8.count >= Int(length) ?? 0
    }
}
