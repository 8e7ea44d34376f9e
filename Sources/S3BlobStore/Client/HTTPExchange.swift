import CCurl
import Foundation
import Synchronization

/// What is sent.
struct HTTPMessage {
    var method: String
    var url: String
    var fields: [(name: String, value: String)] = []
    var body: Payload = .none
    /// Seconds in which not a byte moves, after which the exchange is given up.
    var stallSeconds = 30
    /// For servers that are beside this one or not at all: no proxy is asked for them.
    var isLocal = false
    /// Seconds for all of it; `nil`: as long as something moves.
    var seconds: Double?
}

/// What came back.
struct HTTPReply: Sendable {
    var status: Int
    /// Names in lower case.
    var fields: [String: String] = [:]
    /// Empty where a sink took it.
    var body: [UInt8] = []
}

/// Takes the body of an answer whose status is 2xx, piece by piece.
typealias HTTPSink = (UnsafeRawBufferPointer) throws -> Void

/// There was no answer, or not all of it.
struct HTTPFailure: Error {
    var message: String
    /// Whether the same again may end better.
    var isPassing: Bool
}

/// Handles of libcurl's with their connections, which are kept for the next requests.
final class HTTPConnections: Sendable {
    /// Sent by ``HTTPConnections`` to one thread at a time.
    private struct Handle: @unchecked Sendable { let curl: UnsafeMutableRawPointer }

    private static let mostKept = 16
    private static let isReady = curl_global_init(Int(CURL_GLOBAL_ALL)) == CURLE_OK

    private let idle = Mutex<[Handle]>([])
    private let options: Options

    struct Options: Sendable {
        var connectSeconds = 5.0
        /// PEM, in place of the system's.
        var certificatesFile: String?
        var userAgent = "lktrack"
    }

    init(_ options: Options) { self.options = options }

    deinit {
        for handle in idle.withLock({ $0 }) { curl_easy_cleanup(handle.curl) }
    }

    /// Blocks until the answer is there.
    ///
    /// - Parameter sink: without one the body is in the answer, if it has no more than ``HTTPExchange/bodyLimit`` bytes.
    /// - Throws: ``HTTPFailure``; what the sink throws, and what reading the body throws.
    func exchange(_ message: HTTPMessage, sink: HTTPSink? = nil) throws -> HTTPReply {
        guard Self.isReady, let handle = idle.withLock({ $0.popLast() }) ?? curl_easy_init().map(Handle.init) else {
            throw HTTPFailure(message: "libcurl does not start", isPassing: false)
        }
        defer { keep(handle) }
        let lines = message.fields.map { "\($0.name): \($0.value)" }
        // Without a value: not sent. A body would wait for a `100 Continue`.
        let list = (lines + ["Expect:"]).reduce(nil) { curl_slist_append($0, $1) ?? $0 }
        defer { curl_slist_free_all(list) }
        var code = configure(handle.curl, message)
        if code == CURLE_OK { code = lk_curl_set_list(handle.curl, CURLOPT_HTTPHEADER, list) }
        guard code == CURLE_OK else {
            throw HTTPFailure(message: String(cString: curl_easy_strerror(code)), isPassing: false)
        }
        return try HTTPExchange(message.body, sink: sink).run(handle.curl)
    }

    private func keep(_ handle: Handle) {
        // Keeps connections, names that were looked up and sessions of TLS.
        curl_easy_reset(handle.curl)
        let isKept = idle.withLock { idle in
            guard idle.count < Self.mostKept else { return false }
            idle.append(handle)
            return true
        }
        if !isKept { curl_easy_cleanup(handle.curl) }
    }

    private func configure(_ curl: UnsafeMutableRawPointer, _ message: HTTPMessage) -> CURLcode {
        var texts: [(CURLoption, String)] = [
            (CURLOPT_URL, message.url), (CURLOPT_PROTOCOLS_STR, "https,http"), (CURLOPT_USERAGENT, options.userAgent),
        ]
        if let file = options.certificatesFile { texts.append((CURLOPT_CAINFO, file)) }
        if message.isLocal { texts += [(CURLOPT_PROXY, ""), (CURLOPT_NOPROXY, "*")] }
        var numbers: [(CURLoption, Int)] = [
            // Keys are what they are: `a/../b` is an object like any other.
            (CURLOPT_PATH_AS_IS, 1),
            (CURLOPT_FOLLOWLOCATION, 0), (CURLOPT_NETRC, 0), (CURLOPT_NOSIGNAL, 1), (CURLOPT_HTTP09_ALLOWED, 0),
            (CURLOPT_SSL_VERIFYPEER, 1), (CURLOPT_SSL_VERIFYHOST, 2),
            (CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2)),
            (CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1)), (CURLOPT_TCP_KEEPALIVE, 1),
            (CURLOPT_CONNECTTIMEOUT_MS, Int(options.connectSeconds * 1000)),
            (CURLOPT_LOW_SPEED_LIMIT, 1), (CURLOPT_LOW_SPEED_TIME, message.stallSeconds),
            (CURLOPT_BUFFERSIZE, 256 << 10), (CURLOPT_UPLOAD_BUFFERSIZE, 256 << 10),
        ]
        if let seconds = message.seconds { numbers.append((CURLOPT_TIMEOUT_MS, Int(seconds * 1000))) }
        var sizes: [(CURLoption, Int64)] = []
        switch message.method {
        case "GET": numbers.append((CURLOPT_HTTPGET, 1))
        case "HEAD": numbers.append((CURLOPT_NOBODY, 1))
        case "DELETE": texts.append((CURLOPT_CUSTOMREQUEST, "DELETE"))
        default:
            // Also for POST: libcurl's own would say that a form comes.
            numbers.append((CURLOPT_UPLOAD, 1))
            texts.append((CURLOPT_CUSTOMREQUEST, message.method))
            sizes.append((CURLOPT_INFILESIZE_LARGE, message.body.count))
        }
        for (option, text) in texts {
            let code = lk_curl_set_text(curl, option, text)
            if code != CURLE_OK { return code }
        }
        for (option, number) in numbers {
            let code = lk_curl_set_long(curl, option, number)
            if code != CURLE_OK { return code }
        }
        for (option, size) in sizes {
            let code = lk_curl_set_size(curl, option, size)
            if code != CURLE_OK { return code }
        }
        return CURLE_OK
    }
}

/// One transfer of libcurl's. Used by the thread that runs it.
final class HTTPExchange {
    /// Answers that are kept in memory: a list of a thousand keys has some 500 KiB.
    static let bodyLimit = 16 << 20
    private static let headLimit = 64 << 10

    private let payload: Payload
    private let sink: HTTPSink?
    private var sent: Int64 = 0
    private var reply = HTTPReply(status: 0)
    private var headBytes = 0
    /// What ended the transfer on our side.
    private var failure: (any Error)?

    init(_ payload: Payload, sink: HTTPSink?) {
        self.payload = payload
        self.sink = sink
    }

    func run(_ curl: UnsafeMutableRawPointer) throws -> HTTPReply {
        var callbacks = lk_curl_exchange(
            context: Unmanaged.passUnretained(self).toOpaque(),
            head: { bytes, size, count, context in
                HTTPExchange.of(context).takeHead(UnsafeRawBufferPointer(start: bytes, count: size * count))
            },
            body: { bytes, size, count, context in
                HTTPExchange.of(context).takeBody(UnsafeRawBufferPointer(start: bytes, count: size * count))
            },
            read: { bytes, size, count, context in
                HTTPExchange.of(context).give(UnsafeMutableRawBufferPointer(start: bytes, count: size * count))
            },
            seek: { context, offset, origin in
                guard origin == SEEK_SET else { return CURL_SEEKFUNC_CANTSEEK }
                HTTPExchange.of(context).sent = Int64(offset)
                return CURL_SEEKFUNC_OK
            })
        return try withExtendedLifetime(self) {
            try withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(CURL_ERROR_SIZE)) { text in
                text.initialize(repeating: 0)
                var code = lk_curl_set_exchange(curl, &callbacks)
                if code == CURLE_OK { code = lk_curl_set_error_text(curl, text.baseAddress) }
                if code == CURLE_OK { code = curl_easy_perform(curl) }
                if let failure { throw failure }
                guard code == CURLE_OK else {
                    let message = text.baseAddress.map { String(cString: $0) } ?? ""
                    throw HTTPFailure(
                        message: message.isEmpty ? String(cString: curl_easy_strerror(code)) : message,
                        isPassing: Self.passing.contains(code.rawValue))
                }
                reply.status = lk_curl_status(curl)
                return reply
            }
        }
    }

    /// Names that are not found, connections that are refused, lost or stall. Not so certificates.
    private static let passing: Set<UInt32> = Set(
        [
            CURLE_COULDNT_RESOLVE_PROXY, CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_CONNECT, CURLE_PARTIAL_FILE,
            CURLE_OPERATION_TIMEDOUT, CURLE_SSL_CONNECT_ERROR, CURLE_GOT_NOTHING, CURLE_SEND_ERROR, CURLE_RECV_ERROR,
            CURLE_SEND_FAIL_REWIND, CURLE_HTTP2, CURLE_HTTP2_STREAM, CURLE_WEIRD_SERVER_REPLY,
        ].map(\.rawValue))

    // MARK: Callbacks

    private static func of(_ context: UnsafeMutableRawPointer?) -> HTTPExchange {
        // Set together with the callbacks, to the exchange that runs the transfer.
        Unmanaged<HTTPExchange>.fromOpaque(context!).takeUnretainedValue()
    }

    /// A line of a head. That of a final answer may come after those of informational ones.
    private func takeHead(_ line: UnsafeRawBufferPointer) -> Int {
        headBytes += line.count
        guard headBytes <= Self.headLimit else { return 0 }
        let text = String(decoding: line, as: UTF8.self)
        if text.hasPrefix("HTTP/") {
            let parts = text.split(separator: " ")
            reply = HTTPReply(status: parts.count > 1 ? Int(parts[1].prefix { $0.isNumber }) ?? 0 : 0)
        } else if let colon = text.firstIndex(of: ":") {
            let value = text[text.index(after: colon)...]
            reply.fields[text[..<colon].lowercased()] = value.trimmingWhiteSpace
        }
        return line.count
    }

    private func takeBody(_ bytes: UnsafeRawBufferPointer) -> Int {
        do {
            if let sink, (200..<300).contains(reply.status) {
                try sink(bytes)
            } else {
                guard reply.body.count + bytes.count <= Self.bodyLimit else {
                    throw HTTPFailure(message: "the answer has more than \(Self.bodyLimit) bytes", isPassing: false)
                }
                reply.body.append(contentsOf: bytes)
            }
            return bytes.count
        } catch {
            failure = error
            return 0
        }
    }

    private func give(_ buffer: UnsafeMutableRawBufferPointer) -> Int {
        do {
            let count = try payload.read(into: buffer, at: sent)
            sent += Int64(count)
            return count
        } catch {
            failure = error
            return Int(CURL_READFUNC_ABORT)
        }
    }
}

extension Substring {
    fileprivate var trimmingWhiteSpace: String {
        let isWhite: (Character) -> Bool = { $0 == " " || $0 == "\t" || $0.isNewline }
        return String(drop(while: isWhite).reversed().drop(while: isWhite).reversed())
    }
}
