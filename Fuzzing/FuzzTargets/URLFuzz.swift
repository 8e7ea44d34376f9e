import CCurl
import HTTPServer
import Jobs
import TrackingAPI

/// A line each: whom to call back, as a URL; a query; the place in a list.
enum URLFuzz {
    static func run(_ bytes: [UInt8]) {
        let lines = bytes.lines
        if let url = try? WebhookURL(lines[0]) { check(url) }
        if lines.count > 1 { checkQuery(lines[1]) }
        if lines.count > 2, let id = Cursor.id(lines[2]) {
            precondition(Cursor.id(Cursor.text(id)) == id, "a cursor is not read as it is written")
        }
    }

    /// libcurl, which makes the connection, must find the same host in it: addresses are checked before.
    private static func check(_ url: WebhookURL) {
        precondition(!url.host.isEmpty && url.port > 0, "nobody to call")
        let host = url.address.map { $0.bytes.count == 16 ? "[\($0)]" : $0.description } ?? url.host
        let plain = try? WebhookURL("\(url.isSecure ? "https" : "http")://\(host):\(url.port)/")
        precondition(plain?.host == url.host && plain?.address == url.address, "the host is not read as it is written")
        if let address = url.address { _ = AddressPolicy().refusal(of: address) }
        let handle = curl_url()
        defer { curl_url_cleanup(handle) }
        guard curl_url_set(handle, CURLUPART_URL, url.text, 0) == CURLUE_OK else { return }
        let (found, port) = (part(CURLUPART_HOST, of: handle), part(CURLUPART_PORT, of: handle))
        let inner = found.hasPrefix("[") ? String(found.dropFirst().dropLast()) : found
        precondition(
            url.address.map { IPAddress(inner) == $0 } ?? (found.lowercased() == url.host), "libcurl finds another host"
        )
        precondition(port == String(url.port), "libcurl finds another port")
        precondition(part(CURLUPART_SCHEME, of: handle) == (url.isSecure ? "https" : "http"), "another scheme")
    }

    private static func part(_ part: CURLUPart, of handle: OpaquePointer?) -> String {
        var text: UnsafeMutablePointer<CChar>?
        guard curl_url_get(handle, part, &text, UInt32(CURLU_DEFAULT_PORT)) == CURLUE_OK, let text else { return "" }
        defer { curl_free(text) }
        return String(cString: text)
    }

    private static func checkQuery(_ query: String) {
        guard let pairs = pairs(query) else { return }
        let text = pairs.map { "\(ClientText.percentEncoded($0.name))=\(ClientText.percentEncoded($0.value))" }
        let again = Self.pairs(text.joined(separator: "&"))
        precondition(
            again?.elementsEqual(pairs) {
                $0.name.utf8.elementsEqual($1.name.utf8) && $0.value.utf8.elementsEqual($1.value.utf8)
            } == true, "a query is not read as it is written")
    }

    private static func pairs(_ query: String) -> [(name: String, value: String)]? {
        let head = RawHead(
            method: "GET", target: "/v1/jobs?\(query)", version: "HTTP/1.1", fields: [("Host", "localhost")])
        // What is written again may be three times as long.
        let guardian = ProtocolGuard(headBytes: 64 * 1024, headFields: 100, targetBytes: 32 * 1024)
        return try? guardian.request(head, remoteAddress: "127.0.0.1", id: "fuzz").query
    }
}
