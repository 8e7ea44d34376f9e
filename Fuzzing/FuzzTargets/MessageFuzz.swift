import Media

/// Datagrams of a decoder process that parses strangers' media, and may be theirs by now.
enum MessageFuzz {
    static func run(_ bytes: [UInt8]) {
        guard let message = DecoderMessage(decoding: bytes) else { return }
        // One form of each message: whatever else it is, it is nothing that an honest decoder says.
        precondition(message.encoded == bytes, "a message in another form than its own")
        guard case .opened(let info) = message else { return }
        for color in [false, true] {
            let request = DecodeRequest(color: color)
            guard let layout = try? DecoderProcess.checked(info, request: request) else { continue }
            // As many slots as fit into 64 MiB, and four in any case, of at most four bytes for each pixel and, of a frame
            // as long as can be and one pixel high, of a cache line for each of its rows.
            let most = 4 * request.limits.pixels + 128 * max(info.width, info.height) + (64 << 10)
            precondition(layout.slotBytes <= most, "more memory than the limits allow")
            precondition(layout.slotCount * layout.slotBytes <= max(64 << 20, 4 * most), "more slots than the ring has")
            precondition(info.frameCount ?? 0 <= request.limits.frames, "more frames than can be counted")
        }
    }
}
