import CMicroHTTPD
import Glibc

/// An accepted socket. It is libmicrohttpd's, which reads, writes and closes it; what is done here besides is done while
/// the connection is suspended, or harms nobody.
struct ClientSocket: Sendable {
    enum Received: Equatable {
        case bytes(Int)
        case nothingNow
        case end
    }

    let descriptor: Int32

    /// Without waiting.
    func receive(into buffer: UnsafeMutableRawBufferPointer) -> Received {
        let count = recv(descriptor, buffer.baseAddress, buffer.count, Self.flags(MSG_DONTWAIT))
        if count > 0 { return .bytes(count) }
        return count < 0 && (errno == EAGAIN || errno == EINTR) ? .nothingNow : .end
    }

    /// Without waiting.
    /// - Returns: whether the kernel took all of it.
    func send(_ bytes: [UInt8]) -> Bool {
        bytes.withUnsafeBytes {
            Glibc.send(descriptor, $0.baseAddress, $0.count, Self.flags(MSG_DONTWAIT, MSG_NOSIGNAL)) == $0.count
        }
    }

    /// Tells the client that no more comes.
    func endSending() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// Ends both directions.
    func shutDown() { shutdown(descriptor, Int32(SHUT_RDWR)) }

    /// `nil` where the kernel does not say.
    var progress: ConnectionProgress? {
        var counts = lk_socket_progress()
        guard lk_socket_progress_get(descriptor, &counts) else { return nil }
        return ConnectionProgress(
            received: counts.received, acknowledged: counts.acknowledged, unread: Int(counts.unread),
            unsent: Int(counts.unsent), hasEnded: counts.ended)
    }

    /// The host of an address in digits, without the port.
    static func host(_ address: UnsafePointer<sockaddr>?) -> String {
        guard let address else { return "" }
        let isIPv6 = address.pointee.sa_family == sa_family_t(AF_INET6)
        let size = isIPv6 ? MemoryLayout<sockaddr_in6>.size : MemoryLayout<sockaddr_in>.size
        var host = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        let status = getnameinfo(address, socklen_t(size), &host, socklen_t(host.count), nil, 0, NI_NUMERICHOST)
        guard status == 0 else { return "" }
        let text = String(decoding: host.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        // An IPv4 client of a socket that takes both.
        return text.hasPrefix("::ffff:") ? String(text.dropFirst(7)) : text
    }

    private static func flags(_ flags: Int...) -> Int32 { Int32(flags.reduce(0, |)) }
}
