import CLinux
import Crypto
import Foundation
import Jobs

/// Files that are on the disk when a call returns.
enum DurableFile {
    /// Copies a file. Returns its length and digest as they were read; `nil` where there is no such file (any more).
    static func copy(from source: String, to target: String) throws -> (bytes: Int64, sha256: String)? {
        let input = open(source, O_RDONLY | O_CLOEXEC)
        guard input >= 0 else {
            if errno == ENOENT { return nil }
            throw failure("cannot read", source, .noInput)
        }
        defer { close(input) }
        try makeFolder(parent(of: target))
        let output = open(target, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, PrivateFiles.fileMode)
        guard output >= 0 else { throw failure("cannot make", target, .cannotCreate) }
        defer { close(output) }
        var hash = SHA256()
        var bytes: Int64 = 0
        var piece = [UInt8](repeating: 0, count: pieceSize)
        while true {
            let count = read(input, &piece, piece.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw failure("cannot read", source, .noInput) }
            if count == 0 { break }
            hash.update(data: piece[..<count])
            guard Console.write(Array(piece[..<count]), to: output) else {
                throw failure("cannot write", target, .cannotCreate)
            }
            bytes += Int64(count)
        }
        guard fsync(output) == 0 else { throw failure("cannot write", target, .cannotCreate) }
        return (bytes, Hexadecimal.text(hash.finalize()))
    }

    /// Length and digest of a file; `nil` where there is none.
    static func look(at path: String) throws -> (bytes: Int64, sha256: String)? {
        guard let handle = FileHandle(forReadingAtPath: path) else { return nil }
        defer { try? handle.close() }
        var hash = SHA256()
        var bytes: Int64 = 0
        while let piece = try handle.read(upToCount: pieceSize), !piece.isEmpty {
            hash.update(data: piece)
            bytes += Int64(piece.count)
        }
        return (bytes, Hexadecimal.text(hash.finalize()))
    }

    static func write(_ bytes: [UInt8], to path: String) throws {
        let output = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, PrivateFiles.fileMode)
        guard output >= 0 else { throw failure("cannot make", path, .cannotCreate) }
        defer { close(output) }
        guard Console.write(bytes, to: output), fsync(output) == 0 else {
            throw failure("cannot write", path, .cannotCreate)
        }
    }

    /// Brings a file that another wrote to the disk.
    static func synchronise(_ path: String) throws {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        defer { if file >= 0 { close(file) } }
        guard file >= 0, fsync(file) == 0 else { throw failure("cannot write", path, .cannotCreate) }
    }

    /// Brings the entries of a folder and of all below it to the disk.
    static func synchronise(folders path: String) throws {
        for folder in [path] + entries(path).filter({ isFolder($0) }) { try synchronise(folder: folder) }
    }

    /// Of one folder alone.
    static func synchronise(folder: String) throws {
        guard clinux_fsync_directory(folder) == 0 else { throw failure("cannot write", folder, .cannotCreate) }
    }

    static func makeFolder(_ path: String) throws {
        do {
            try PrivateFiles.makeFolders(path)
        } catch {
            throw CommandFailure(.cannotCreate, error.message)
        }
    }

    /// Files and folders below a folder, at any depth.
    static func entries(_ folder: String) -> [String] {
        (FileManager.default.enumerator(atPath: folder)?.allObjects as? [String] ?? []).sorted().map {
            folder + "/" + $0
        }
    }

    static func isFolder(_ path: String) -> Bool {
        var isFolder: ObjCBool = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
    }

    static func parent(of path: String) -> String { URL(fileURLWithPath: path).deletingLastPathComponent().path }

    private static func failure(_ what: String, _ path: String, _ status: ExitStatus) -> CommandFailure {
        CommandFailure(status, "\(path): \(what): \(String(cString: strerror(errno)))")
    }

    private static let pieceSize = 1 << 20
}
