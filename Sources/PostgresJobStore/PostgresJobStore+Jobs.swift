import Foundation
import Jobs

/// The clients' side: submit, look, list, cancel, delete.
extension PostgresJobStore {
    /// What tells this database from others: a random name that it was given when its schema was made.
    public func installation() throws -> String {
        try transactor.read { connection in
            guard let row = try connection.execute("SELECT id FROM installation").first else {
                throw JobsError(.corrupt, "the job database has lost its name: its table `installation` is empty")
            }
            return row.text(0)
        }
    }

    public func submit(_ job: Job) throws {
        let new = NewJob(job)
        try transactor.write { connection in try insert(new, connection) }
        changes.note(StoreChange(jobs: [job.id], isQueued: true))
    }

    public func stored(_ id: JobID, tenant: TenantID) throws -> StoredJob? {
        try transactor.read { connection in try Self.job(connection, id, tenant) }
    }

    public func jobs(_ query: JobQuery) throws -> JobPage {
        // PostgreSQL's text holds no NUL, and so no job has it in a label.
        let texts = query.labels.flatMap { [$0.key, $0.value] }
        guard !texts.contains(where: { $0.utf8.contains(0) }) else { return JobPage(jobs: [], hasMore: false) }
        let (sql, values) = Self.listing(query)
        let (stored, hasMore) = try transactor.read { connection -> ([StoredJob], Bool) in
            var jobs: [StoredJob] = []
            for row in try connection.execute(sql, values).rows {
                guard jobs.count < query.limit, row.optionalText(JobRow.spec) != nil else { return (jobs, true) }
                jobs.append(try JobRow.stored(row))
            }
            return (jobs, false)
        }
        return JobPage(jobs: try stored.map { try $0.read() }, hasMore: hasMore)
    }

    public func requestCancel(_ id: JobID, tenant: TenantID, ifRevision: Int64?) throws -> Job? {
        let (job, hasChanged) = try transactor.write { connection -> (StoredJob?, Bool) in
            guard let job = try Self.job(connection, id, tenant, locking: true) else { return (nil, false) }
            try job.withoutSpec.require(revision: ifRevision)
            let sql = """
                UPDATE jobs SET status = CASE status WHEN 'queued' THEN 'canceled' ELSE status END,
                    finished_at = CASE status WHEN 'queued' THEN \(Self.now("$2")) ELSE finished_at END,
                    expires_at = CASE status WHEN 'queued' THEN \(Self.now("$2")) + $3::bigint ELSE expires_at END,
                    cancel_requested = true, revision = revision + 1
                WHERE id = $1 AND (status = 'queued' OR (status = 'running' AND NOT cancel_requested))
                """
            let result = try connection.execute(sql, [.id(id), givenNow, .optional(retentionMilliseconds)])
            guard result.changed == 1 else { return (job, false) }
            try addDelivery(of: id, connection)
            return (try Self.job(connection, id, tenant), true)
        }
        if hasChanged { changes.note(StoreChange(jobs: [id], isEnded: true)) }
        return job?.changed
    }

    public func delete(_ id: JobID, tenant: TenantID, ifRevision: Int64?) throws -> Job? {
        let job = try transactor.write { connection -> StoredJob? in
            guard let job = try Self.job(connection, id, tenant, locking: true) else { return nil }
            try job.withoutSpec.require(revision: ifRevision)
            try connection.execute("DELETE FROM jobs WHERE id = $1", [.id(id)])
            return job
        }
        if job != nil { changes.note(StoreChange(jobs: [id])) }
        return job?.changed
    }

    public func attachVideo(_ key: String, job: JobID) throws -> Bool {
        let isAttached = try transactor.write { connection in
            let sql = """
                UPDATE jobs SET video_key = $2, revision = revision + 1
                WHERE id = $1 AND status IN ('succeeded', 'failed', 'canceled')
                """
            return try connection.execute(sql, [.id(job), .text(key)]).changed == 1
        }
        if isAttached { changes.note(StoreChange(jobs: [job])) }
        return isAttached
    }

    public func exists(_ id: JobID) throws -> Bool {
        try readToRemove { connection in
            try connection.execute("SELECT EXISTS (SELECT 1 FROM jobs WHERE id = $1)", [.id(id)]).first?.boolean(0)
                ?? false
        }
    }

    public func counts() throws -> [JobStatus: Int] {
        try transactor.read { connection in
            let sql = "SELECT status, sum(count)::bigint FROM job_counts GROUP BY status"
            var counts = Dictionary(uniqueKeysWithValues: JobStatus.allCases.map { ($0, 0) })
            for row in try connection.execute(sql).rows {
                if let status = JobStatus(rawValue: row.text(0)) { counts[status] = row.int(1) }
            }
            return counts
        }
    }

    // MARK: Helpers

    /// The job and its labels in one statement.
    private static let insertSQL = """
        WITH job AS (
            INSERT INTO jobs (id, tenant, status, priority, spec, source, has_webhook, created_at, deadline_at, revision,
                trace_id, stored_bytes)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $14) RETURNING id, tenant, status
        )
        INSERT INTO job_labels (job_id, tenant, name, value, status)
        SELECT job.id, job.tenant, label.name, label.value, job.status
        FROM job CROSS JOIN unnest($12::text[], $13::text[]) AS label (name, value)
        """

    /// - Throws: where there is more than may be, with this job; the transaction it is called in undoes the rest.
    func insert(_ new: NewJob, _ connection: PostgresConnection) throws {
        let job = new.job
        let hasQuota = try Self.lockQuota(of: job.tenant, connection)
        let labels = job.spec.labels.sorted { $0.key < $1.key }
        let deadline = job.spec.deadlineSeconds.map { job.createdAt.unixMilliseconds + Int64((1000 * $0).rounded()) }
        try connection.execute(
            Self.insertSQL,
            [
                .id(job.id), .text(job.tenant.name), .text(job.status.rawValue), .integer(job.spec.priority),
                .text(new.spec), .text(job.source.storedJSON.storedText),
                .boolean(job.spec.webhook != nil), .integer(job.createdAt.unixMilliseconds), .optional(deadline),
                .integer(job.revision), .optional(job.traceID), .array(labels.map(\.key)), .array(labels.map(\.value)),
                .integer(new.storedBytes),
            ])
        try requireRoom(for: new, hasQuota: hasQuota, connection)
    }

    static func job(
        _ connection: PostgresConnection, _ id: JobID, _ tenant: TenantID, locking: Bool = false
    ) throws -> StoredJob? {
        let sql = "SELECT \(JobRow.columns) FROM jobs WHERE id = $1 AND tenant = $2"
        let result = try connection.execute(locking ? sql + " FOR UPDATE" : sql, [.id(id), .text(tenant.name)])
        return try result.first.map { row throws(JobsError) in try JobRow.stored(row) }
    }

    /// One row more than asked for tells whether there are more; so does one without a spec, before which the page is full.
    /// With labels, the first label's index leads, in the order of the ids, with the state where that is asked for.
    static func listing(_ query: JobQuery) -> (sql: String, values: [PostgresValue]) {
        var values: [PostgresValue] = []
        func place(_ value: PostgresValue) -> String {
            values.append(value)
            return "$\(values.count)"
        }
        let labels = query.labels.sorted { $0.key < $1.key }
        var conditions: [String] = []
        let (source, ordering, status): (String, String, String)
        if let first = labels.first {
            source = "job_labels AS label JOIN jobs ON jobs.id = label.job_id"
            (ordering, status) = ("label.job_id", "label.status")
            conditions.append("label.tenant = \(place(.text(query.tenant.name)))")
            conditions.append("label.name = \(place(.text(first.key))) AND label.value = \(place(.text(first.value)))")
        } else {
            (source, ordering, status) = ("jobs", "jobs.id", "jobs.status")
            conditions.append("jobs.tenant = \(place(.text(query.tenant.name)))")
        }
        for label in labels.dropFirst() {
            conditions.append(
                """
                EXISTS (SELECT 1 FROM job_labels AS other WHERE other.job_id = jobs.id
                    AND other.name = \(place(.text(label.key))) AND other.value = \(place(.text(label.value))))
                """)
        }
        if let wanted = query.status { conditions.append("\(status) = \(place(.text(wanted.rawValue)))") }
        if let before = query.before { conditions.append("\(ordering) < \(place(.id(before)))") }
        let columns = JobRow.columns.components(separatedBy: ", jobs.spec")[0]
        let sql = """
            SELECT \(columns), CASE WHEN coalesce(sum(octet_length(jobs.spec)) OVER (
                    ORDER BY \(ordering) DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0)
                < \(JobQuery.pageBytes) THEN jobs.spec END
            FROM \(source) WHERE \(conditions.joined(separator: " AND "))
            ORDER BY \(ordering) DESC LIMIT \(place(.integer(query.limit + 1)))
            """
        return (sql, values)
    }
}
