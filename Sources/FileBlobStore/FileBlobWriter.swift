import Crypto
import Foundation
import Jobs

/// One blob on its way in: a buffer before a file, and the digest of what went through.
///
/// `@unchecked Sendable`: it has no lock; ``BlobWriter`` asks for one thread at a time.
final class FileBlobWriter: BlobWriter, @unchecked Sendable {
    /// Small writes are gathered up to here.
    private static let bufferSize = 64 << 10

    private let folder: String
    private let name: String
    private let partPath: String
    private var descriptor: Int32
    private var buffer: [UInt8] = []
    private var bytesInFile: Int64 = 0
    private var hash = SHA256()
    /// Whether the file holds something else than what was hashed on the way.
    private var mustRehash = false
    /// Whether an encoder may have put the bytes there by path.
    private var isWrittenByPath = false

    init(folder: String, name: String) throws(JobsError) {
        self.folder = folder
        self.name = name
        partPath = "\(folder)/\(PartName.make(name))"
        descriptor = try FileSystem.createLocked(partPath)
    }

    deinit { abort() }

    var count: Int64 { bytesInFile + Int64(buffer.count) }

    func write(_ bytes: UnsafeRawBufferPointer) throws {
        if buffer.count + bytes.count > Self.bufferSize { try flush() }
        hash.update(bufferPointer: bytes)
        if bytes.count >= Self.bufferSize {
            try append(bytes)
        } else {
            buffer.append(contentsOf: bytes)
        }
    }

    func overwrite(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws {
        try flush()
        guard offset >= 0, Int64(bytes.count) <= bytesInFile - offset else {
            throw JobsError(.io, "cannot overwrite what was not written yet in \(partPath)")
        }
        mustRehash = true
        try FileSystem.write(bytes, to: try openDescriptor(), at: offset, path: partPath)
    }

    func flush() throws {
        guard !buffer.isEmpty else { return }
        try buffer.withUnsafeBytes { try append($0) }
        buffer.removeAll(keepingCapacity: true)
    }

    func commit() throws -> String {
        do {
            try flush()
            if isWrittenByPath { try reopen() }
            let descriptor = try openDescriptor()
            let digest = BlobDigest.text(
                mustRehash || isWrittenByPath ? try BlobDigest.compute(descriptor, path: partPath) : hash.finalize())
            BlobDigest.keep(digest, with: descriptor)
            try FileSystem.synchronise(descriptor, path: partPath)
            let path = "\(folder)/\(name)"
            guard rename(partPath, path) == 0 else { throw FileSystem.failure("rename a finished file to", path) }
            close(descriptor)
            self.descriptor = -1
            try FileSystem.synchronise(folder: folder)
            return digest
        } catch {
            abort()
            throw error
        }
    }

    func abort() {
        guard descriptor >= 0 else { return }
        unlink(partPath)
        close(descriptor)
        descriptor = -1
    }

    func localPath() throws -> String {
        try flush()
        isWrittenByPath = true
        return partPath
    }

    // MARK: The file

    private func append(_ bytes: UnsafeRawBufferPointer) throws {
        try FileSystem.write(bytes, to: try openDescriptor(), at: bytesInFile, path: partPath)
        bytesInFile += Int64(bytes.count)
    }

    private func openDescriptor() throws(JobsError) -> Int32 {
        guard descriptor >= 0 else { throw JobsError(.io, "\(partPath) was finished already") }
        return descriptor
    }

    /// An encoder may have put another file in the place of this one.
    private func reopen() throws(JobsError) {
        guard let other = try FileSystem.openForReading(partPath) else {
            throw JobsError(.io, "cannot open \(partPath): it is not there any more")
        }
        close(descriptor)
        descriptor = other
        bytesInFile = FileSystem.status(other).map { Int64($0.st_size) } ?? 0
    }
}
