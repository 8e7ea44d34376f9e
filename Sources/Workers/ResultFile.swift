import Jobs

/// The NDJSON result of an attempt while it grows. Used by one thread.
final class ResultFile {
    let key: String
    private let writer: any BlobWriter
    private let flushInterval: Duration
    private var flushed = ContinuousClock.now
    private var line: [UInt8] = []
    private var isCommitted = false

    init(_ blobs: any BlobStore, key: String, flushSeconds: Double) throws {
        self.key = key
        writer = try blobs.create(key)
        flushInterval = .seconds(flushSeconds)
    }

    /// Appends a record, and makes what there is readable now and then: whole lines only.
    ///
    /// - Returns: whether it did so now.
    func append(_ record: FrameRecord) throws -> Bool {
        line.removeAll(keepingCapacity: true)
        record.appendLine(to: &line)
        try line.withUnsafeBytes { try writer.write($0) }
        let now = ContinuousClock.now
        guard now - flushed >= flushInterval else { return false }
        flushed = now
        try writer.flush()
        return true
    }

    /// Makes the result durable; does nothing where it is already.
    func commit() throws {
        guard !isCommitted else { return }
        _ = try writer.commit()
        isCommitted = true
    }

    func abort() { writer.abort() }
}
