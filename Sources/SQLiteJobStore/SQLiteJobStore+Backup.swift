import Foundation
import GRDB
import Jobs

/// Copies of a database that others may be writing to.
extension SQLiteJobStore {
    /// A job of a copy, and the blobs without which it is not whole.
    public struct BackedUpJob: Sendable {
        public var id: JobID
        public var tenant: TenantID
        public var keys: [String]
        /// Of the upload, as it was taken.
        public var sourceKey: String
        public var sourceDigest: String
    }

    /// A blob that the row of a job names.
    public struct NamedBlob: Hashable, Sendable {
        public var job: JobID
        public var key: String

        public init(job: JobID, key: String) {
            self.job = job
            self.key = key
        }
    }

    /// Writes one consistent moment of a database to a new file, whole and on the disk when this returns. Neither
    /// readers nor writers wait for it.
    public static func backUp(from path: String, to copy: String) throws(JobsError) {
        try translated {
            // SQLite takes an empty file, and would let everybody read one of its own.
            try PrivateFiles.makeFile(copy)
            let queue = try connection(to: path)
            defer { try? queue.close() }
            try queue.writeWithoutTransaction { db in try db.execute(sql: "VACUUM INTO ?", arguments: [copy]) }
        }
    }

    /// Of blobs that were not found, those that a database names all the same, of jobs whose time is not over. The
    /// others went with their jobs, or as those expired.
    public static func stillNamed(_ blobs: [NamedBlob], in path: String) throws(JobsError) -> [NamedBlob] {
        guard !blobs.isEmpty else { return [] }
        return try translated {
            let queue = try connection(to: path)
            defer { try? queue.close() }
            let now = SystemEnvironment().now()
            return try queue.read { db in try blobs.filter { try isNamed($0, at: now, db) } }
        }
    }

    private static func isNamed(_ blob: NamedBlob, at now: Date, _ db: Database) throws -> Bool {
        // Columns that each version has: the database is as its server left it, which may be an older one.
        let sql = "SELECT source, result_key, video_key, expires_at FROM jobs WHERE id = ? AND purged_at IS NULL"
        guard let row = try Row.fetchOne(db, sql: sql, arguments: [blob.job.description]) else { return false }
        let expires: Int64? = row["expires_at"]
        if let expires, Date(unixMilliseconds: expires) <= now { return false }
        let source: String = row["source"]
        let result: String? = row["result_key"]
        let video: String? = row["video_key"]
        let sourceKey = JobSource(storedText: source, of: blob.job).blobKey
        return blob.key == sourceKey || blob.key == result || blob.key == video
    }

    private static func connection(to path: String) throws -> DatabaseQueue {
        var configuration = Configuration()
        configuration.busyMode = .timeout(busySeconds)
        return try DatabaseQueue(path: path, configuration: configuration)
    }

    /// What SQLite finds wrong with the whole database; `nil`: nothing.
    public func damage() throws -> String? {
        let report = try read { db in try String.fetchAll(db, sql: "PRAGMA integrity_check(3)") }
        return report == ["ok"] ? nil : report.joined(separator: "; ")
    }

    /// The jobs whose source and results are still to be had.
    public func backedUpJobs() throws -> [BackedUpJob] {
        let sql = "SELECT \(JobRow.columns) FROM jobs WHERE purged_at IS NULL ORDER BY id"
        return try read { db in
            let rows = try Row.fetchCursor(db, sql: sql).compactMap { row -> BackedUpJob? in
                let job = try StoredJob(row).withoutSpec
                guard !job.hasExpired(at: environment.now()) else { return nil }
                return BackedUpJob(
                    id: job.id, tenant: job.tenant,
                    keys: [job.source.blobKey] + [job.resultKey, job.videoKey].compactMap { $0 },
                    sourceKey: job.source.blobKey, sourceDigest: job.source.sha256)
            }
            return try Array(rows)
        }
    }
}
