import Jobs

/// The NDJSON result of an attempt while it grows. Used by one thread.
final class ResultFile {
    let key: String
    private let writer: any BlobWriter
    private var meter: StorageMeter
    private let flushInterval: Duration?
    private var flushed = ContinuousClock.now
    /// Of the record that was appended last, with its line feed.
    private(set) var line: [UInt8] = []
    private var isCommitted = false

    /// - Parameter flushSeconds: how often what there is is made readable; `nil`: only at the end.
    init(_ blobs: any BlobStore, key: String, limits: StorageLimits, flushSeconds: Double? = nil) throws {
        self.key = key
        meter = StorageMeter(blobs, limits)
        writer = try blobs.create(key)
        flushInterval = flushSeconds.map { .seconds($0) }
    }

    /// Appends a record, and makes what there is readable now and then: whole lines only.
    ///
    /// - Returns: whether it did so now.
    /// - Throws: also what ``StorageMeter`` does. Then the record is not in it.
    @discardableResult
    func append(_ record: FrameRecord) throws -> Bool {
        line.removeAll(keepingCapacity: true)
        record.appendLine(to: &line)
        return try append(line)
    }

    /// Appends a record that is a line already.
    func append(_ line: [UInt8]) throws -> Bool {
        let now = ContinuousClock.now
        let isFlushDue = flushInterval.map { now - flushed >= $0 } ?? false
        try meter.check(writer.count + Int64(line.count))
        if isFlushDue { try meter.look() }
        try line.withUnsafeBytes { try writer.write($0) }
        guard isFlushDue else { return false }
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
