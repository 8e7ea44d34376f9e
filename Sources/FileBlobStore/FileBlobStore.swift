import Foundation
import Jobs

/// Blobs as files of a folder, a key being the path of its file.
///
/// A blob is written to a file beside its place, `.part-{8 hexadecimal digits}-{name}`, synchronised, and renamed when
/// it is whole; so a key has either no blob or a whole one, also after a power loss. A writer holds its file's lock, so
/// that another process that starts on the same folder can tell work in progress from what a dead process left behind.
public struct FileBlobStore: BlobStore {
    /// The folder's path.
    public let directory: String

    /// Makes the folder where it is missing.
    public init(directory: String) throws(JobsError) {
        self.directory = directory
        try FileSystem.makeFolders(directory)
    }

    /// Removes the unfinished files that nobody is writing: what dead processes left. To be called once at the start, when
    /// what is of use has been taken out of them.
    public func removeAbandoned() throws(JobsError) { try sweep(directory) }

    public func create(_ key: String) throws -> any BlobWriter {
        let key = try BlobKey(key)
        let folder = path(key.folder)
        try FileSystem.makeFolders(folder)
        return try FileBlobWriter(folder: folder, name: key.name)
    }

    public func resume(_ key: String) throws -> (any BlobAppender)? {
        let key = try BlobKey(key)
        return try FileBlobAppender.open(folder: path(key.folder), name: key.name)
    }

    public func open(_ key: String) throws -> (any BlobReader)? { try reader(path(BlobKey(key).segments)) }

    public func openPartial(_ key: String) throws -> (any BlobReader)? {
        let key = try BlobKey(key)
        let parts = try unfinished(key)
        guard let newest = parts.max(by: { FileSystem.modificationTime($0) < FileSystem.modificationTime($1) }) else {
            return nil
        }
        return try reader(newest)
    }

    public func digest(_ key: String) throws -> String? {
        let path = path(try BlobKey(key).segments)
        guard let descriptor = try FileSystem.openForReading(path) else { return nil }
        defer { close(descriptor) }
        if let kept = BlobDigest.kept(with: descriptor) { return kept }
        let digest = try BlobDigest.compute(descriptor, path: path)
        BlobDigest.keep(digest, with: descriptor)
        return digest
    }

    /// A hard link: blobs are replaced and removed, but never changed.
    public func copy(_ key: String, to other: String) throws -> Bool {
        let (key, target) = (try BlobKey(key), try BlobKey(other))
        let folder = path(target.folder)
        try FileSystem.makeFolders(folder)
        guard link(path(key.segments), path(target.segments)) != 0 else {
            try FileSystem.synchronise(folder: folder)
            return true
        }
        // The key is taken, or the file system has no such links.
        guard let reader = try reader(path(key.segments)) else { return false }
        let writer = try create(other)
        try Self.copy(reader, to: writer)
        _ = try writer.commit()
        return true
    }

    private static func copy(_ reader: any BlobReader, to writer: any BlobWriter) throws {
        let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: copiedPieceSize, alignment: 16)
        defer { piece.deallocate() }
        var offset: Int64 = 0
        while case let count = try reader.read(into: piece, at: offset), count > 0 {
            try writer.write(UnsafeRawBufferPointer(rebasing: piece[..<count]))
            offset += Int64(count)
        }
    }

    private static let copiedPieceSize = 1 << 20

    public func remove(_ key: String) throws {
        let key = try BlobKey(key)
        let path = path(key.segments)
        if FileSystem.isFolder(path) { try FileSystem.removeFolder(path) } else { try FileSystem.removeFile(path) }
        for part in try unfinished(key) { try FileSystem.removeFile(part) }
    }

    public func children(of prefix: String) throws -> [String] {
        let folder = prefix.isEmpty ? directory : path(try BlobKey(prefix).segments)
        return try FileSystem.names(in: folder).filter { !$0.hasPrefix(".") }.sorted()
    }

    public func localPath(_ key: String) throws -> String? {
        let path = path(try BlobKey(key).segments)
        guard let descriptor = try FileSystem.openForReading(path) else { return nil }
        close(descriptor)
        return path
    }

    public func scratch() throws -> any ScratchFile { try FileScratch(folder: directory) }

    public func availableBytes() throws -> Int64 {
        var status = statvfs()
        guard statvfs(directory, &status) == 0 else { throw FileSystem.failure("look at the free space of", directory) }
        let (bytes, overflow) = UInt64(status.f_bavail).multipliedReportingOverflow(by: UInt64(status.f_frsize))
        return overflow ? .max : Int64(clamping: bytes)
    }

    /// Removes folders in which there is nothing. Only while nobody writes to the store, in this process or another.
    public func removeEmptyFolders() throws(JobsError) { try FileSystem.removeEmptyFolders(in: directory) }

    // MARK: Paths

    private func path(_ segments: [Substring]) -> String { ([Substring(directory)] + segments).joined(separator: "/") }

    private func reader(_ path: String) throws(JobsError) -> FileBlobReader? {
        guard let descriptor = try FileSystem.openForReading(path) else { return nil }
        return FileBlobReader(descriptor: descriptor, path: path)
    }

    /// The files in which a key's blob is being written.
    private func unfinished(_ key: BlobKey) throws(JobsError) -> [String] {
        let folder = path(key.folder)
        let open = OpenName.make(key.name)
        return try FileSystem.names(in: folder).filter { PartName.blobName($0) == key.name || $0 == open }.map {
            "\(folder)/\($0)"
        }
    }

    /// A file whose name goes on after that of a locked one is what an encoder makes for it.
    private func sweep(_ folder: String) throws(JobsError) {
        let names = try FileSystem.names(in: folder)
        let parts = names.filter { PartName.blobName($0) != nil }
        // Listed again: the locked file is there before what stands beside it, and one list may have missed it.
        let active = try FileSystem.names(in: folder).filter {
            PartName.blobName($0) != nil && !FileSystem.isAbandoned("\(folder)/\($0)")
        }
        for part in parts where !active.contains(where: { part == $0 || part.hasPrefix($0 + ".") }) {
            try FileSystem.removeAbandoned("\(folder)/\(part)")
        }
        for name in names where PartName.blobName(name) == nil {
            let path = "\(folder)/\(name)"
            if FileSystem.isFolder(path) { try sweep(path) }
        }
    }
}

/// The name of a file that becomes a blob. It keeps the blob's name at its end, for encoders that go by the extension.
enum PartName {
    private static let prefix = ".part-"
    private static let digits = 8

    static func make(_ name: String) -> String {
        let number = String(UInt32.random(in: 0...(.max)), radix: 16)
        return prefix + String(repeating: "0", count: digits - number.count) + number + "-" + name
    }

    /// What an encoder makes for a part: beside it, under a longer name with the blob's extension.
    static func encoded(_ part: String, name: String) -> String {
        let dot = name.lastIndex(of: ".")
        return part + ".encoded" + (dot.map { String(name[$0...]) } ?? "")
    }

    /// The blob's name; `nil` where the file is not of this kind.
    static func blobName(_ name: String) -> String? {
        guard name.hasPrefix(prefix), name.utf8.count > prefix.utf8.count + digits + 1 else { return nil }
        return String(name.dropFirst(prefix.count + digits + 1))
    }
}
