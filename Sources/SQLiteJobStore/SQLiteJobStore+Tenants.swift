import GRDB
import Jobs

/// What tenants have and may have. The counts are kept by the triggers of `0002_tenants.sql`.
extension SQLiteJobStore {
    public func usage(of tenant: TenantID) throws -> TenantUsage {
        try read { db in try Self.usage(db, tenant) }
    }

    public func setQuota(_ quota: TenantQuota, of tenant: TenantID) throws {
        try write { db in
            let sql = """
                INSERT INTO tenants (name, queued_limit, running_limit) VALUES (?, ?, ?)
                ON CONFLICT (name) DO UPDATE SET
                    queued_limit = excluded.queued_limit, running_limit = excluded.running_limit
                """
            try db.cachedStatement(sql: sql).execute(arguments: [tenant.name, quota.queued, quota.running])
        }
    }

    /// To be called after a job was inserted, in the same savepoint.
    static func requireQuota(_ db: Database, _ tenant: TenantID) throws {
        let usage = try usage(db, tenant)
        if let limit = usage.quota.queued, usage.queued > limit { throw JobsError.queueQuota(limit) }
    }

    private static func usage(_ db: Database, _ tenant: TenantID) throws -> TenantUsage {
        let sql = "SELECT queued, running, queued_limit, running_limit FROM tenants WHERE name = ?"
        guard let row = try db.cachedStatement(sql: sql).rows([tenant.name]).first else { return TenantUsage() }
        return TenantUsage(queued: row[0], running: row[1], quota: TenantQuota(queued: row[2], running: row[3]))
    }
}
