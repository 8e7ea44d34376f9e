import CCurl
import Jobs

/// One transfer of libcurl's and what it asks while it runs. Used by the thread that runs it.
final class CurlTransfer {
    /// Bytes of a head and of a body that are read; nobody wants to know what is in them.
    private static let headLimit = 64 * 1024
    private static let bodyLimit = 64 * 1024

    private let allowed: [IPAddress]
    private let isInterrupted: @Sendable () -> Bool
    private var headBytes = 0
    private var bodyBytes = 0
    /// Whether the head of a final answer has come as a whole.
    private var hasHead = false
    private var wasRefused = false
    private var wasInterrupted = false

    init(allowed: [IPAddress], isInterrupted: @escaping @Sendable () -> Bool) {
        self.allowed = allowed
        self.isInterrupted = isInterrupted
    }

    /// Runs the transfer to its end.
    func run(_ curl: UnsafeMutableRawPointer) -> WebhookAnswer {
        var callbacks = lk_curl_callbacks(
            context: Unmanaged.passUnretained(self).toOpaque(),
            may_connect: { context, bytes, count in
                guard let transfer = CurlTransfer.of(context), let bytes else { return 0 }
                return transfer.mayConnect(Array(UnsafeBufferPointer(start: bytes, count: count))) ? 1 : 0
            },
            head: { bytes, size, count, context in
                guard let transfer = CurlTransfer.of(context) else { return 0 }
                return transfer.takeHead(UnsafeRawBufferPointer(start: bytes, count: size * count))
            },
            body: { _, size, count, context in
                guard let transfer = CurlTransfer.of(context) else { return 0 }
                return transfer.takeBody(size * count)
            },
            progress: { context, _, _, _, _ in
                guard let transfer = CurlTransfer.of(context) else { return 1 }
                return transfer.shouldEnd() ? 1 : 0
            })
        return withExtendedLifetime(self) {
            withUnsafeMutablePointer(to: &callbacks) { callbacks in
                withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(CURL_ERROR_SIZE)) { text in
                    text.initialize(repeating: 0)
                    var code = lk_curl_set_callbacks(curl, callbacks)
                    if code == CURLE_OK { code = lk_curl_set_error_text(curl, text.baseAddress) }
                    if code == CURLE_OK { code = curl_easy_perform(curl) }
                    return answer(curl, code, text)
                }
            }
        }
    }

    /// What the receiver has answered stands, also where its body was cut off, by us or by it.
    private func answer(
        _ curl: UnsafeMutableRawPointer, _ code: CURLcode, _ text: UnsafeMutableBufferPointer<CChar>
    ) -> WebhookAnswer {
        let status = lk_curl_status(curl)
        if (code == CURLE_OK || hasHead) && status >= 200 {
            let seconds = lk_curl_retry_after(curl)
            return .status(status, retryAfter: seconds > 0 ? Double(seconds) : nil)
        }
        if wasInterrupted { return .interrupted }
        if wasRefused { return .unreachable("the connection would have gone to an address that was not checked") }
        let message = text.baseAddress.map { String(cString: $0) } ?? ""
        return .unreachable(message.isEmpty ? String(cString: curl_easy_strerror(code)) : message)
    }

    // MARK: Callbacks

    private static func of(_ context: UnsafeMutableRawPointer?) -> CurlTransfer? {
        context.map { Unmanaged<CurlTransfer>.fromOpaque($0).takeUnretainedValue() }
    }

    /// The second look, right before a socket is opened: whatever libcurl made of the URL, nothing else is reached.
    private func mayConnect(_ bytes: [UInt8]) -> Bool {
        let isAllowed = IPAddress(bytes: bytes).map(allowed.contains) ?? false
        if !isAllowed { wasRefused = true }
        return isAllowed
    }

    /// A line of a head. Heads of informational answers may come before that of the final one.
    private func takeHead(_ line: UnsafeRawBufferPointer) -> Int {
        headBytes += line.count
        guard headBytes <= Self.headLimit else { return 0 }
        let isEnd = line.count <= 2 && line.allSatisfy { $0 == UInt8(ascii: "\r") || $0 == UInt8(ascii: "\n") }
        if isEnd { hasHead = true } else if line.starts(with: "HTTP/".utf8) { hasHead = false }
        return line.count
    }

    private func takeBody(_ count: Int) -> Int {
        bodyBytes += count
        return bodyBytes <= Self.bodyLimit ? count : 0
    }

    private func shouldEnd() -> Bool {
        if isInterrupted() { wasInterrupted = true }
        return wasInterrupted
    }
}
