import Jobs

/// What tenants have and may have. The counts are kept by the triggers of `0001_jobs.sql`.
extension PostgresJobStore {
    public func usage(of tenant: TenantID) throws -> TenantUsage {
        try transactor.read { connection in
            let sql = """
                SELECT coalesce(sum(queued), 0)::bigint, coalesce(sum(running), 0)::bigint,
                    (SELECT queued_limit FROM tenants WHERE name = $1), (SELECT running_limit FROM tenants WHERE name = $1)
                FROM tenant_counts WHERE tenant = $1
                """
            guard let row = try connection.execute(sql, [.text(tenant.name)]).first else { return TenantUsage() }
            return TenantUsage(
                queued: row.int(0), running: row.int(1),
                quota: TenantQuota(queued: row.optionalInt(2), running: row.optionalInt(3)))
        }
    }

    public func setQuota(_ quota: TenantQuota, of tenant: TenantID) throws {
        try transactor.write { connection in
            let sql = """
                INSERT INTO tenants (name, queued_limit, running_limit) VALUES ($1, $2, $3)
                ON CONFLICT (name) DO UPDATE SET
                    queued_limit = excluded.queued_limit, running_limit = excluded.running_limit
                """
            try connection.execute(sql, [.text(tenant.name), .optional(quota.queued), .optional(quota.running)])
        }
        changes.note(StoreChange(isQueued: true))
    }

    /// The tenant's quota of queued jobs; `nil`: none. Until the transaction ends nobody else submits for a tenant that has
    /// one, so that what is counted afterwards stays right.
    static func lockQueueLimit(of tenant: TenantID, _ connection: PostgresConnection) throws -> Int? {
        let sql = "SELECT queued_limit FROM tenants WHERE name = $1 AND queued_limit IS NOT NULL FOR UPDATE"
        return try connection.execute(sql, [.text(tenant.name)]).first?.optionalInt(0)
    }

    /// To be called after a job was inserted, in the same transaction.
    static func requireRoom(_ limit: Int, _ tenant: TenantID, _ connection: PostgresConnection) throws {
        let sql = "SELECT coalesce(sum(queued), 0)::bigint FROM tenant_counts WHERE tenant = $1"
        let queued = try connection.execute(sql, [.text(tenant.name)]).first?.int(0) ?? 0
        if queued > limit { throw JobsError.queueQuota(limit) }
    }
}
