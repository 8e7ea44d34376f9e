import CVBridge
import LucasKanade

/// Calls into CVBridge and turns its status into an error.
enum Bridge {
    private static let textCapacity = 400

    /// Runs `call`; `false` where there is no further frame. A failure is `what` and the bridge's own words; `code` says
    /// what a failure of the data means here.
    @discardableResult
    static func check(
        _ what: @autoclosure () -> String, code: MediaError.Code = .undecodable, frame: Int? = nil,
        _ call: (cvb_error) -> cvb_status
    ) throws(MediaError) -> Bool {
        var text = [CChar](repeating: 0, count: textCapacity)
        let status = text.withUnsafeMutableBufferPointer { buffer in
            call(cvb_error(text: buffer.baseAddress, capacity: buffer.count))
        }
        switch status {
        case CVB_OK: return true
        case CVB_END: return false
        default:
            let bytes = text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
            let cause = String(decoding: bytes, as: UTF8.self)
            throw MediaError(self.code(of: status, else: code), "\(what()): \(cause)", frame: frame)
        }
    }

    private static func code(of status: cvb_status, else code: MediaError.Code) -> MediaError.Code {
        switch status {
        case CVB_LIMIT: .limitExceeded
        case CVB_CANNOT_WRITE: .cannotWrite
        case CVB_NO_MEMORY: .noMemory
        case CVB_INTERNAL: .system
        default: code
        }
    }
}

extension Image {
    /// The pixels for reading, as C sees them.
    func withView<R>(_ body: (cvb_view) throws -> R) rethrows -> R {
        try withBytes { bytes in
            // The functions that are given this view take it as input only.
            let pixels = UnsafeMutablePointer(mutating: bytes.bindMemory(to: UInt8.self).baseAddress)
            return try body(
                cvb_view(
                    pixels: pixels, width: Int32(width), height: Int32(height), channels: Int32(channels),
                    bytes_per_row: bytesPerRow))
        }
    }

    /// An image of its own memory, filled in by `body`.
    static func make(
        width: Int, height: Int, channels: Int, _ body: (cvb_view) throws(MediaError) -> Void
    ) throws(MediaError) -> Image {
        guard (1...0x7FFF_FFFF).contains(width), (1...0x7FFF_FFFF).contains(height) else {
            throw MediaError(.system, "an image cannot be \(width)x\(height)")
        }
        let (pixels, overflow) = width.multipliedReportingOverflow(by: height)
        guard !overflow, pixels <= Int.max / 4 else {
            throw MediaError(.system, "an image cannot be \(width)x\(height)")
        }
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: pixels * channels, alignment: 64)
        nonisolated(unsafe) let owned = memory
        let image = Image(
            base: UnsafeRawPointer(memory.baseAddress!), width: width, height: height, channels: channels,
            bytesPerRow: width * channels, release: { owned.deallocate() })
        try body(
            cvb_view(
                pixels: memory.bindMemory(to: UInt8.self).baseAddress, width: Int32(width), height: Int32(height),
                channels: Int32(channels), bytes_per_row: width * channels))
        return image
    }
}
