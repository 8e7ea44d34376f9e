import Jobs

/// A blob on its way in that fails before it eats into the disk's reserve, however long the body turns out to be, and
/// however many come at the same time.
final class ReserveKeepingWriter: BlobWriter {
    private let base: any BlobWriter
    private let share: DiskShare

    /// - Parameter expected: bytes that the request announces; 0 where it does not tell.
    /// - Throws: 507 where there is no room for them.
    init(creating key: String, expecting expected: Int64, services: Services) throws {
        share = services.space.share()
        try share.announce(expected)
        base = try services.blobs.create(key)
    }

    var count: Int64 { base.count }

    func write(_ bytes: UnsafeRawBufferPointer) throws {
        try share.use(Int64(bytes.count))
        try base.write(bytes)
    }

    func overwrite(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws {
        try base.overwrite(bytes, at: offset)
    }

    func flush() throws { try base.flush() }

    func commit() throws -> String {
        try share.check()
        let digest = try base.commit()
        share.end()
        return digest
    }

    func abort() {
        base.abort()
        share.end()
    }

    func partialPath() throws -> String { try base.partialPath() }
    func localPath() throws -> String { try base.localPath() }
}
