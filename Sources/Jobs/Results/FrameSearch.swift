/// Finds a frame in a stored result: its lines are in the order of their frames, each of which begins with its number.
package enum FrameSearch {
    /// Where it is shorter to read on than to go on halving.
    private static let nearEnough: Int64 = 64 << 10
    private static let pieceSize = 4096
    private static let lineFeed = UInt8(ascii: "\n")

    /// The start of a line before which there is no frame of this number or a later one, and after which there are few
    /// earlier ones.
    ///
    /// - Parameter start: of a line before which there is none either.
    package static func offset(of frame: Int, in reader: any BlobReader, from start: Int64 = 0) throws -> Int64 {
        // Every frame that begins before `low` is an earlier one; `high` is past one that is not, or the end.
        var (low, high): (Int64, Int64) = (start, reader.count)
        while high - low > nearEnough {
            let middle = low + (high - low) / 2
            guard let line = try line(after: middle, before: high, in: reader), let number = line.frame else {
                // Long lines, or none of ours: whoever reads them sees.
                high = middle
                continue
            }
            if number < frame { low = line.start } else { high = middle }
        }
        return low
    }

    /// The first line that begins after an offset, with its frame's number.
    private static func line(
        after offset: Int64, before end: Int64, in reader: any BlobReader
    ) throws -> (start: Int64, frame: Int?)? {
        var offset = offset
        while offset < end {
            let piece = try read(from: reader, at: offset)
            guard !piece.isEmpty else { return nil }
            if let index = piece.firstIndex(of: lineFeed) {
                let start = offset + Int64(index) + 1
                guard start < end else { return nil }
                return (start, FrameRecord.frame(ofLine: try read(from: reader, at: start)))
            }
            offset += Int64(piece.count)
        }
        return nil
    }

    private static func read(from reader: any BlobReader, at offset: Int64) throws -> [UInt8] {
        try [UInt8](unsafeUninitializedCapacity: pieceSize) { buffer, count in
            count = try reader.read(into: UnsafeMutableRawBufferPointer(buffer), at: offset)
        }
    }
}
