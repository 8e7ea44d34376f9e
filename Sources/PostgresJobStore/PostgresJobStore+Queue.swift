import Foundation
import Jobs

/// The workers' side: claims, leases, outcomes. Every write of a worker is fenced by its lease's token.
extension PostgresJobStore {
    /// See `claim_job` in `migrations/postgres/0002_queue.sql`.
    private static let claimSQL = """
        SELECT \(JobRow.columns), jobs.lease_expires_at FROM claim_job($1, $2, $3, $4) AS jobs
        """

    public func claim(owner: String, leaseSeconds: Double) throws -> ClaimedJob? {
        let token = environment.leaseToken()
        // The token is of this claim alone: with it the statement may be run twice.
        let claimed = try transactor.read { connection -> (job: StoredJob, expiresAt: Date)? in
            let milliseconds = Int64((leaseSeconds * 1000).rounded())
            let values: [PostgresValue] = [givenNow, .text(owner), .text(token), .integer(milliseconds)]
            guard let row = try connection.execute(Self.claimSQL, values).first else { return nil }
            return (try JobRow.stored(row), row.date(JobRow.count))
        }
        guard let claimed else { return nil }
        changes.note(StoreChange(jobs: [claimed.job.withoutSpec.id]))
        let job = try claimed.job.read()
        return ClaimedJob(job: job, lease: Lease(job: job.id, token: token, expiresAt: claimed.expiresAt))
    }

    public func heartbeat(_ lease: Lease, progress: JobProgress, leaseSeconds: Double) throws -> LeaseStatus {
        if lease.part != nil {
            return try heartbeat(ofPart: lease, framesDone: progress.framesDone, leaseSeconds: leaseSeconds)
        }
        let sql = """
            UPDATE jobs SET lease_expires_at = \(Self.now("$3")) + $4::bigint, frames_done = $5, frames_total = $6,
                frames_per_second = $7, revision = revision + 1
            WHERE id = $1 AND lease_token = $2 RETURNING cancel_requested
            """
        let status = try transactor.read { connection in
            Self.leaseStatus(
                try connection.execute(
                    sql,
                    [
                        .id(lease.job), .text(lease.token), givenNow,
                        .integer(Int64((leaseSeconds * 1000).rounded())), .integer(progress.framesDone),
                        .optional(progress.framesTotal), .number(progress.framesPerSecond),
                    ]))
        }
        if status != .lost { changes.note(StoreChange(jobs: [lease.job])) }
        return status
    }

    public func status(of lease: Lease) throws -> LeaseStatus {
        if lease.part != nil { return try status(ofPart: lease) }
        return try transactor.read { connection in
            let sql = "SELECT cancel_requested FROM jobs WHERE id = $1 AND lease_token = $2"
            return Self.leaseStatus(try connection.execute(sql, [.id(lease.job), .text(lease.token)]))
        }
    }

    public func describeSource(_ source: JobSource, lease: Lease) throws -> Bool {
        try change(lease, set: "source = $3", [.text(source.storedJSON.storedText)]) != nil
    }

    public func publish(_ outcome: JobOutcome, lease: Lease) throws -> Bool {
        guard outcome.status.isFinal else {
            throw JobsError(.io, "an outcome must be succeeded, failed or canceled, not \(outcome.status.rawValue)")
        }
        if lease.part != nil { return try publish(ofPart: outcome, lease: lease) }
        let assignments = """
            status = $3, finished_at = \(Self.now("$4")), expires_at = \(Self.now("$4")) + $5::bigint, frames_done = $6,
            frames_total = $7, frames_per_second = $8, failure = $9, failure_code = $10, result_key = $11,
            video_key = $12, stored_bytes = stored_bytes + $13, ended_token = lease_token, lease_owner = NULL, lease_token = NULL, lease_expires_at = NULL
            """
        let values: [PostgresValue] = [
            .text(outcome.status.rawValue), givenNow, .optional(retentionMilliseconds),
            .integer(outcome.progress.framesDone), .optional(outcome.progress.framesTotal),
            .number(outcome.progress.framesPerSecond), .optional(outcome.failure?.storedJSON.storedText),
            .optional(outcome.failure?.code.rawValue), .optional(outcome.resultKey), .optional(outcome.videoKey),
            .integer(outcome.storedBytes),
        ]
        return try settling(lease) {
            let isHeld = "(lease_expires_at > \(Self.now("$4")) OR cancel_requested)"
            return try change(lease, set: assignments, values, where: isHeld, mayEnd: true) != nil
        } hasHappened: {
            try transactor.read { connection in
                // With this key: `CanceledJobs` ends a job by its worker's token, with another one.
                let sql =
                    "SELECT 1 FROM jobs WHERE id = $1 AND ended_token = $2 AND result_key IS NOT DISTINCT FROM $3"
                let values: [PostgresValue] = [.id(lease.job), .text(lease.token), .optional(outcome.resultKey)]
                return try connection.execute(sql, values).count == 1
            }
        }
    }

    /// Publishes. A worker that got no answer tries again, and must not take its own success for the loss of its lease.
    ///
    /// - Parameter hasHappened: whether it was this lease that published; asked where an earlier try got no answer.
    func settling(_ lease: Lease, _ publish: () throws -> Bool, hasHappened: () throws -> Bool) throws -> Bool {
        do {
            let isPublished = try publish()
            let isSettled = try isPublished || unsettled.contains(lease.token) && hasHappened()
            unsettled.remove(lease.token)
            return isSettled
        } catch let error as JobsError where error.code == .unsettled {
            unsettled.insert(lease.token)
            throw error
        }
    }

    public func release(_ lease: Lease) throws -> Bool {
        if lease.part != nil { return try release(ofPart: lease) }
        let assignments = """
            status = CASE WHEN cancel_requested THEN 'canceled' ELSE 'queued' END,
            finished_at = CASE WHEN cancel_requested THEN \(Self.now("$3")) END,
            expires_at = CASE WHEN cancel_requested THEN \(Self.now("$3")) + $4::bigint END, attempt = attempt - 1,
            \(QueueSQL.cleared)
            """
        return try change(
            lease, set: assignments, [givenNow, .optional(retentionMilliseconds)], mayEnd: true) != nil
    }

    public func expireLeases() throws -> [JobID] {
        try expire(where: "lease_expires_at <= \(Self.now("$1"))", [givenNow])
    }

    public func expireLeases(ofOwner owner: String) throws -> [JobID] {
        try openParts(ofOwner: owner)
        return try expire(where: "lease_owner = $1", [.text(owner)])
    }

    public func canceledWithoutWorker(owner: String?) throws -> [ClaimedJob] {
        let condition = owner == nil ? "lease_expires_at <= \(Self.now("$1"))" : "lease_owner = $1"
        let sql = """
            SELECT \(JobRow.columns), jobs.lease_expires_at, jobs.lease_token FROM jobs
            WHERE status = 'running' AND cancel_requested AND \(condition)
            """
        return try transactor.read { connection in
            try connection.execute(sql, [owner.map { .text($0) } ?? givenNow]).rows.compactMap { row in
                // One that cannot be read is ended by ``expireLeases()``.
                guard let job = try? JobRow.stored(row).withoutSpec else { return nil }
                let lease = Lease(
                    job: job.id, token: row.text(JobRow.count + 1), expiresAt: row.date(JobRow.count))
                return ClaimedJob(job: job, lease: lease)
            }
        }
    }

    public func failOverdue() throws -> [JobID] {
        let isOverdue = "status = 'queued' AND deadline_at IS NOT NULL AND deadline_at <= \(Self.now("$1"))"
        let given = givenNow
        let overdue = try transactor.read { connection in
            let sql = """
                SELECT id, octet_length(spec) FROM jobs WHERE \(isOverdue) ORDER BY deadline_at, id
                LIMIT \(OverdueJobs.most)
                """
            var overdue = OverdueJobs()
            for row in try connection.execute(sql, [given]).rows {
                guard let id = JobID(row.text(0)), overdue.add(id, specBytes: row.int(1)) else { break }
            }
            return overdue
        }
        let sql = """
            UPDATE jobs SET status = 'failed', failure = $2, failure_code = $3, finished_at = \(Self.now("$1")),
                expires_at = \(Self.now("$1")) + $4::bigint, revision = revision + 1
            WHERE id IN (
                SELECT id FROM jobs WHERE id = ANY ($5::uuid[]) AND \(isOverdue) ORDER BY id FOR UPDATE SKIP LOCKED)
            RETURNING id
            """
        let failure = JobFailure.deadlineExceededInQueue
        return try overdue.batches.flatMap { ids in
            try endingSome(
                sql,
                [
                    given, .text(failure.storedJSON.storedText), .text(failure.code.rawValue),
                    .optional(retentionMilliseconds), .array(ids.map(\.description)),
                ])
        }
    }

    public func owners() throws -> Set<String> {
        try transactor.read { connection in
            let sql = "SELECT DISTINCT lease_owner FROM jobs WHERE status = 'running'"
            return Set(try connection.execute(sql).rows.map { $0.text(0) })
        }
    }

    // MARK: Helpers

    static func leaseStatus(_ result: PostgresResult) -> LeaseStatus {
        guard let row = result.first else { return .lost }
        return row.boolean(0) ? .cancelRequested : .held
    }

    /// Changes the job of a lease, whose id and token are the first parameters. Returns the job's state, `nil` where the
    /// lease is lost, or the condition does not hold.
    private func change(
        _ lease: Lease, set assignments: String, _ values: [PostgresValue], where condition: String = "true",
        mayEnd: Bool = false
    ) throws -> JobStatus? {
        let sql = """
            UPDATE jobs SET \(assignments), revision = revision + 1 WHERE id = $1 AND lease_token = $2 AND \(condition)
            RETURNING status, has_webhook
            """
        let status = try transactor.write { connection -> JobStatus? in
            let result = try connection.execute(sql, [.id(lease.job), .text(lease.token)] + values)
            guard let row = result.first else { return nil }
            if mayEnd, row.boolean(1) { try addDelivery(of: lease.job, connection) }
            return JobStatus(rawValue: row.text(0))
        }
        if let status {
            changes.note(StoreChange(jobs: [lease.job], isQueued: status == .queued, isEnded: status.isFinal))
        }
        return status
    }

    /// Whether there is such a job: mostly there is none, and then nothing is locked.
    private func isAny(_ condition: String, _ values: [PostgresValue]) throws -> Bool {
        try transactor.read { connection in
            try connection.execute("SELECT EXISTS (SELECT 1 FROM jobs WHERE \(condition))", values).first?.boolean(0)
                ?? false
        }
    }

    /// Takes running jobs from their workers. What somebody else is about to change is left to the next time.
    private func expire(where condition: String, _ values: [PostgresValue]) throws -> [JobID] {
        let condition = "status = 'running' AND \(condition)"
        guard try isAny(condition, values) else { return [] }
        let sql = """
            UPDATE jobs SET
                status = CASE WHEN cancel_requested THEN 'canceled' WHEN attempt >= $2 THEN 'failed' ELSE 'queued' END,
                failure = CASE WHEN NOT cancel_requested AND attempt >= $2 THEN $3 END,
                failure_code = CASE WHEN NOT cancel_requested AND attempt >= $2 THEN $4 END,
                finished_at = CASE WHEN cancel_requested OR attempt >= $2 THEN \(Self.now("$5")) END,
                expires_at = CASE WHEN cancel_requested OR attempt >= $2 THEN \(Self.now("$5")) + $6::bigint END,
                \(QueueSQL.cleared), revision = revision + 1
            WHERE id IN (SELECT id FROM jobs WHERE \(condition) ORDER BY id FOR UPDATE SKIP LOCKED) RETURNING id
            """
        let failure = JobFailure.workerLost
        return try endingSome(
            sql,
            values + [
                .integer(QueueLimits.attempts), .text(failure.storedJSON.storedText), .text(failure.code.rawValue),
                givenNow, .optional(retentionMilliseconds),
            ])
    }

    /// Runs a statement that may end jobs and returns their ids.
    private func endingSome(_ sql: String, _ values: [PostgresValue]) throws -> [JobID] {
        let jobs = try transactor.write { connection in
            let jobs = JobRow.ids(try connection.execute(sql, values))
            for job in jobs { try addDelivery(of: job, connection) }
            return jobs
        }
        if !jobs.isEmpty { changes.note(StoreChange(jobs: Set(jobs), isQueued: true, isEnded: true)) }
        return jobs
    }
}
