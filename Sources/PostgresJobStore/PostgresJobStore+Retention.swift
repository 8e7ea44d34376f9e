import Foundation
import Jobs

/// Jobs that are over their time.
extension PostgresJobStore {
    public func expiredJobs(limit: Int) throws -> [JobID] {
        let sql = """
            SELECT id FROM jobs
            WHERE expires_at IS NOT NULL AND purged_at IS NULL AND expires_at <= \(Self.now("$1"))
            ORDER BY expires_at LIMIT $2
            """
        return try ids(sql, [givenNow, .integer(limit)])
    }

    public func purgedJobs(until time: Date, limit: Int) throws -> [JobID] {
        let sql = "SELECT id FROM jobs WHERE purged_at IS NOT NULL AND purged_at <= $1 ORDER BY purged_at LIMIT $2"
        return try ids(sql, [.integer(time.unixMilliseconds), .integer(limit)])
    }

    public func markPurged(_ ids: [JobID]) throws {
        let sql = """
            UPDATE jobs SET purged_at = coalesce(purged_at, \(Self.now("$2"))), stored_bytes = 0
            WHERE id = ANY ($1::uuid[])
            """
        try change(ids, sql, [givenNow])
    }

    public func removePurged(_ ids: [JobID]) throws {
        try change(ids, "DELETE FROM jobs WHERE id = ANY ($1::uuid[]) AND purged_at IS NOT NULL", [])
    }

    public func scheduleExpiry(after id: JobID?, limit: Int) throws -> JobID? {
        guard let retentionMilliseconds else { return nil }
        let sql = """
            SELECT id FROM jobs WHERE ($1::uuid IS NULL OR id > $1) AND finished_at IS NOT NULL AND expires_at IS NULL
            ORDER BY id LIMIT $2
            """
        let found = try ids(sql, [id.map { .id($0) } ?? .null, .integer(limit)])
        let update = """
            UPDATE jobs SET expires_at = \(Self.now("$2")) + $3::bigint, revision = revision + 1
            WHERE id = ANY ($1::uuid[]) AND expires_at IS NULL
            """
        try change(found, update, [givenNow, .integer(retentionMilliseconds)])
        return found.count == limit ? found.last : nil
    }

    private func ids(_ sql: String, _ values: [PostgresValue]) throws -> [JobID] {
        try readToRemove { connection in JobRow.ids(try connection.execute(sql, values)) }
    }

    /// Runs a statement for jobs, whose ids are the first parameter.
    private func change(_ ids: [JobID], _ sql: String, _ values: [PostgresValue]) throws {
        guard !ids.isEmpty else { return }
        _ = try transactor.write { connection in
            try connection.execute(sql, [.array(ids.map(\.description))] + values).changed
        }
        changes.note(StoreChange(jobs: ids.count > StoreChange.namedJobs ? nil : Set(ids)))
    }
}
