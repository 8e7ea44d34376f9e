import Foundation
import Glibc

/// A client's end of a connection.
final class BenchSocket {
    private let descriptor: Int32

    init(port: Int) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let status = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard status == 0 else { throw BenchError("cannot connect: \(String(cString: strerror(errno)))") }
    }

    deinit { close(descriptor) }

    func send(_ text: String) throws { try send(Data(text.utf8)) }

    func send(_ data: Data) throws {
        let bytes = Array(data)
        guard Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count else {
            throw BenchError("a request could not be sent")
        }
    }

    /// What comes, up to and with the piece in which a text stands.
    func receive(until end: String) throws -> String {
        var text = ""
        var buffer = [UInt8](repeating: 0, count: 16384)
        while !text.contains(end) {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            guard count > 0 else { throw BenchError("the connection ended after: \(text.suffix(200))") }
            text += String(decoding: buffer[..<count], as: UTF8.self)
        }
        return text
    }

    /// Raises the limit of open files, where it is lower.
    static func allow(_ count: Int) -> Bool {
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        var limits = rlimit()
        guard getrlimit(resource, &limits) == 0 else { return false }
        if limits.rlim_cur >= rlim_t(count) { return true }
        limits.rlim_cur = min(limits.rlim_max, rlim_t(count))
        return setrlimit(resource, &limits) == 0 && limits.rlim_cur >= rlim_t(count)
    }
}
