/// Pulls a stored result (NDJSON) through an encoder, piece by piece, so that no result is ever in memory as a whole.
///
/// Used by one thread at a time. `@unchecked Sendable`: it has no lock; whoever hands it to another thread stops using
/// it (a response body is read by one thread at a time).
public final class ResultStream: @unchecked Sendable {
    /// Bytes that are gathered before they are handed out.
    private static let pieceSize = 64 << 10

    private let reader: any BlobReader
    private var lines: BlobLines
    private var encoder: ResultEncoder
    /// Lines of this pass over the result, and of the first: one that grows is written as it was then.
    private var lineCount = 0
    private var firstLineCount: Int?
    private var hasBegun = false
    private var hasEnded = false

    public init(reader: any BlobReader, encoder: ResultEncoder) {
        self.reader = reader
        lines = BlobLines(reader)
        self.encoder = encoder
    }

    /// The next bytes, `nil` after the last. A last line without its line feed is left out.
    ///
    /// - Throws: the reader's errors; ``JobsError/Code/corrupt`` where a line is no record.
    public func next() throws -> [UInt8]? {
        if hasEnded { return nil }
        var output: [UInt8] = []
        if !hasBegun {
            hasBegun = true
            encoder.begin(into: &output)
        }
        while output.count < Self.pieceSize {
            guard lineCount != firstLineCount, let line = try lines.next() else {
                if encoder.nextPass(into: &output) {
                    (firstLineCount, lineCount, lines) = (lineCount, 0, BlobLines(reader))
                    continue
                }
                hasEnded = true
                encoder.end(into: &output)
                return output.isEmpty ? nil : output
            }
            lineCount += 1
            do throws(JSONError) {
                try encoder.append(line: line, into: &output)
            } catch {
                throw JobsError(.corrupt, "a stored result has a line that is no record: \(error)")
            }
        }
        return output
    }
}
