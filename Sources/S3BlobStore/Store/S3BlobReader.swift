import Jobs
import Synchronization

/// A part of a blob that is an object.
package struct S3ReaderPiece: Hashable, Sendable {
    var object: String
    /// Of the version that is read; bytes of any other are an error.
    var entityTag: String?
    /// In the blob.
    package var start: Int64
    package var count: Int64

    var end: Int64 { start + count }
}

/// Reads a blob by ranges of its objects, a window at a time, which grows where one read follows another and there is
/// memory for it.
///
/// A local file keeps what was opened; an object that is replaced or removed is gone. So what fits into the first window
/// is held, and of a longer blob the bytes that are read later are those of the version that was opened, or an error.
final class S3BlobReader: BlobReader {
    /// Bytes that a reader holds whatever others do.
    static let firstWindow: Int64 = 64 << 10
    private static let largestWindow: Int64 = 2 << 20

    private struct Window {
        var offset: Int64
        var bytes: [UInt8]
        var nextSize = firstWindow * 2
        /// For what the bytes are more than ``firstWindow``.
        var share: S3WindowBudget.Share?

        var end: Int64 { offset + Int64(bytes.count) }
    }

    let count: Int64
    private let client: S3Client
    private let pieces: [S3ReaderPiece]
    private let budget: S3WindowBudget
    private let window: Mutex<Window>

    /// - Parameters:
    ///   - pieces: one after the other, from 0.
    ///   - first: the blob's first bytes, where they are known.
    ///   - budget: of all readers of the store.
    init(_ client: S3Client, _ pieces: [S3ReaderPiece], first: [UInt8] = [], budget: S3WindowBudget) {
        self.client = client
        self.pieces = pieces
        self.budget = budget
        count = pieces.last?.end ?? 0
        window = Mutex(Window(offset: 0, bytes: first))
    }

    var fileDescriptor: Int32? { nil }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws -> Int {
        guard offset >= 0 else { return 0 }
        // Held while bytes come: others who share the reader mostly want the same ones.
        return try window.withLock { window in
            var done = 0
            while done < buffer.count, offset + Int64(done) < count {
                let position = offset + Int64(done)
                if position < window.offset || position >= window.end { try fill(&window, from: position) }
                let rest = window.bytes[Int(position - window.offset)...].prefix(buffer.count - done)
                UnsafeMutableRawBufferPointer(rebasing: buffer[done...]).copyBytes(from: rest)
                done += rest.count
            }
            return done
        }
    }

    private func fill(_ window: inout Window, from position: Int64) throws {
        guard let piece = pieces.first(where: { $0.start <= position && position < $0.end }) else { return }
        let isNext = position == window.end
        let size = isNext ? window.nextSize : Self.firstWindow
        // Not held beside what comes in its place.
        window = Window(offset: position, bytes: [], nextSize: size)
        let wanted = min(size, piece.end - position)
        let share = budget.take(upTo: wanted - Self.firstWindow)
        let granted = min(wanted, Self.firstWindow + share.bytes)
        let end = position + granted
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Int(granted))
        let info = try client.get(
            piece.object, position - piece.start..<end - piece.start, entityTag: piece.entityTag
        ) { bytes.append(contentsOf: $0) }
        guard info != nil, bytes.count == granted else {
            throw JobsError(.io, "s3://\(client.location.bucket)/\(piece.object) was removed while it was read")
        }
        let grown = granted < wanted ? granted : size
        window = Window(
            offset: position, bytes: bytes, nextSize: min(grown * 2, Self.largestWindow), share: share)
    }
}
