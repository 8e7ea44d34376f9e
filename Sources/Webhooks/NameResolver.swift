import Glibc
import Jobs

/// Finds the addresses that a name stands for.
public protocol NameResolver: Sendable {
    /// Blocks. At least one address.
    func addresses(of host: String) throws(NameResolverError) -> [IPAddress]
}

/// A name that stands for no address now; why, for the job's owner.
public struct NameResolverError: Error, Hashable, Sendable {
    public let message: String

    public init(_ message: String) { self.message = message }
}

/// The system's: `/etc/hosts`, DNS.
public struct SystemNameResolver: NameResolver {
    public init() {}

    public func addresses(of host: String) throws(NameResolverError) -> [IPAddress] {
        var hints = addrinfo()
        hints.ai_family = AF_UNSPEC
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(host, nil, &hints, &list)
        defer { if let list { freeaddrinfo(list) } }
        guard status == 0 else {
            throw NameResolverError("the name \(host) cannot be resolved: \(String(cString: gai_strerror(status)))")
        }
        var addresses: [IPAddress] = []
        var entry = list
        while let info = entry?.pointee {
            if let address = Self.address(info), !addresses.contains(address) { addresses.append(address) }
            entry = info.ai_next
        }
        guard !addresses.isEmpty else { throw NameResolverError("the name \(host) has no address") }
        return addresses
    }

    private static func address(_ info: addrinfo) -> IPAddress? {
        guard let socketAddress = info.ai_addr else { return nil }
        let raw = UnsafeRawPointer(socketAddress)
        switch info.ai_family {
        case AF_INET:
            let address = raw.loadUnaligned(as: sockaddr_in.self).sin_addr
            return IPAddress(bytes: withUnsafeBytes(of: address) { Array($0) })
        case AF_INET6:
            let address = raw.loadUnaligned(as: sockaddr_in6.self).sin6_addr
            return IPAddress(bytes: withUnsafeBytes(of: address) { Array($0) })
        default: return nil
        }
    }
}
