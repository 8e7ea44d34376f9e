import CMicroHTTPD

/// A response as libmicrohttpd holds it.
///
/// To make one costs some twenty allocations, and clients mostly get the answer that they got before: a connection keeps
/// its last one, which goes out again under another name.
struct DaemonResponse: ~Copyable, @unchecked Sendable {
    // @unchecked Sendable: there is one of each, and it is used on its connection's thread only.

    /// Of the body, where libmicrohttpd has a copy of it and asks for no piece; else `nil`.
    let copiedBytes: Int64?
    private let response: OpaquePointer
    private let original: HTTPResponse
    private let status: Int
    private var requestID: String

    /// Larger bodies are read where they are instead.
    private static let longestCopy = 32 * 1024
    /// Of a body that a connection keeps: there may be thousands.
    private static let longestKept = 4 * 1024

    /// - Parameters:
    ///   - prepared: what goes out.
    ///   - original: what that was made of.
    init?(_ prepared: PreparedResponse, of original: HTTPResponse, requestID: String, exchange: Exchange) {
        var copiedBytes: Int64?
        let made: OpaquePointer?
        switch prepared.body {
        case .empty:
            copiedBytes = 0
            made = MHD_create_response_from_buffer(0, nil, .RESPMEM_PERSISTENT)
        case .bytes(let bytes) where bytes.count <= Self.longestCopy:
            copiedBytes = Int64(bytes.count)
            made = bytes.withUnsafeBytes {
                // RESPMEM_MUST_COPY only reads.
                MHD_create_response_from_buffer(
                    $0.count, UnsafeMutableRawPointer(mutating: $0.baseAddress), .RESPMEM_MUST_COPY)
            }
        case .bytes(let bytes):
            made = BodyReader(.bytes(bytes), exchange: exchange).makeResponse(count: Int64(bytes.count))
        case .stream(let stream):
            made = BodyReader(.stream(stream), exchange: exchange).makeResponse(count: stream.count)
        }
        guard let made else { return nil }
        guard prepared.fields.allSatisfy({ Self.call(MHD_add_response_header, made, $0.name, $0.value) }) else {
            MHD_destroy_response(made)
            return nil
        }
        self.copiedBytes = copiedBytes
        response = made
        self.original = original
        status = prepared.status
        self.requestID = requestID
    }

    /// Whether the same response may be asked for again, and does not take much to keep.
    var isWorthKeeping: Bool { copiedBytes.map { $0 <= Self.longestKept } ?? false }

    /// Makes it the answer to another request, where it is made of the same response. Nothing of it may be on its way.
    mutating func becomesAnswer(_ response: HTTPResponse, to requestID: String) -> Bool {
        guard original.isSame(as: response),
            Self.call(MHD_del_response_header, self.response, PreparedResponse.requestIDField, self.requestID),
            Self.call(MHD_add_response_header, self.response, PreparedResponse.requestIDField, requestID)
        else { return false }
        self.requestID = requestID
        return true
    }

    private typealias FieldFunction =
        (OpaquePointer?, UnsafePointer<CChar>?, UnsafePointer<CChar>?) -> MHD_Result

    /// libmicrohttpd keeps neither text, so that they lie on the stack: handed over as they are, Swift would copy short ones
    /// to the heap.
    private static func call(
        _ function: FieldFunction, _ response: OpaquePointer, _ name: String, _ value: String
    ) -> Bool {
        let (nameCount, valueCount) = (name.utf8.count, value.utf8.count)
        return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: nameCount + valueCount + 2) { texts in
            _ = texts.initialize(from: name.utf8)
            texts[nameCount] = 0
            _ = UnsafeMutableBufferPointer(rebasing: texts[(nameCount + 1)...]).initialize(from: value.utf8)
            texts[nameCount + 1 + valueCount] = 0
            return texts.withMemoryRebound(to: CChar.self) { texts in
                guard let start = texts.baseAddress else { return false }
                return function(response, start, start + nameCount + 1) == .YES
            }
        }
    }

    deinit { MHD_destroy_response(response) }

    /// False where libmicrohttpd takes no response now; the connection is closed then.
    func queue(on connection: Connection) -> Bool {
        MHD_queue_response(connection.handle.pointer, UInt32(clamping: status), response) == .YES
    }
}
