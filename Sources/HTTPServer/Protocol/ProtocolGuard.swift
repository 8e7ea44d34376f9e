import StreamSafe

/// A request's head as libmicrohttpd has split it, before anything is believed.
package struct RawHead {
    package var method: String
    package var target: String
    package var version: String
    /// Values may have spaces around them still.
    package var fields: [(name: String, value: String)]
    /// Whether the lines were separated as RFC 9112 §2.2 wants.
    package var isCanonical = true

    package init(
        method: String, target: String, version: String, fields: [(name: String, value: String)],
        isCanonical: Bool = true
    ) {
        self.method = method
        self.target = target
        self.version = version
        self.fields = fields
        self.isCanonical = isCanonical
    }
}

/// An answer to a request that no application is to see.
package struct Refusal: Error, Equatable {
    package var status: Int
    package var detail: String

    static func malformed(_ detail: String) -> Refusal { Refusal(status: 400, detail: detail) }
}

/// Refuses heads that this server and a proxy in front of it could read differently (RFC 9112 §11.2). libmicrohttpd 0.9.75
/// takes all of them, and goes on with what it thinks is the next request. The connection of a refused request is closed.
package struct ProtocolGuard: Sendable {
    var headBytes: Int
    var headFields: Int
    var targetBytes: Int

    package init(headBytes: Int, headFields: Int, targetBytes: Int) {
        self.headBytes = headBytes
        self.headFields = headFields
        self.targetBytes = targetBytes
    }

    /// The request that the head stands for.
    package func request(
        _ head: RawHead, remoteAddress: String, id: String, hasClientLeft: @escaping @Sendable () -> Bool = { false }
    ) throws(Refusal) -> HTTPRequest {
        let fields = try check(head)
        let target = try RequestTarget(head.target, method: head.method)
        let isHead = head.method == "HEAD"
        return HTTPRequest(
            method: isHead ? "GET" : head.method, target: head.target, path: target.path,
            query: target.query.map { ($0.name, $0.value) }, fields: fields, remoteAddress: remoteAddress, id: id,
            isHead: isHead, hasClientLeft: hasClientLeft)
    }

    /// The fields with their values trimmed.
    func check(_ head: RawHead) throws(Refusal) -> HTTPFields {
        guard head.isCanonical else {
            throw .malformed("The lines of the request's head are not separated as RFC 9112 wants.")
        }
        guard head.version == "HTTP/1.1" || head.version == "HTTP/1.0" else {
            throw Refusal(status: 505, detail: "The server speaks HTTP/1.1 and HTTP/1.0.")
        }
        guard !head.method.isEmpty, head.method.utf8.allSatisfy(FieldScanner.isTokenByte) else {
            throw .malformed("The method is no token.")
        }
        guard head.target.utf8.count <= targetBytes else {
            throw Refusal(status: 414, detail: "The request's target has more than \(targetBytes) bytes.")
        }
        try checkSize(head)
        var lines = head.fields
        for line in lines.indices { try Self.check(&lines[line]) }
        let fields = HTTPFields(lines)
        try Self.checkHost(fields, version: head.version)
        try Self.checkFraming(fields, version: head.version)
        if let expect = fields["Expect"], expect.lowercased() != "100-continue" {
            throw Refusal(status: 417, detail: "The server meets no expectation but 100-continue.")
        }
        return fields
    }

    private func checkSize(_ head: RawHead) throws(Refusal) {
        guard head.fields.count <= headFields else {
            throw Refusal(status: 431, detail: "The request has more than \(headFields) header fields.")
        }
        let lines = head.fields.reduce(0) { $0 + $1.name.utf8.count + $1.value.utf8.count + 4 }
        guard lines + head.target.utf8.count + head.method.utf8.count <= headBytes else {
            throw Refusal(status: 431, detail: "The request's head has more than \(headBytes) bytes.")
        }
    }

    /// And trims the value.
    private static func check(_ field: inout (name: String, value: String)) throws(Refusal) {
        // A space before the colon, a folded line and a line without a name all end here.
        guard !field.name.isEmpty, field.name.utf8.allSatisfy(FieldScanner.isTokenByte) else {
            throw .malformed("A header field's name is no token.")
        }
        guard field.value.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f || $0 == 0x09 }) else {
            throw .malformed("The header field \(field.name) holds a control character.")
        }
        guard field.value.isStreamSafe else {
            throw .malformed("The header field \(field.name) holds more than 30 combining marks in a row.")
        }
        trim(&field.value)
    }

    private static func checkHost(_ fields: HTTPFields, version: String) throws(Refusal) {
        let hosts = fields.all("Host")
        guard hosts.count == 1 || hosts.isEmpty && version == "HTTP/1.0" else {
            throw .malformed("The request needs one Host field.")
        }
        guard hosts.allSatisfy({ $0.utf8.allSatisfy(isHostByte) }) else {
            throw .malformed("The Host field is no host.")
        }
    }

    /// How long the body is must have one answer (RFC 9112 §6).
    private static func checkFraming(_ fields: HTTPFields, version: String) throws(Refusal) {
        let lengths = fields.all("Content-Length")
        let codings = fields.all("Transfer-Encoding")
        guard lengths.isEmpty || codings.isEmpty else {
            throw .malformed("A request has either Content-Length or Transfer-Encoding.")
        }
        guard lengths.count <= 1, codings.count <= 1 else {
            throw .malformed("Content-Length and Transfer-Encoding come once.")
        }
        if let length = lengths.first {
            // 18 digits always fit.
            guard (1...18).contains(length.utf8.count), length.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
                throw .malformed("Content-Length is no number of bytes.")
            }
        }
        if let coding = codings.first {
            guard coding.lowercased() == "chunked", version == "HTTP/1.1" else {
                throw .malformed("The only Transfer-Encoding that the server takes is chunked, in HTTP/1.1.")
            }
        }
    }

    private static func isHostByte(_ byte: UInt8) -> Bool { hostBytes.contains(byte) }

    private static let hostBytes = ASCIISet.alphanumerics.union("[]:!$%&'*+-._~")

    private static func trim(_ value: inout String) {
        let isSpace = { (byte: UInt8) in byte == 0x20 || byte == 0x09 }
        guard let first = value.utf8.first, let last = value.utf8.last, isSpace(first) || isSpace(last) else { return }
        var text = value.utf8.drop(while: isSpace)
        while let last = text.last, isSpace(last) { text.removeLast() }
        value = String(Substring(text))
    }
}
