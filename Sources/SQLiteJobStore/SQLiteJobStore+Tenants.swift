import GRDB
import Jobs

/// What tenants have and may have. The counts are kept by the triggers of `0002_tenants.sql` and `0014_stored_bytes.sql`.
extension SQLiteJobStore {
    public func usage(of tenant: TenantID) throws -> TenantUsage {
        try read { db in try Self.usage(db, tenant) }
    }

    public func setQuota(_ quota: TenantQuota, of tenant: TenantID) throws {
        try write { db in
            let sql = """
                INSERT INTO tenants (name, queued_limit, running_limit, stored_limit) VALUES (?, ?, ?, ?)
                ON CONFLICT (name) DO UPDATE SET
                    queued_limit = excluded.queued_limit, running_limit = excluded.running_limit,
                    stored_limit = excluded.stored_limit
                """
            try db.cachedStatement(sql: sql).execute(
                arguments: [tenant.name, quota.queued, quota.running, quota.stored])
        }
    }

    public func addStoredBytes(_ bytes: Int64, to job: JobID) throws {
        try write { db in
            let sql = "UPDATE jobs SET stored_bytes = stored_bytes + ? WHERE id = ? AND purged_at IS NULL"
            try db.cachedStatement(sql: sql).execute(arguments: [bytes, job.description])
        }
    }

    /// To be called after a job was inserted, in the same savepoint.
    func requireRoom(for new: NewJob, _ db: Database) throws {
        try Self.usage(db, new.job.tenant).requireRoom(including: new, in: capacity)
        guard capacity.total != nil else { return }
        let sql = "SELECT count FROM job_counts WHERE status = 'queued'"
        let queued = try Int.fetchOne(db.cachedStatement(sql: sql)) ?? 0
        try capacity.requireRoom(after: queued - 1)
    }

    /// Of uploads that neither a job has taken nor have been swept.
    static let uploadedBytesSQL = """
        SELECT coalesce(sum(coalesce(length, received)), 0) FROM uploads
        WHERE tenant = :tenant AND job_id IS NULL AND removed_at IS NULL
        """

    static func usage(_ db: Database, _ tenant: TenantID) throws -> TenantUsage {
        let arguments: StatementArguments = ["tenant": tenant.name]
        let uploaded = try Int64.fetchOne(db.cachedStatement(sql: uploadedBytesSQL), arguments: arguments) ?? 0
        let sql = """
            SELECT queued, running, stored, queued_limit, running_limit, stored_limit FROM tenants WHERE name = :tenant
            """
        guard let row = try db.cachedStatement(sql: sql).rows(arguments).first else {
            return TenantUsage(stored: uploaded)
        }
        return TenantUsage(
            queued: row[0], running: row[1], stored: row[2] + uploaded,
            quota: TenantQuota(queued: row[3], running: row[4], stored: row[5]))
    }
}
