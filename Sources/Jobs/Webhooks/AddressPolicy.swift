/// Which addresses a webhook may go to: those of the public Internet, so that nobody reaches what is inside by having it
/// called back (OWASP, "Server Side Request Forgery Prevention").
public struct AddressPolicy: Hashable, Sendable {
    /// `webhooks.allow_private`: networks of the operator's own are allowed too. Cloud metadata never is.
    public var allowsPrivate: Bool

    public init(allowsPrivate: Bool = false) { self.allowsPrivate = allowsPrivate }

    /// What the address is, where a webhook may not go there; `nil` where it may.
    public func refusal(of address: IPAddress) -> String? {
        let networks = address.bytes.count == 4 ? Self.networks4 : Self.networks6
        guard let network = networks.first(where: { $0.contains(address) }) else {
            return address.bytes.count == 4 || Self.globalUnicast.contains(address) ? nil : "reserved"
        }
        return network.isPrivate && allowsPrivate ? nil : network.name
    }

    private struct Network: Sendable {
        let name: String
        let prefix: [UInt8]
        let length: Int
        /// Whether an operator's own machines may have it.
        let isPrivate: Bool

        /// - Parameter text: `10.0.0.0/8`
        init(_ name: String, _ text: String, isPrivate: Bool = false) {
            let parts = text.split(separator: "/")
            self.name = name
            prefix = parts.first.flatMap { IPAddress(String($0)) }?.bytes ?? []
            length = parts.last.flatMap { Int($0) } ?? 0
            self.isPrivate = isPrivate
        }

        func contains(_ address: IPAddress) -> Bool {
            guard prefix.count == address.bytes.count else { return false }
            return (0..<length).allSatisfy { bit in
                (prefix[bit / 8] ^ address.bytes[bit / 8]) & (0x80 >> UInt8(bit % 8)) == 0
            }
        }
    }

    // IANA's registries of special-purpose addresses, and what clouds answer at.
    private static let networks4 = [
        Network("unspecified", "0.0.0.0/8"),
        Network("private", "10.0.0.0/8", isPrivate: true),
        Network("cloud metadata", "100.100.100.200/32"),
        Network("carrier-grade NAT", "100.64.0.0/10", isPrivate: true),
        Network("loopback", "127.0.0.0/8", isPrivate: true),
        Network("cloud metadata", "168.63.129.16/32"),
        Network("link-local", "169.254.0.0/16"),
        Network("private", "172.16.0.0/12", isPrivate: true),
        Network("reserved", "192.0.0.0/24"),
        Network("documentation", "192.0.2.0/24"),
        Network("6to4 relay", "192.88.99.0/24"),
        Network("private", "192.168.0.0/16", isPrivate: true),
        Network("benchmarking", "198.18.0.0/15"),
        Network("documentation", "198.51.100.0/24"),
        Network("documentation", "203.0.113.0/24"),
        Network("multicast", "224.0.0.0/4"),
        Network("broadcast", "255.255.255.255/32"),
        Network("reserved", "240.0.0.0/4"),
    ]

    /// Everything else is reserved.
    private static let globalUnicast = Network("global unicast", "2000::/3")

    private static let networks6 = [
        Network("unspecified", "::/128"),
        Network("loopback", "::1/128", isPrivate: true),
        Network("IPv4-mapped", "::ffff:0:0/96"),
        Network("IPv4-compatible", "::/96"),
        Network("IPv4-translated", "::ffff:0:0:0/96"),
        Network("IPv4-translated", "64:ff9b::/96"),
        Network("IPv4-translated", "64:ff9b:1::/48"),
        Network("discard", "100::/64"),
        Network("Teredo", "2001::/32"),
        Network("benchmarking", "2001:2::/48"),
        Network("reserved", "2001::/23"),
        Network("documentation", "2001:db8::/32"),
        Network("6to4", "2002::/16"),
        Network("documentation", "3fff::/20"),
        Network("cloud metadata", "fd00:ec2::254/128"),
        Network("unique local", "fc00::/7", isPrivate: true),
        Network("link-local", "fe80::/10"),
        Network("site-local", "fec0::/10"),
        Network("multicast", "ff00::/8"),
    ]
}
