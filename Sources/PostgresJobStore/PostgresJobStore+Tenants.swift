import Jobs

/// What tenants have and may have. The counts are kept by the triggers of `0001_jobs.sql` and `0008_stored_bytes.sql`.
extension PostgresJobStore {
    public func usage(of tenant: TenantID) throws -> TenantUsage {
        try transactor.read { connection in try Self.usage(connection, tenant) }
    }

    public func setQuota(_ quota: TenantQuota, of tenant: TenantID) throws {
        try transactor.write { connection in
            let sql = """
                INSERT INTO tenants (name, queued_limit, running_limit, stored_limit) VALUES ($1, $2, $3, $4)
                ON CONFLICT (name) DO UPDATE SET
                    queued_limit = excluded.queued_limit, running_limit = excluded.running_limit,
                    stored_limit = excluded.stored_limit
                """
            try connection.execute(
                sql,
                [.text(tenant.name), .optional(quota.queued), .optional(quota.running), .optional(quota.stored)])
        }
        changes.note(StoreChange(isQueued: true))
    }

    public func addStoredBytes(_ bytes: Int64, to job: JobID) throws {
        _ = try transactor.write { connection in
            let sql = "UPDATE jobs SET stored_bytes = stored_bytes + $2 WHERE id = $1 AND purged_at IS NULL"
            return try connection.execute(sql, [.id(job), .integer(bytes)]).changed
        }
    }

    /// Until the transaction ends nobody else submits, or creates an upload, for a tenant that has a quota of what that
    /// adds to; so what is counted afterwards stays right.
    ///
    /// - Returns: whether the tenant has one.
    static func lockQuota(of tenant: TenantID, _ connection: PostgresConnection) throws -> Bool {
        let sql = """
            SELECT 1 FROM tenants WHERE name = $1 AND (queued_limit IS NOT NULL OR stored_limit IS NOT NULL) FOR UPDATE
            """
        return try connection.execute(sql, [.text(tenant.name)]).first != nil
    }

    /// To be called after a job was inserted, in the same transaction.
    ///
    /// Only a quota is held by a lock. The limits of the configuration may be passed by the jobs that are submitted in the
    /// same moment, one for each connection at most: to hold them, submissions would have to wait for each other's commits.
    ///
    /// - Parameter hasQuota: what ``lockQuota(of:_:)`` returned before.
    func requireRoom(for new: NewJob, hasQuota: Bool, _ connection: PostgresConnection) throws {
        let tenant = new.job.tenant
        if hasQuota || capacity.limit(of: tenant) != nil {
            try Self.usage(connection, tenant).requireRoom(including: new, in: capacity)
        }
        guard capacity.total != nil else { return }
        let sql = "SELECT coalesce(sum(count), 0)::bigint FROM job_counts WHERE status = 'queued'"
        let queued = try connection.execute(sql).first?.int(0) ?? 0
        try capacity.requireRoom(after: queued - 1)
    }

    static func usage(_ connection: PostgresConnection, _ tenant: TenantID) throws -> TenantUsage {
        // Of uploads, those that neither a job has taken nor have been swept.
        let sql = """
            SELECT counts.queued, counts.running, counts.stored + uploaded.bytes, tenants.queued_limit,
                tenants.running_limit, tenants.stored_limit
            FROM (
                SELECT coalesce(sum(queued), 0)::bigint AS queued, coalesce(sum(running), 0)::bigint AS running,
                    coalesce(sum(stored), 0)::bigint AS stored
                FROM tenant_counts WHERE tenant = $1
            ) AS counts CROSS JOIN (
                SELECT coalesce(sum(coalesce(length, received)), 0)::bigint AS bytes
                FROM uploads WHERE tenant = $1 AND job_id IS NULL AND removed_at IS NULL
            ) AS uploaded LEFT JOIN tenants ON tenants.name = $1
            """
        guard let row = try connection.execute(sql, [.text(tenant.name)]).first else { return TenantUsage() }
        return TenantUsage(
            queued: row.int(0), running: row.int(1), stored: row.integer(2),
            quota: TenantQuota(
                queued: row.optionalInt(3), running: row.optionalInt(4), stored: row.optionalInteger(5)))
    }
}
