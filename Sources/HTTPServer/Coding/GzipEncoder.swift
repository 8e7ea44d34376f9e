import CZlib

/// Compresses bytes into one gzip member (RFC 1952), piece by piece. The same bytes give the same bytes, whatever the
/// pieces. Used by one thread at a time.
///
/// `@unchecked Sendable`: it has no lock; who hands it to another thread stops using it.
public final class GzipEncoder: @unchecked Sendable {
    /// zlib's own default: between speed and size.
    private static let level: Int32 = 6
    private static let pieceBytes = 64 << 10

    /// zlib keeps a pointer to it.
    private let stream: UnsafeMutablePointer<z_stream>
    private let piece: UnsafeMutableBufferPointer<UInt8>
    private var isFinished = false

    /// - Returns: `nil` where there is no memory for it.
    public init?() {
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        piece = .allocate(capacity: Self.pieceBytes)
        guard czlib_gzip_init(stream, Self.level) == Z_OK else { return nil }
    }

    deinit {
        deflateEnd(stream)
        stream.deallocate()
        piece.deallocate()
    }

    /// Compresses the next bytes, and appends what has become of them so far, which may be nothing yet.
    public func append(_ bytes: UnsafeRawBufferPointer, into output: inout [UInt8]) {
        var rest = bytes
        while !rest.isEmpty {
            let part = UnsafeRawBufferPointer(rebasing: rest.prefix(Self.pieceBytes))
            stream.pointee.next_in = UnsafeMutablePointer(
                mutating: part.bindMemory(to: UInt8.self).baseAddress)  // It is only read.
            stream.pointee.avail_in = UInt32(part.count)
            run(Z_NO_FLUSH, into: &output)
            rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(part.count))
        }
    }

    /// Appends what is left and the end of the member; nothing the second time.
    public func finish(into output: inout [UInt8]) {
        guard !isFinished else { return }
        isFinished = true
        stream.pointee.next_in = nil
        stream.pointee.avail_in = 0
        run(Z_FINISH, into: &output)
    }

    /// Until all input is taken and no output waits: zlib leaves no room in its output then.
    private func run(_ flush: Int32, into output: inout [UInt8]) {
        repeat {
            stream.pointee.next_out = piece.baseAddress
            stream.pointee.avail_out = UInt32(piece.count)
            // It fails where its state or a pointer is wrong, which is so never.
            let status = deflate(stream, flush)
            precondition(status == Z_OK || status == Z_STREAM_END || status == Z_BUF_ERROR, "zlib's state is broken")
            output.append(contentsOf: piece.prefix(piece.count - Int(stream.pointee.avail_out)))
        } while stream.pointee.avail_out == 0
    }
}
