import StreamSafe

/// A request's target (RFC 9112 §3.2), decoded once. What could be decoded twice, or be read as another path by whatever
/// stands before the server, is refused.
struct RequestTarget: Equatable {
    var path: [String]
    var query: [FieldPair]

    struct FieldPair: Equatable {
        var name: String
        var value: String
    }

    init(_ target: String, method: String) throws(Refusal) {
        guard target.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "\\") && $0 != UInt8(ascii: "#") })
        else { throw .malformed("The request's target holds a character that must be percent-encoded.") }
        if target == "*", method == "OPTIONS" {
            (path, query) = (["*"], [])
            return
        }
        // Taken apart byte by byte: what is left of a target is ASCII.
        let form = try Self.originForm(target)
        let mark = form.utf8.firstIndex(of: UInt8(ascii: "?"))
        path = try form[..<(mark ?? form.endIndex)].utf8.dropFirst()
            .split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
            .map { part throws(Refusal) in try Self.segment(Substring(part)) }
        query = try mark.map { mark throws(Refusal) in try Self.pairs(form[mark...].dropFirst()) } ?? []
    }

    /// `/path?query`, without the authority of an absolute target (§3.2.2).
    private static func originForm(_ target: String) throws(Refusal) -> Substring {
        if target.utf8.first == UInt8(ascii: "/") { return target[...] }
        for scheme in ["http://", "https://"] where target.lowercased().hasPrefix(scheme) {
            let rest = target.dropFirst(scheme.count)
            guard let end = rest.firstIndex(where: { $0 == "/" || $0 == "?" }) else { return "/" }
            guard rest[end] == "/" else { break }
            return rest[end...]
        }
        throw .malformed("The request's target is no path.")
    }

    private static func segment(_ text: Substring) throws(Refusal) -> String {
        guard text.utf8.contains(UInt8(ascii: "%")) else {
            guard text != ".", text != ".." else { throw .malformed("The path holds a dot segment.") }
            return String(text)
        }
        let segment = try decoded(text, plusIsSpace: false)
        guard
            segment.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f && $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "\\") })
        else { throw .malformed("The path holds an encoded slash, backslash or control character.") }
        guard segment != ".", segment != ".." else { throw .malformed("The path holds a dot segment.") }
        return segment
    }

    /// As HTML forms write them: a plus stands for a space.
    private static func pairs(_ text: Substring) throws(Refusal) -> [FieldPair] {
        try text.split(separator: "&").map { pair throws(Refusal) in
            let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let value = sides.count < 2 ? "" : try decoded(sides[1], plusIsSpace: true)
            return FieldPair(name: try decoded(sides[0], plusIsSpace: true), value: value)
        }
    }

    private static func decoded(_ text: Substring, plusIsSpace: Bool) throws(Refusal) -> String {
        guard let bytes = PercentEncoding.decode(text.utf8, plusIsSpace: plusIsSpace), !bytes.contains(0),
            let decoded = String(validating: bytes, as: UTF8.self)
        else { throw .malformed("The request's target holds an invalid percent-encoding.") }
        guard decoded.isStreamSafe else {
            throw .malformed("The request's target holds more than 30 combining marks in a row.")
        }
        return decoded
    }
}
