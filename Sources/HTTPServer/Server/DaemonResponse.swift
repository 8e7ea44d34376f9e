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
        guard fields.allSatisfy({ MHD_add_response_header(made, $0.name, $0.value) == .YES }) else {
            MHD_destroy_response(made)
            return nil
        }
        self.isCopied = isCopied
        response = made
    }

    deinit { MHD_destroy_response(response) }

    /// False where libmicrohttpd takes no response now; the connection is closed then.
    func queue(on connection: Connection, status: Int) -> Bool {
        MHD_queue_response(connection.handle.pointer, UInt32(clamping: status), response) == .YES
    }
}
