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
        let hadBlobs = DurableFile.isFolder(blobs)
        let (draft, blobDraft) = (database + ".restoring", blobs + "/.restoring")
        for path in [draft, blobDraft] { try? FileManager.default.removeItem(atPath: path) }
        for path in [database, database + "-wal", blobs] where FileManager.default.fileExists(atPath: path) {
            guard DurableFile.isFolder(path), DurableFile.entries(path).isEmpty else {
                throw CommandFailure(.cannotCreate, "\(path): is there already; restore into an empty folder")
            }
        }
        do {
            let blobPrefix = BackupManifest.blobs + "/"
            for file in manifest.files {
                let isBlob = file.path.hasPrefix(blobPrefix)
                let target = isBlob ? blobDraft + "/" + file.path.dropFirst(blobPrefix.count) : draft + "/" + file.path
                try restore(file, to: target)
            }
            try check(draft + "/" + BackupManifest.database)
            try DurableFile.synchronise(folders: draft)
            try move(blobsFrom: blobDraft, databaseFrom: draft)
        } catch {
            for path in [draft, blobDraft] { try? FileManager.default.removeItem(atPath: path) }
            if !hadBlobs { rmdir(blobs) }
            throw error
        }
        return manifest
    }

    private func restore(_ file: BackupManifest.File, to target: String) throws {
        let path = backup + "/" + file.path
        guard let copied = try DurableFile.copy(from: path, to: target) else {
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

    /// Blobs first: a blob without its job is swept away, and a job without its blobs is none. Each from a folder on the
    /// file system that it goes to, and blobs from within their own, which may be where one is mounted.
    private func move(blobsFrom blobDraft: String, databaseFrom draft: String) throws {
        if FileManager.default.fileExists(atPath: blobDraft) {
            for name in try FileManager.default.contentsOfDirectory(atPath: blobDraft) {
                let target = blobs + "/" + name
                guard rename(blobDraft + "/" + name, target) == 0 else { throw cannotMove(target) }
            }
            try FileManager.default.removeItem(atPath: blobDraft)
            try DurableFile.synchronise(folders: blobs)
            try DurableFile.synchronise(folder: DurableFile.parent(of: blobs))
        }
        guard rename(draft + "/" + BackupManifest.database, database) == 0 else { throw cannotMove(database) }
        try FileManager.default.removeItem(atPath: draft)
        try DurableFile.synchronise(folder: DurableFile.parent(of: database))
    }

    private func cannotMove(_ path: String) -> CommandFailure {
        CommandFailure(.cannotCreate, "\(path): cannot be put in place: \(String(cString: strerror(errno)))")
    }
}
