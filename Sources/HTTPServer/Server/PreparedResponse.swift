import CMicroHTTPD

/// A response with its fields as they go out.
struct PreparedResponse {
    let status: Int
    /// With ``requestIDField``.
    let fields: [(name: String, value: String)]
    /// Empty where the status or the method forbids one.
    let body: HTTPBody

    static let requestIDField = "X-Request-Id"

    /// Set by the server or by libmicrohttpd, whatever the application says.
    private static let reserved = [
        "connection", "content-length", "date", "keep-alive", "transfer-encoding", "x-request-id",
    ]

    private static func isReserved(_ name: String) -> Bool { reserved.contains { HTTPFields.equal($0, name) } }

    /// `nil` where a field is none: a line break in a value would be the start of another field, or of another response.
    init?(_ response: HTTPResponse, requestID: String, closes: Bool) {
        guard (200...999).contains(response.status) else { return nil }
        var fields: [(name: String, value: String)] = []
        fields.reserveCapacity(response.fields.fields.count + 2)
        for field in response.fields.fields where !Self.isReserved(field.name) {
            guard !field.name.isEmpty, field.name.utf8.allSatisfy(FieldScanner.isTokenByte),
                field.value.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f })
            else { return nil }
            // libmicrohttpd cannot send an empty value, and an absent field says the same.
            if !field.value.isEmpty { fields.append(field) }
        }
        fields.append((Self.requestIDField, requestID))
        if closes { fields.append(("Connection", "close")) }
        self.fields = fields
        status = response.status
        body = Self.allowsBody(status) ? response.body : .empty
    }

    /// Only a status.
    init(bare status: Int, requestID: String, closes: Bool) {
        self.status = status
        fields = [(Self.requestIDField, requestID)] + (closes ? [("Connection", "close")] : [])
        body = .empty
    }

    /// RFC 9110 §6.4.1.
    static func allowsBody(_ status: Int) -> Bool { status != 204 && status != 304 && status >= 200 }

    /// The whole response as it goes over the wire (RFC 9112 §4), for a connection that is closed after it.
    /// - Returns: `nil` where the body's stream fails, or has more bytes than that.
    func serialized(date: Int64, withBody: Bool, maximumBody: Int) -> [UInt8]? {
        guard let content = Self.bytes(of: body, maximum: maximumBody) else { return nil }
        let reason = MHD_get_reason_phrase_for(UInt32(clamping: status)).map { String(cString: $0) } ?? ""
        var head = "HTTP/1.1 \(status) \(reason)\r\nDate: \(HTTPDate.format(date))\r\n"
        if Self.allowsBody(status) { head += "Content-Length: \(content.count)\r\n" }
        for field in fields { head += "\(field.name): \(field.value)\r\n" }
        return Array((head + "\r\n").utf8) + (withBody ? content : [])
    }

    private static func bytes(of body: HTTPBody, maximum: Int) -> [UInt8]? {
        switch body {
        case .empty: return []
        case .bytes(let bytes): return bytes.count <= maximum ? bytes : nil
        case .stream(let stream):
            var bytes = [UInt8](repeating: 0, count: maximum)
            var count = 0
            while count < maximum {
                let read = try? bytes.withUnsafeMutableBytes { buffer in
                    try stream.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[count...]))
                }
                guard let read else { return nil }
                guard read > 0 else { return Array(bytes[..<count]) }
                count += min(read, maximum - count)
            }
            return nil
        }
    }
}
