import Foundation
import GRDB
import Jobs

/// Jobs that are over their time.
extension SQLiteJobStore {
    static let expiredSQL = """
        SELECT id FROM jobs WHERE expires_at IS NOT NULL AND purged_at IS NULL AND expires_at <= ?
        ORDER BY expires_at LIMIT ?
        """
    static let purgedSQL =
        "SELECT id FROM jobs WHERE purged_at IS NOT NULL AND purged_at <= ? ORDER BY purged_at LIMIT ?"

    public func expiredJobs(limit: Int) throws -> [JobID] { try ids(Self.expiredSQL, [now, limit]) }

    public func purgedJobs(until time: Date, limit: Int) throws -> [JobID] {
        try ids(Self.purgedSQL, [time.unixMilliseconds, limit])
    }

    public func markPurged(_ ids: [JobID]) throws {
        let sql = "UPDATE jobs SET purged_at = coalesce(purged_at, :now), stored_bytes = 0 WHERE id = :id"
        try forEach(ids, sql, ["now": now])
    }

    public func removePurged(_ ids: [JobID]) throws {
        try forEach(ids, "DELETE FROM jobs WHERE id = :id AND purged_at IS NOT NULL", [:])
    }

    public func scheduleExpiry(after id: JobID?, limit: Int) throws -> JobID? {
        guard let retentionMilliseconds else { return nil }
        let sql = """
            SELECT id FROM jobs WHERE id > ? AND finished_at IS NOT NULL AND expires_at IS NULL ORDER BY id LIMIT ?
            """
        let found = try ids(sql, [id?.description ?? "", limit])
        let expires = now + retentionMilliseconds
        try forEach(
            found, "UPDATE jobs SET expires_at = :expires, revision = revision + 1 WHERE id = :id", ["expires": expires]
        )
        return found.count == limit ? found.last : nil
    }

    private func ids(_ sql: String, _ arguments: StatementArguments) throws -> [JobID] {
        try read { db in try db.cachedStatement(sql: sql).rows(arguments).compactMap { JobID($0[0] as String) } }
    }

    /// Runs a statement for each job, all in one transaction.
    private func forEach(_ ids: [JobID], _ sql: String, _ arguments: StatementArguments) throws {
        guard !ids.isEmpty else { return }
        try write { db in
            for id in ids { try db.cachedStatement(sql: sql).execute(arguments: arguments + ["id": id.description]) }
        }
    }
}
