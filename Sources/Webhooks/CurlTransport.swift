import CCurl
import Jobs

/// Sends with libcurl: one connection for each message, no redirects, no proxy, nothing kept between messages.
public struct CurlTransport: WebhookTransport {
    private let configuration: WebhookConfiguration

    private static let isReady = curl_global_init(Int(CURL_GLOBAL_ALL)) == CURLE_OK

    public init(_ configuration: WebhookConfiguration) { self.configuration = configuration }

    public func send(
        _ request: WebhookRequest, to addresses: [IPAddress], isInterrupted: @escaping @Sendable () -> Bool
    ) -> WebhookAnswer {
        guard Self.isReady, let curl = curl_easy_init() else { return .unreachable("libcurl does not start") }
        defer { curl_easy_cleanup(curl) }
        let transfer = CurlTransfer(allowed: addresses, isInterrupted: isInterrupted)
        // Both live until the transfer has ended.
        let fields = Self.list(self.fields(request))
        defer { curl_slist_free_all(fields) }
        let pins = Self.list([Self.pin(request.url, addresses)].compactMap { $0 })
        defer { curl_slist_free_all(pins) }
        var code = configure(curl, request.url)
        if code == CURLE_OK { code = lk_curl_set_list(curl, CURLOPT_HTTPHEADER, fields) }
        if code == CURLE_OK && pins != nil { code = lk_curl_set_list(curl, CURLOPT_RESOLVE, pins) }
        guard code == CURLE_OK else { return .unreachable(String(cString: curl_easy_strerror(code))) }
        return request.body.withUnsafeBytes { body in
            let code = lk_curl_set_body(curl, body.baseAddress, body.count)
            guard code == CURLE_OK else { return .unreachable(String(cString: curl_easy_strerror(code))) }
            return transfer.run(curl)
        }
    }

    /// Every option that keeps the transfer where it belongs. The first that libcurl does not take ends it.
    private func configure(_ curl: UnsafeMutableRawPointer, _ url: WebhookURL) -> CURLcode {
        let protocols = configuration.allowsHTTP ? "https,http" : "https"
        var texts: [(CURLoption, String)] = [
            (CURLOPT_URL, url.text), (CURLOPT_PROTOCOLS_STR, protocols), (CURLOPT_REDIR_PROTOCOLS_STR, "https"),
            // Set and empty: none, whatever the environment says.
            (CURLOPT_PROXY, ""), (CURLOPT_NOPROXY, "*"),
            (CURLOPT_USERAGENT, "lktrack/\(configuration.version)"),
        ]
        if let file = configuration.certificatesFile { texts.append((CURLOPT_CAINFO, file)) }
        let numbers: [(CURLoption, Int)] = [
            (CURLOPT_FOLLOWLOCATION, 0), (CURLOPT_DISALLOW_USERNAME_IN_URL, 1), (CURLOPT_NETRC, 0),
            (CURLOPT_SSL_VERIFYPEER, 1), (CURLOPT_SSL_VERIFYHOST, 2),
            (CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2)),
            (CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1)), (CURLOPT_HTTP09_ALLOWED, 0),
            (CURLOPT_NOSIGNAL, 1), (CURLOPT_FRESH_CONNECT, 1), (CURLOPT_FORBID_REUSE, 1),
            (CURLOPT_CONNECTTIMEOUT_MS, Int(configuration.connectSeconds * 1000)),
            (CURLOPT_TIMEOUT_MS, Int(configuration.totalSeconds * 1000)),
        ]
        for (option, text) in texts {
            let code = lk_curl_set_text(curl, option, text)
            if code != CURLE_OK { return code }
        }
        for (option, number) in numbers {
            let code = lk_curl_set_long(curl, option, number)
            if code != CURLE_OK { return code }
        }
        return CURLE_OK
    }

    private func fields(_ request: WebhookRequest) -> [String] {
        request.fields.map { "\($0.name): \($0.value)" } + [
            "Content-Type: application/json",
            // Without a value: not sent. Otherwise long bodies would wait for a `100 Continue`.
            "Expect:", "Accept: */*",
        ]
    }

    /// libcurl looks up no name that stands here. An address is no name, and is held to by ``CurlTransfer`` alone.
    private static func pin(_ url: WebhookURL, _ addresses: [IPAddress]) -> String? {
        guard url.address == nil else { return nil }
        let texts = addresses.map { $0.bytes.count == 4 ? $0.description : "[\($0)]" }
        return "\(url.host):\(url.port):\(texts.joined(separator: ","))"
    }

    private static func list(_ lines: [String]) -> UnsafeMutablePointer<curl_slist>? {
        lines.reduce(nil) { list, line in curl_slist_append(list, line) ?? list }
    }
}
