import HTTPServer

/// Heads as libmicrohttpd splits them, and what is made of single fields.
enum HeaderFuzz {
    static func run(_ bytes: [UInt8]) {
        let lines = bytes.lines
        let first = lines[0].split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
        let fields = lines.dropFirst().map { $0.halves(at: ":") }
        let head = RawHead(
            method: first[0], target: first.count > 1 ? first[1] : "/",
            version: first.count > 2 ? first[2] : "HTTP/1.1", fields: fields)
        let guardian = ProtocolGuard(headBytes: 32 * 1024, headFields: 100, targetBytes: 8 * 1024)
        if let request = try? guardian.request(head, remoteAddress: "127.0.0.1", id: "fuzz") { check(request) }
        for field in fields { check(field.value) }
    }

    /// What the guard lets through is as RFC 9112 has it.
    private static func check(_ request: HTTPRequest) {
        precondition(!request.path.contains { $0 == ".." || $0 == "." }, "a path that leads elsewhere")
        precondition(!request.path.contains { $0.contains("/") || $0.utf8.contains(0) }, "a segment with a separator")
        let lengths = request.fields.all("Content-Length")
        precondition(lengths.count <= 1, "two lengths")
        precondition(lengths.isEmpty || request.fields["Transfer-Encoding"] == nil, "a length beside an encoding")
        precondition(lengths.allSatisfy { $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }, "a length that is none")
        _ = Precondition.evaluate(request, current: EntityTag("a"))
        _ = Precondition.allowsRange(request, current: EntityTag("a"))
        _ = RequestPreferences(request.fields)
    }

    private static func check(_ value: String) {
        _ = MediaType(value)
        _ = ContentNegotiation.best([MediaType("text", "csv"), MediaType("application", "json")], accept: value)
        _ = ContentNegotiation.accepts(encoding: "gzip", acceptEncoding: value)
        _ = DigestPreference.welcomes("sha-256", fields: [value])
        for count in [0, 1, 1000, Int64.max] {
            if case .part(let range) = ByteRange(value, count: count) {
                precondition(range.lowerBound >= 0 && range.upperBound <= count && !range.isEmpty, "a range outside")
            }
        }
    }
}
