import Jobs
import Synchronization

/// A blob on its way in that fails before it eats into the disk's reserve, however long the body turns out to be.
final class ReserveKeepingWriter: BlobWriter {
    /// Bytes between two looks at the disk.
    private static let interval: Int64 = 16 << 20

    private let base: any BlobWriter
    private let admission: Admission
    private let unchecked = Mutex<Int64>(0)

    init(_ base: any BlobWriter, services: Services) {
        self.base = base
        admission = Admission(services: services)
    }

    var count: Int64 { base.count }

    func write(_ bytes: UnsafeRawBufferPointer) throws {
        let isDue = unchecked.withLock { unchecked in
            unchecked += Int64(bytes.count)
            guard unchecked >= Self.interval else { return false }
            unchecked = 0
            return true
        }
        if isDue { try admission.checkSpace(for: Int64(bytes.count)) }
        try base.write(bytes)
    }

    func overwrite(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws {
        try base.overwrite(bytes, at: offset)
    }

    func flush() throws { try base.flush() }
    func commit() throws -> String { try base.commit() }
    func abort() { base.abort() }
    func partialPath() throws -> String { try base.partialPath() }
    func localPath() throws -> String { try base.localPath() }
}
