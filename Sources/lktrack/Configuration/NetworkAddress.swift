import Glibc

/// Questions about the text form of an IP address.
enum NetworkAddress {
    static func isValid(_ text: String) -> Bool { bytes(text) != nil }

    /// Whether only this machine can reach it: 127.0.0.0/8 or ::1 (RFC 6890).
    static func isLoopback(_ text: String) -> Bool {
        guard let bytes = bytes(text) else { return false }
        return bytes.count == 4 ? bytes[0] == 127 : bytes == Array(repeating: 0, count: 15) + [1]
    }

    private static func bytes(_ text: String) -> [UInt8]? {
        for (family, count) in [(AF_INET, 4), (AF_INET6, 16)] {
            var buffer = [UInt8](repeating: 0, count: count)
            if inet_pton(family, text, &buffer) == 1 { return buffer }
        }
        return nil
    }
}
