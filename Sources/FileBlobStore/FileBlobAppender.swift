import Foundation
import Jobs

/// One blob that comes in pieces: a locked file beside its place, which is renamed once it is whole.
///
/// `@unchecked Sendable`: it has no lock; ``BlobAppender`` asks for one thread at a time.
final class FileBlobAppender: BlobAppender, @unchecked Sendable {
    private let folder: String
    private let name: String
    private let openPath: String
    private var descriptor: Int32
    /// Whether the file's entry in its folder is known to be on the disk; who made it may have died before it was.
    private var isEntryDurable = false
    private(set) var count: Int64

    /// How often it is tried again where others rename or remove the file at the same time.
    private static let rounds = 8

    /// - Returns: `nil` where the blob is finished.
    static func open(folder: String, name: String) throws(JobsError) -> FileBlobAppender? {
        let openPath = "\(folder)/\(OpenName.make(name))"
        for _ in 0..<rounds {
            try FileSystem.makeFolders(folder)
            guard let descriptor = try FileSystem.openLocked(openPath) else { continue }
            // Looked at under the lock: who finishes a blob holds it.
            guard !FileSystem.isFile("\(folder)/\(name)") else {
                unlink(openPath)
                FileSystem.unlockAndClose(descriptor)
                return nil
            }
            return FileBlobAppender(folder: folder, name: name, openPath: openPath, descriptor: descriptor)
        }
        throw JobsError(.io, "cannot open \(openPath): it was removed again and again")
    }

    private init(folder: String, name: String, openPath: String, descriptor: Int32) {
        self.folder = folder
        self.name = name
        self.openPath = openPath
        self.descriptor = descriptor
        count = FileSystem.status(descriptor).map { Int64($0.st_size) } ?? 0
    }

    deinit { close() }

    func write(_ bytes: UnsafeRawBufferPointer) throws {
        try FileSystem.write(bytes, to: try openDescriptor(), at: count, path: openPath)
        count += Int64(bytes.count)
    }

    func checkpoint() throws {
        try FileSystem.synchronise(try openDescriptor(), path: openPath)
        guard !isEntryDurable else { return }
        try FileSystem.synchronise(folder: folder)
        isEntryDurable = true
    }

    func rewind(to offset: Int64) throws {
        let descriptor = try openDescriptor()
        guard (0...count).contains(offset) else {
            throw JobsError(.io, "cannot go to \(offset) in \(openPath), which has \(count) bytes")
        }
        try FileSystem.truncate(descriptor, to: offset, path: openPath)
        count = offset
    }

    /// Bytes that a failed write left beyond the count are no part of the blob.
    func commit() throws {
        try rewind(to: count)
        try FileSystem.synchronise(try openDescriptor(), path: openPath)
        let path = "\(folder)/\(name)"
        guard rename(openPath, path) == 0 else { throw FileSystem.failure("rename a finished file to", path) }
        try FileSystem.synchronise(folder: folder)
        close()
    }

    func close() {
        guard descriptor >= 0 else { return }
        FileSystem.unlockAndClose(descriptor)
        descriptor = -1
    }

    private func openDescriptor() throws(JobsError) -> Int32 {
        guard descriptor >= 0 else { throw JobsError(.io, "\(openPath) was closed already") }
        return descriptor
    }
}

/// The name of a file that goes on growing, whatever becomes of the process that writes it.
enum OpenName {
    static func make(_ name: String) -> String { ".open-" + name }
}
