import CMicroHTTPD
import Glibc

/// The socket that connections are accepted from.
struct ListeningSocket: Sendable {
    let descriptor: Descriptor
    let port: UInt16

    /// - Throws: `cannotListen`.
    init(address: String, port: UInt16, backlog: Int) throws(HTTPServerError) {
        var hints = addrinfo()
        hints.ai_family = AF_UNSPEC
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV
        var found: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(address, String(port), &hints, &found)
        guard status == 0, let found else {
            let reason = status == 0 ? "no address" : String(cString: gai_strerror(status))
            throw HTTPServerError(.cannotListen, "Cannot find the address \(address) to listen on: \(reason).")
        }
        defer { freeaddrinfo(found) }
        let type = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        let number = socket(found.pointee.ai_family, type, 0)
        guard number >= 0 else { throw Self.failure(address, port, errno) }
        descriptor = Descriptor(number)
        self.port = try Self.listen(number, on: found.pointee, (address, port), backlog)
    }

    /// Returns the port that was bound.
    private static func listen(
        _ descriptor: Int32, on info: addrinfo, _ wanted: (address: String, port: UInt16), _ backlog: Int
    ) throws(HTTPServerError) -> UInt16 {
        set(descriptor, SOL_SOCKET, SO_REUSEADDR, 1)
        if info.ai_family == AF_INET6 { set(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, 0) }
        guard bind(descriptor, info.ai_addr, info.ai_addrlen) == 0,
            Glibc.listen(descriptor, Int32(clamping: backlog)) == 0
        else { throw failure(wanted.address, wanted.port, errno) }
        var bound = sockaddr_storage()
        var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let status = withUnsafeMutablePointer(to: &bound) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &size) }
        }
        guard status == 0 else { throw failure(wanted.address, wanted.port, errno) }
        return withUnsafeBytes(of: bound) { bytes in
            // The port stands at the same place in sockaddr_in and sockaddr_in6.
            UInt16(bigEndian: bytes.loadUnaligned(fromByteOffset: 2, as: UInt16.self))
        }
    }

    private static func set(_ descriptor: Int32, _ level: Int32, _ option: Int32, _ value: Int32) {
        var value = value
        setsockopt(descriptor, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
    }

    private static func failure(_ address: String, _ port: UInt16, _ error: Int32) -> HTTPServerError {
        let hint =
            switch error {
            case EADDRINUSE: "another program uses the port"
            case EACCES: "ports under 1024 need a privilege"
            case EADDRNOTAVAIL: "this machine does not have the address"
            default: String(cString: strerror(error))
            }
        return HTTPServerError(.cannotListen, "Cannot listen on \(address), port \(port): \(hint).")
    }
}
