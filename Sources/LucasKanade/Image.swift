/// An immutable 8-bit image: grey (1 channel) or blue, green, red interleaved (3 channels), rows from the top down.
///
/// The pixels may belong to somebody else (a slot of a decoder's frame ring), who is told when the last reference is
/// gone; so an image is handed on without a copy and must not be kept for longer than it is needed.
///
/// `@unchecked Sendable`: the memory is never written while an image refers to it, so no lock is needed.
public final class Image: @unchecked Sendable {
    /// In pixels.
    public let width, height: Int
    /// 1 or 3.
    public let channels: Int
    /// Bytes from one row to the next, at least `width * channels`.
    public let bytesPerRow: Int

    private let base: UnsafeRawPointer
    private let release: @Sendable () -> Void

    /// Wraps memory of `height * bytesPerRow` bytes that stays unchanged until `release` is called.
    public init(
        base: UnsafeRawPointer, width: Int, height: Int, channels: Int, bytesPerRow: Int,
        release: @escaping @Sendable () -> Void
    ) {
        precondition(width > 0 && height > 0 && (channels == 1 || channels == 3), "an image is grey or BGR, not empty")
        precondition(bytesPerRow >= width * channels, "rows of an image must not overlap")
        self.base = base
        self.width = width
        self.height = height
        self.channels = channels
        self.bytesPerRow = bytesPerRow
        self.release = release
    }

    /// Copies `width * height * channels` bytes.
    public convenience init(width: Int, height: Int, channels: Int = 1, pixels: [UInt8]) {
        precondition(pixels.count == width * height * channels, "an image needs width × height × channels bytes")
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: max(pixels.count, 1), alignment: 64)
        memory.copyBytes(from: pixels)
        nonisolated(unsafe) let owned = memory
        self.init(
            base: UnsafeRawPointer(memory.baseAddress!), width: width, height: height, channels: channels,
            bytesPerRow: width * channels, release: { owned.deallocate() })
    }

    deinit { release() }

    /// The rows, `bytesPerRow` apart; valid inside the closure only.
    public func withBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
        try withExtendedLifetime(self) {
            try body(UnsafeRawBufferPointer(start: base, count: (height - 1) * bytesPerRow + width * channels))
        }
    }

    /// One channel of one pixel; for tests and tools, not for loops.
    public subscript(x: Int, y: Int, channel: Int = 0) -> UInt8 {
        precondition(x >= 0 && x < width && y >= 0 && y < height && channel < channels, "no such pixel")
        return withBytes { $0[y * bytesPerRow + x * channels + channel] }
    }
}
