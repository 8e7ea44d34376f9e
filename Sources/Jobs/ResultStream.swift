/// Pulls a stored result (NDJSON) through an encoder, piece by piece, so that no result is ever in memory as a whole.
///
/// Used by one thread at a time. `@unchecked Sendable`: it has no lock; whoever hands it to another thread stops using
/// it (a response body is read by one thread at a time).
public final class ResultStream: @unchecked Sendable {
    private static let pieceSize = 64 << 10

    private let reader: any BlobReader
    private var encoder: ResultEncoder
    private var offset: Int64 = 0
    private var rest: [UInt8] = []
    private var hasBegun = false
    private var hasEnded = false

    public init(reader: any BlobReader, encoder: ResultEncoder) {
        self.reader = reader
        self.encoder = encoder
    }

    /// The next bytes, `nil` after the last. A last line without its line feed (a worker that died while it wrote) is
    /// left out.
    ///
    /// - Throws: the reader's errors; ``JobsError/Code/corrupt`` where a line is no record.
    public func next() throws -> [UInt8]? {
        if hasEnded { return nil }
        var output: [UInt8] = []
        if !hasBegun {
            hasBegun = true
            encoder.begin(into: &output)
        }
        while output.isEmpty {
            let piece = try readPiece()
            guard !piece.isEmpty else {
                hasEnded = true
                encoder.end(into: &output)
                return output.isEmpty ? nil : output
            }
            try append(piece, &output)
        }
        return output
    }

    private func readPiece() throws -> [UInt8] {
        let piece = try [UInt8](unsafeUninitializedCapacity: Self.pieceSize) { buffer, count in
            count = try reader.read(into: UnsafeMutableRawBufferPointer(buffer), at: offset)
        }
        offset += Int64(piece.count)
        return piece
    }

    private func append(_ piece: [UInt8], _ output: inout [UInt8]) throws {
        var start = 0
        while let end = piece[start...].firstIndex(of: UInt8(ascii: "\n")) {
            do throws(JSONError) {
                if rest.isEmpty {
                    try encoder.append(line: piece[start..<end], into: &output)
                } else {
                    rest += piece[start..<end]
                    try encoder.append(line: rest, into: &output)
                    rest.removeAll(keepingCapacity: true)
                }
            } catch {
                throw JobsError(.corrupt, "a stored result has a line that is no record: \(error)")
            }
            start = end + 1
        }
        rest += piece[start...]
    }
}
