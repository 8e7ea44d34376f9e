import Jobs

/// A place in a growing NDJSON result. Between two reads it keeps no bytes, so that thousands may wait.
///
/// A job that starts over, because its worker or its decoder died, writes the same bytes again: the place stays good, and
/// the reader waits until the new result is as long.
struct ResultCursor: Sendable {
    /// Whole lines, with their line feeds.
    struct Piece {
        /// The number of the first line in the result, from 0.
        var first: Int
        var bytes: [UInt8]

        /// Each line with its number, without its line feed.
        var lines: some Sequence<(number: Int, bytes: ArraySlice<UInt8>)> {
            bytes.split(separator: ResultCursor.lineFeed).enumerated().lazy.map { (first + $0.offset, $0.element) }
        }
    }

    private static let pieceSize = 16 << 10
    private static let skippedPieceSize = 64 << 10
    private static let lineFeed = UInt8(ascii: "\n")

    private(set) var offset: Int64 = 0
    /// Whole lines before it, but for those that were jumped over.
    private(set) var lines = 0

    /// The next whole lines, some of them; `nil` where there are none yet.
    ///
    /// - Throws: the reader's errors.
    mutating func next(from reader: any BlobReader) throws -> Piece? { try next(from: reader, Self.pieceSize) }

    /// How a way ended.
    enum Skip {
        /// What is left of it is less than a piece.
        case there
        /// It goes on.
        case onTheWay
        /// There are not as many lines.
        case noFurther
    }

    /// Goes on over whole pieces that lie before a line, so many at most.
    mutating func skip(towards line: Int, in reader: any BlobReader, pieces: Int) throws -> Skip {
        for _ in 0..<pieces where lines < line {
            let here = self
            guard try next(from: reader, Self.skippedPieceSize) != nil else { return .noFurther }
            guard lines <= line else {
                self = here
                return .there
            }
        }
        return lines < line ? .onTheWay : .there
    }

    /// Goes on to near before a frame, without a look at what lies between; nowhere where that is not ahead.
    mutating func jump(towards frame: Int, in reader: any BlobReader) throws {
        offset = max(offset, try FrameSearch.offset(of: frame, in: reader, from: offset))
    }

    private mutating func next(from reader: any BlobReader, _ pieceSize: Int) throws -> Piece? {
        // One byte from before the place, where there is one: a result that has no line feed there is another one.
        let before = offset > 0 ? 1 : 0
        var size = pieceSize
        while true {
            let piece = try Self.read(size, from: reader, at: offset - Int64(before))
            guard piece.count > before else { return nil }
            if before == 1, piece[0] != Self.lineFeed {
                self = ResultCursor()
                return try next(from: reader, pieceSize)
            }
            let fresh = piece[before...]
            if let last = fresh.lastIndex(of: Self.lineFeed) {
                let whole = Piece(first: lines, bytes: Array(fresh[...last]))
                offset += Int64(whole.bytes.count)
                lines += whole.bytes.count { $0 == Self.lineFeed }
                return whole
            }
            // A line that is longer than the piece, or not whole yet.
            guard piece.count == size else { return nil }
            size *= 2
        }
    }

    private static func read(_ size: Int, from reader: any BlobReader, at offset: Int64) throws -> [UInt8] {
        try [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            count = try reader.read(into: UnsafeMutableRawBufferPointer(buffer), at: offset)
        }
    }
}
