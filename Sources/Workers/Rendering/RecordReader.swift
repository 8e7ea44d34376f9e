import Jobs

/// A result's records in the order of their frames.
struct RecordReader {
    private var lines: BlobLines
    private var pending: FrameRecord?

    init(_ blobs: any BlobStore, key: String) throws {
        guard let reader = try blobs.open(key) else { throw JobsError(.io, "the blob \(key) is gone") }
        lines = BlobLines(reader)
    }

    /// The record of a frame, which is not before the one that was asked for last; `nil` where there is none.
    mutating func record(frame: Int) -> FrameRecord? {
        while let record = pending ?? next() {
            pending = record
            if record.frame > frame { return nil }
            pending = nil
            if record.frame == frame { return record }
        }
        return nil
    }

    /// The next record; `nil` after the last.
    mutating func next() -> FrameRecord? {
        guard let line = try? lines.next() else { return nil }
        return try? FrameRecord(line: line)
    }
}
