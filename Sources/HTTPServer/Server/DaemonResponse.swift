import CMicroHTTPD

/// A response as libmicrohttpd holds it.
struct DaemonResponse: ~Copyable {
    /// Whether libmicrohttpd has a copy of the whole body and asks for no piece of it.
    let isCopied: Bool
    private let response: OpaquePointer

    /// Larger bodies are read where they are instead.
    private static let longestCopy = 32 * 1024

    /// - Parameter source: `nil` for no body.
    init?(
        _ source: BodyReader.Source?, count: Int64?, fields: [(name: String, value: String)], exchange: Exchange
    ) {
        let isCopied: Bool
        let made: OpaquePointer?
        switch source {
        case nil:
            isCopied = true
            made = MHD_create_response_from_buffer(0, nil, .RESPMEM_PERSISTENT)
        case .bytes(let bytes) where bytes.count <= Self.longestCopy:
            isCopied = true
            made = bytes.withUnsafeBytes {
                // RESPMEM_MUST_COPY only reads.
                MHD_create_response_from_buffer(
                    $0.count, UnsafeMutableRawPointer(mutating: $0.baseAddress), .RESPMEM_MUST_COPY)
            }
        case .some(let source):
            isCopied = false
            made = BodyReader(source, exchange: exchange).makeResponse(count: count)
        }
        guard let made else { return nil }
        guard fields.allSatisfy({ Self.add($0.name, $0.value, to: made) }) else {
            MHD_destroy_response(made)
            return nil
        }
        self.isCopied = isCopied
        response = made
    }

    /// libmicrohttpd copies both texts, which lie on the stack meanwhile: handed over as they are, Swift would copy short
    /// ones to the heap.
    private static func add(_ name: String, _ value: String, to response: OpaquePointer) -> Bool {
        let (nameCount, valueCount) = (name.utf8.count, value.utf8.count)
        return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: nameCount + valueCount + 2) { texts in
            _ = texts.initialize(from: name.utf8)
            texts[nameCount] = 0
            _ = UnsafeMutableBufferPointer(rebasing: texts[(nameCount + 1)...]).initialize(from: value.utf8)
            texts[nameCount + 1 + valueCount] = 0
            return texts.withMemoryRebound(to: CChar.self) { texts in
                guard let start = texts.baseAddress else { return false }
                return MHD_add_response_header(response, start, start + nameCount + 1) == .YES
            }
        }
    }

    deinit { MHD_destroy_response(response) }

    /// False where libmicrohttpd takes no response now; the connection is closed then.
    func queue(on connection: Connection, status: Int) -> Bool {
        MHD_queue_response(connection.handle.pointer, UInt32(clamping: status), response) == .YES
    }
}
