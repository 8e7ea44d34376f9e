import Foundation
import SQLiteJobStore

/// Puts a backup where a service can start on it. Every file is held against the digest in the backup, the database
/// against SQLite's own check, before anything is where a service would find it.
struct Restoration {
    let backup: String
    let database: String
    let blobs: String

    /// Returns what was restored.
    func run() throws -> BackupManifest {
        let manifest = try BackupManifest.read(from: backup)
        for path in [database, database + "-wal", blobs] where FileManager.default.fileExists(atPath: path) {
            guard DurableFile.isFolder(path), DurableFile.entries(path).isEmpty else {
                throw CommandFailure(.cannotCreate, "\(path): is there already; restore into an empty folder")
            }
        }
        let draft = database + ".restoring"
        try? FileManager.default.removeItem(atPath: draft)
        do {
            for file in manifest.files { try restore(file, to: draft) }
            try check(draft + "/" + BackupManifest.database)
            try DurableFile.synchronise(folders: draft)
            try move(draft)
        } catch {
            try? FileManager.default.removeItem(atPath: draft)
            throw error
        }
        return manifest
    }

    private func restore(_ file: BackupManifest.File, to draft: String) throws {
        let path = backup + "/" + file.path
        guard let copied = try DurableFile.copy(from: path, to: draft + "/" + file.path) else {
            throw CommandFailure(.dataError, "\(path): is missing")
        }
        guard copied.bytes == file.bytes, copied.sha256 == file.sha256 else {
            throw CommandFailure(.dataError, "\(path): is damaged: its SHA-256 is not the one in the backup")
        }
    }

    private func check(_ path: String) throws {
        let store = try SQLiteJobStore(path: path)
        defer { try? store.close() }
        if let damage = try store.damage() {
            throw CommandFailure(.dataError, "\(path): the database is damaged: \(damage)")
        }
    }

    /// Blobs first: a blob without its job is swept away, and a job without its blobs is none.
    private func move(_ draft: String) throws {
        try DurableFile.makeFolder(DurableFile.parent(of: blobs))
        let restored = draft + "/" + BackupManifest.blobs
        // An empty folder may be there.
        if FileManager.default.fileExists(atPath: restored) {
            guard rename(restored, blobs) == 0 else { throw cannotMove(blobs) }
        }
        guard rename(draft + "/" + BackupManifest.database, database) == 0 else { throw cannotMove(database) }
        try FileManager.default.removeItem(atPath: draft)
        try DurableFile.synchronise(folders: DurableFile.parent(of: database))
    }

    private func cannotMove(_ path: String) -> CommandFailure {
        CommandFailure(.cannotCreate, "\(path): cannot be put in place: \(String(cString: strerror(errno)))")
    }
}
