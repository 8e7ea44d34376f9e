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
    /// The file is locked for as long as it is written, and keeps its place until the blob is finished or given up: what
    /// stands beside it under a longer name is safe from those who sweep.
    private let partPath: String
    private var descriptor: Int32
    private var buffer: [UInt8] = []
    private var bytesInFile: Int64 = 0
    private var hash = SHA256()
    /// Whether the file holds something else than what was hashed on the way.
    private var mustRehash = false
    /// Where an encoder puts the bytes instead, where one was asked to.
    private var encoderPath: String?

    init(folder: String, name: String) throws(JobsError) {
        self.folder = folder
        self.name = name
        (descriptor, partPath) = try FileSystem.createLocked(in: folder, for: name)
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
            let digest = try encoderPath.map(commitEncoded) ?? commitWritten()
            close(descriptor)
            descriptor = -1
            try FileSystem.synchronise(folder: folder)
            return digest
        } catch {
            abort()
            throw error
        }
    }

    func abort() {
        guard descriptor >= 0 else { return }
        if let encoderPath { unlink(encoderPath) }
        unlink(partPath)
        close(descriptor)
        descriptor = -1
    }

    func partialPath() throws -> String {
        try flush()
        return partPath
    }

    func localPath() throws -> String {
        let path = PartName.encoded(partPath, name: name)
        encoderPath = path
        return path
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

    private func commitWritten() throws -> String {
        try flush()
        let descriptor = try openDescriptor()
        let digest =
            mustRehash
            ? try BlobDigest.compute(descriptor, path: partPath) : Hexadecimal.text(hash.finalize())
        try publish(descriptor, at: partPath, digest)
        return digest
    }

    /// An encoder's file has no lock of its own: the part's is held until the file has its place.
    private func commitEncoded(_ encoded: String) throws -> String {
        guard let file = try FileSystem.openForReading(encoded) else {
            throw JobsError(.io, "cannot open \(encoded): nothing was written there")
        }
        defer { close(file) }
        // Encoders make their files as the umask says.
        PrivateFiles.closeToOthers(encoded)
        let digest = try BlobDigest.compute(file, path: encoded)
        bytesInFile = FileSystem.status(file).map { Int64($0.st_size) } ?? 0
        guard FileSystem.isFile(partPath) else {
            throw JobsError(.io, "\(folder)/\(name) was removed while it was being written")
        }
        try publish(file, at: encoded, digest)
        unlink(partPath)
        return digest
    }

    private func publish(_ descriptor: Int32, at written: String, _ digest: String) throws(JobsError) {
        BlobDigest.keep(digest, with: descriptor)
        try FileSystem.synchronise(descriptor, path: written)
        let path = "\(folder)/\(name)"
        guard rename(written, path) == 0 else { throw FileSystem.failure("rename a finished file to", path) }
    }
}
