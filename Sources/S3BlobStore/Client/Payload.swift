import Crypto
import Jobs

/// The body of a request: bytes in memory, or a range of a local blob or a scratch file, read while it is sent. So a
/// request takes no more memory than libcurl's buffer, and can be sent again.
struct Payload {
    /// Fills the buffer from an offset; less only at the end.
    typealias Source = (UnsafeMutableRawBufferPointer, Int64) throws -> Int

    let count: Int64
    /// SHA-256 in lower-case hexadecimal, which S3 holds the body against (`x-amz-content-sha256`).
    let sha256: String
    private let source: Source

    /// Read at once where a body is hashed.
    private static let pieceSize = 1 << 20

    static var none: Payload { Payload([]) }

    init(_ bytes: [UInt8]) {
        count = Int64(bytes.count)
        sha256 = Hexadecimal.sha256(bytes)
        source = { buffer, offset in
            let rest = bytes.dropFirst(Int(offset)).prefix(buffer.count)
            buffer.copyBytes(from: rest)
            return rest.count
        }
    }

    /// - Parameters:
    ///   - range: of the source.
    ///   - hashed: told of the bytes on the way, for a digest of the whole.
    /// - Throws: what reading throws; ``JobsError/Code/io`` where the source is shorter.
    init(_ range: Range<Int64>, of source: @escaping Source, hashed: (UnsafeRawBufferPointer) -> Void = { _ in }) throws
    {
        var hash = SHA256()
        let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.pieceSize, alignment: 16)
        defer { piece.deallocate() }
        var offset = range.lowerBound
        while offset < range.upperBound {
            let wanted = Int(min(range.upperBound - offset, Int64(piece.count)))
            let read = try source(UnsafeMutableRawBufferPointer(rebasing: piece[..<wanted]), offset)
            guard read > 0 else { throw JobsError(.io, "a local copy ends at \(offset), before \(range.upperBound)") }
            let bytes = UnsafeRawBufferPointer(rebasing: piece[..<read])
            hash.update(bufferPointer: bytes)
            hashed(bytes)
            offset += Int64(read)
        }
        count = Int64(range.count)
        sha256 = Hexadecimal.text(hash.finalize())
        let (count, start) = (count, range.lowerBound)
        self.source = { buffer, offset in
            let wanted = min(Int64(buffer.count), count - offset)
            guard wanted > 0 else { return 0 }
            return try source(UnsafeMutableRawBufferPointer(rebasing: buffer[..<Int(wanted)]), start + offset)
        }
    }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws -> Int {
        guard offset < count else { return 0 }
        return try source(buffer, offset)
    }
}
