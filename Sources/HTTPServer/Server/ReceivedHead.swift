import CMicroHTTPD
import Glibc

/// A request's head as it lies in libmicrohttpd's buffer. Good until the daemon's first call for the request is over.
struct ReceivedHead {
    private let connection: OpaquePointer
    private let method: UnsafePointer<CChar>
    private let version: UnsafePointer<CChar>
    let target: String
    private let isCanonical: Bool
    /// All of it in one piece; empty where it is not known to lie like that.
    let bytes: UnsafeRawBufferPointer

    /// - Parameter targetPointer: where the target lies.
    init(
        _ connection: OpaquePointer, method: UnsafePointer<CChar>, version: UnsafePointer<CChar>, target: String,
        targetPointer: UnsafePointer<CChar>
    ) {
        self.connection = connection
        self.method = method
        self.version = version
        self.target = target
        var size = 0
        isCanonical = lk_mhd_head_is_canonical(
            connection, method, targetPointer, target.utf8.count, version, &size)
        bytes = UnsafeRawBufferPointer(start: method, count: isCanonical ? size : 0)
    }

    /// Takes it apart, as libmicrohttpd has split it.
    func read() -> RawHead {
        var head = RawHead(
            method: String(cString: method), target: target, version: String(cString: version), fields: [],
            isCanonical: isCanonical)
        withUnsafeMutablePointer(to: &head.fields) { fields in
            _ = MHD_get_connection_values_n(
                connection, .HEADER_KIND,
                { context, _, name, nameSize, value, valueSize in
                    guard let context, let name else { return .NO }
                    let fields = context.assumingMemoryBound(to: [(name: String, value: String)].self)
                    fields.pointee.append((ReceivedHead.text(name, nameSize), ReceivedHead.text(value, valueSize)))
                    return .YES
                }, fields)
        }
        return head
    }

    private static func text(_ bytes: UnsafePointer<CChar>?, _ count: Int) -> String {
        String(decoding: UnsafeRawBufferPointer(start: bytes, count: bytes == nil ? 0 : count), as: UTF8.self)
    }
}

/// A head that was taken apart and found good, and what it came to. Clients that ask again and again over a connection
/// mostly send the same bytes.
final class KnownHead: Sendable {
    /// Longer ones are not kept: there may be thousands of connections.
    private static let mostBytes = 1024

    private let bytes: [UInt8]
    /// As the client sent it: `HEAD`, not `GET`.
    let method: String
    /// The client's own name for it.
    let sentID: String?
    /// Under the name of the first that had this head.
    let request: HTTPRequest
    let trace: TraceContext?
    /// Whether the client waits for 100 (Continue) before it sends the body.
    let expectsContinue: Bool
    /// Whether only its end tells how long the body is.
    let isChunked: Bool
    /// Of the body; `nil` where only its end tells.
    let length: Int64?

    init(_ received: ReceivedHead, method: String, sentID: String?, request: HTTPRequest) {
        bytes = (1...Self.mostBytes).contains(received.bytes.count) ? Array(received.bytes) : []
        self.method = method
        self.sentID = sentID
        self.request = request
        trace = request.trace
        expectsContinue = request.fields["Expect"] != nil
        isChunked = request.fields["Transfer-Encoding"] != nil
        length = isChunked ? nil : request.contentLength ?? 0
    }

    var isWorthKeeping: Bool { !bytes.isEmpty }

    /// Whether these are the same bytes, which libmicrohttpd has split in the same way. In its buffer the target's query is
    /// not whole any more.
    func fits(_ received: ReceivedHead) -> Bool {
        guard received.target == request.target, received.bytes.count == bytes.count,
            let start = received.bytes.baseAddress
        else { return false }
        return memcmp(bytes, start, bytes.count) == 0
    }
}
