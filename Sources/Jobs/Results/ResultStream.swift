/// Pulls a stored result (NDJSON) through an encoder, piece by piece, so that no result is ever in memory as a whole. It
/// reads no further than the encoder's slice goes.
///
/// Used by one thread at a time. `@unchecked Sendable`: it has no lock; whoever hands it to another thread stops using
/// it (a response body is made by one thread at a time).
public final class ResultStream: @unchecked Sendable {
    /// Bytes that are gathered before they are handed out.
    private static let pieceSize = 64 << 10

    private enum Stage {
        case beginning, reading
        /// The parts after the first, from this one on.
        case joining(Int)
        case over
    }

    private var lines: BlobLines
    private var encoder: ResultEncoder
    private var spool: PartSpool
    private let heldBytes: Int
    private var stage = Stage.beginning
    /// Of a part, what is still to be handed out.
    private var rest: ArraySlice<UInt8> = []
    private var steps = 0
    /// Lines that are read between two questions whether they are wanted.
    private static let uninterruptedSteps = 16

    /// - Parameters:
    ///   - scratch: makes a file for what is too long for memory: of formats that write a target after the other.
    ///   - heldBytes: what is not.
    /// - Throws: the reader's errors.
    public init(
        reader: any BlobReader, encoder: ResultEncoder, heldBytes: Int = 4 << 20,
        scratch: @escaping @Sendable () throws -> any ScratchFile
    ) throws {
        self.heldBytes = heldBytes
        lines = BlobLines(reader, at: try encoder.slice.from.map { try FrameSearch.offset(of: $0, in: reader) } ?? 0)
        self.encoder = encoder
        spool = PartSpool(parts: encoder.partCount, makeFile: scratch)
    }

    /// The next bytes, `nil` after the last. A last line without its line feed is left out.
    ///
    /// - Parameter isWanted: asked now and then, also while there is nothing to hand out.
    /// - Throws: the reader's errors; ``JobsError/Code/corrupt`` where a line is no record; `CancellationError` where
    ///   the rest is not wanted any more.
    public func next(isWanted: () -> Bool = { true }) throws -> [UInt8]? {
        var output: [UInt8] = []
        while output.count < Self.pieceSize {
            steps += 1
            guard steps % Self.uninterruptedSteps != 0 || isWanted() else { throw CancellationError() }
            switch stage {
            case .beginning:
                encoder.begin(into: &output)
                stage = .reading
            case .reading: try read(into: &output)
            case .joining(let part): try join(part, into: &output)
            case .over: return output.isEmpty ? nil : output
            }
        }
        return output
    }

    /// A line.
    private func read(into output: inout [UInt8]) throws {
        guard let line = try lines.next(), try append(line, into: &output) else {
            encoder.endPart(0, into: &output)
            stage = .joining(1)
            return
        }
        if encoder.heldBytes > heldBytes { try spool.store(encoder.takeHeld()) }
    }

    private func append(_ line: ArraySlice<UInt8>, into output: inout [UInt8]) throws -> Bool {
        do throws(JSONError) {
            return try encoder.append(line: line, into: &output)
        } catch {
            throw JobsError(.corrupt, "a stored result has a line that is no record: \(error)")
        }
    }

    /// A piece of a part, or its end.
    private func join(_ part: Int, into output: inout [UInt8]) throws {
        guard rest.isEmpty else {
            output += rest.prefix(Self.pieceSize)
            rest = rest.count > Self.pieceSize ? rest.dropFirst(Self.pieceSize) : []
            return
        }
        guard part < encoder.partCount else {
            encoder.endDocument(into: &output)
            stage = .over
            return
        }
        if let piece = try spool.next(of: part) {
            rest = piece[...]
        } else {
            var end: [UInt8] = []
            encoder.endPart(part, into: &end)
            rest = end[...]
            stage = .joining(part + 1)
        }
    }
}
