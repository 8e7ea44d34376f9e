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

    /// What a submission found out about its tenant before it added its job.
    enum Room {
        /// The tenant may have what it likes.
        case unlimited
        /// Until the transaction ends nobody else submits for the tenant.
        case held
        /// Others submit at the same time, as long as no more jobs wait than this, with each of theirs.
        case shared(most: Int)
    }

    /// The lock of a tenant's queue, until the transaction ends, and how many jobs may wait then.
    ///
    /// Submissions share it while there is room for one more from each of the server's connections: none of them could pass
    /// the limit, and none waits for another's commit. Nearer to the limit they go one after the other.
    private static let lockQueueSQL = """
        SELECT most, CASE WHEN most < $2::bigint THEN pg_advisory_xact_lock_shared(space, tenant)
            ELSE pg_advisory_xact_lock(space, tenant) END
        FROM (
            SELECT hashtext('lktrack.queue.' || current_schema()) AS space, hashtext($1::text) AS tenant,
                CASE WHEN waiting < unshared THEN unshared ELSE $2::bigint END AS most
            FROM (
                SELECT coalesce(sum(queued), 0) AS waiting,
                    $2::bigint - current_setting('max_connections')::bigint AS unshared
                FROM tenant_counts WHERE tenant = $1
            ) AS counts
        ) AS room
        """

    /// To be called before a job is inserted, in the same transaction.
    func lockRoom(of tenant: TenantID, _ connection: PostgresConnection) throws -> Room {
        if try Self.lockQuota(of: tenant, connection) { return .held }
        guard let limit = capacity.limit(of: tenant) else { return .unlimited }
        let seen = try connection.execute(Self.lockQueueSQL, [.text(tenant.name), .integer(limit)]).first
        guard let most = seen?.int(0), most < limit else { return .held }
        return .shared(most: most)
    }

    /// To be called after a job was inserted, in the same transaction. All tenants together may pass their limit by as many
    /// jobs as are submitted in the same moment: to hold that, all submissions would have to wait for each other.
    func requireRoom(for new: NewJob, within room: Room, _ connection: PostgresConnection) throws {
        switch room {
        case .unlimited: break
        case .held: try Self.usage(connection, new.job.tenant).requireRoom(including: new, in: capacity)
        case .shared(let most):
            guard try Self.usage(connection, new.job.tenant).queued <= most else {
                // Done again, alone.
                throw PostgresError(.server(PostgresError.serializationFailure), "the tenant's queue is nearly full")
            }
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
