/// Which digests a client wants: `Want-Repr-Digest` and `Want-Content-Digest` (RFC 9530 §4), a dictionary of preferences
/// (RFC 8941 §3.2) such as `sha-256=10, sha-512=3`.
public enum DigestPreference {
    /// Whether a digest by this algorithm is welcome. It is where nothing, or something malformed, is said of it; 0 is
    /// how a client says that it is not.
    public static func welcomes(_ algorithm: String, fields: [String]) -> Bool {
        var scanner = FieldScanner(fields.joined(separator: ", "))
        var isWelcome = true
        while !scanner.isAtEnd {
            scanner.skipWhitespace()
            if scanner.take(",") { continue }
            guard let name = scanner.token()?.lowercased(), scanner.take("="), let weight = scanner.token() else {
                return true
            }
            // The last of equal keys counts (RFC 8941 §4.2.2).
            if name == algorithm { isWelcome = Int(weight) != 0 }
            _ = scanner.parameters()
            scanner.skipWhitespace()
        }
        return isWelcome
    }
}
