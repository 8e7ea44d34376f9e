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

    /// Writes one consistent moment of a database to a new file, whole and on the disk when this returns. Neither
    /// readers nor writers wait for it.
    public static func backUp(from path: String, to copy: String) throws(JobsError) {
        try translated {
            // SQLite takes an empty file, and would let everybody read one of its own.
            try PrivateFiles.makeFile(copy)
            var configuration = Configuration()
            configuration.busyMode = .timeout(busySeconds)
            let queue = try DatabaseQueue(path: path, configuration: configuration)
            defer { try? queue.close() }
            try queue.writeWithoutTransaction { db in try db.execute(sql: "VACUUM INTO ?", arguments: [copy]) }
        }
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
