import Glibc

/// The lines of a blob, one after the other, without their line feeds. A last line that has none (a worker died while
/// it wrote) is left out.
public struct BlobLines: Sendable {
    private static let pieceSize = 64 << 10

    private let reader: any BlobReader
    private var offset: Int64
    /// Read and not handed out yet; from `start` on.
    private var buffer: [UInt8] = []
    private var start = 0
    /// Where the search for a line feed goes on.
    private var searched = 0

    /// - Parameter offset: where the first line begins.
    public init(_ reader: any BlobReader, at offset: Int64 = 0) {
        self.reader = reader
        self.offset = offset
    }

    /// The next line, `nil` where there is none (yet).
    ///
    /// - Throws: the reader's errors.
    public mutating func next() throws -> ArraySlice<UInt8>? {
        while true {
            if let end = lineFeed(from: searched) {
                defer { (start, searched) = (end + 1, end + 1) }
                return buffer[start..<end]
            }
            buffer.removeFirst(start)
            start = 0
            searched = buffer.count
            guard try readPiece() else { return nil }
        }
    }

    /// Where the next line feed of the buffer is. By the C library, which takes a vector at a time, and as fast in debug
    /// builds: there, Swift's search of a slice allocates for each byte.
    private func lineFeed(from position: Int) -> Int? {
        buffer.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress,
                let found = memchr(base + position, Int32(UInt8(ascii: "\n")), bytes.count - position)
            else { return nil }
            return UnsafeRawPointer(found) - base
        }
    }

    /// Whether there was more.
    private mutating func readPiece() throws -> Bool {
        let piece = try [UInt8](unsafeUninitializedCapacity: Self.pieceSize) { buffer, count in
            count = try reader.read(into: UnsafeMutableRawBufferPointer(buffer), at: offset)
        }
        offset += Int64(piece.count)
        buffer += piece
        return !piece.isEmpty
    }
}
