import Foundation
import Jobs
import SQLiteJobStore

/// A copy of everything that a service keeps, taken while it works.
///
/// The database comes first, as of one moment; then the blobs, which never change once they are there. What was deleted
/// between the two is taken out of the copied database, so that each job in a backup has its source and its results.
/// Blobs of jobs that came later are left out. A job that lacks a blob and was not deleted is taken out as well, and
/// told: something was lost.
struct Backup {
    let database: String
    let blobs: String
    /// A folder that is not there.
    let target: String

    struct Summary {
        var jobs: Int
        var files: Int
        var bytes: Int64
        /// Deleted while the backup was made.
        var dropped: Int
        /// Blobs that are not there, of jobs that are. Those jobs are not in the backup.
        var missing: [SQLiteJobStore.NamedBlob]
    }

    func make(at time: Date) throws -> Summary {
        guard FileManager.default.fileExists(atPath: database) else {
            throw CommandFailure(.noInput, "\(database): there is no database")
        }
        guard !FileManager.default.fileExists(atPath: target) else {
            throw CommandFailure(.cannotCreate, "\(target): is there already")
        }
        // Under another name until it is whole.
        let draft = target + ".unfinished"
        try? FileManager.default.removeItem(atPath: draft)
        try DurableFile.makeFolder(draft)
        do {
            let summary = try fill(draft, at: time)
            guard rename(draft, target) == 0 else {
                throw CommandFailure(.cannotCreate, "\(target): cannot be made: \(String(cString: strerror(errno)))")
            }
            try DurableFile.synchronise(folders: DurableFile.parent(of: target))
            return summary
        } catch {
            try? FileManager.default.removeItem(atPath: draft)
            throw error
        }
    }

    private func fill(_ draft: String, at time: Date) throws -> Summary {
        let copy = draft + "/" + BackupManifest.database
        try SQLiteJobStore.backUp(from: database, to: copy)
        let store = try SQLiteJobStore(copy: copy)
        var files: [BackupManifest.File] = []
        var jobs = 0
        var notThere: [SQLiteJobStore.NamedBlob] = []
        do {
            for job in try store.backedUpJobs() {
                let copied = try copyBlobs(of: job, to: draft)
                if copied.notThere.isEmpty {
                    files += copied.files
                    jobs += 1
                } else {
                    _ = try store.delete(job.id, tenant: job.tenant)
                    try? FileManager.default.removeItem(
                        atPath: draft + "/" + BackupManifest.blobs + "/" + job.id.blobPrefix)
                    notThere += copied.notThere
                }
            }
            try store.close()
        } catch {
            try? store.close()
            throw error
        }
        try DurableFile.synchronise(copy)
        guard let content = try DurableFile.look(at: copy) else {
            throw CommandFailure(.software, "the copied database is gone")
        }
        files.append(.init(path: BackupManifest.database, bytes: content.bytes, sha256: content.sha256))
        let manifest = BackupManifest(createdAt: RFC3339.string(time), jobs: jobs, files: files)
        try manifest.write(to: draft)
        try DurableFile.synchronise(folders: draft)
        // A deletion takes the row first, and expiry is in the row before blobs go: the service's database tells them
        // from a loss.
        let missing = try SQLiteJobStore.stillNamed(notThere, in: database)
        let gone = Set(notThere.map(\.job)).subtracting(missing.map(\.job))
        return Summary(
            jobs: jobs, files: files.count, bytes: files.reduce(0) { $0 + $1.bytes }, dropped: gone.count,
            missing: missing)
    }

    /// - Returns: also those that are not there.
    private func copyBlobs(
        of job: SQLiteJobStore.BackedUpJob, to draft: String
    ) throws -> (files: [BackupManifest.File], notThere: [SQLiteJobStore.NamedBlob]) {
        var files: [BackupManifest.File] = []
        var notThere: [SQLiteJobStore.NamedBlob] = []
        for key in job.keys {
            let path = BackupManifest.blobs + "/" + key
            guard let copied = try DurableFile.copy(from: blobs + "/" + key, to: draft + "/" + path) else {
                notThere.append(.init(job: job.id, key: key))
                continue
            }
            guard key != job.sourceKey || copied.sha256 == job.sourceDigest else {
                throw CommandFailure(
                    .dataError, "\(blobs)/\(key): is not what was uploaded: its SHA-256 is \(copied.sha256)")
            }
            files.append(.init(path: path, bytes: copied.bytes, sha256: copied.sha256))
        }
        return (files, notThere)
    }
}
