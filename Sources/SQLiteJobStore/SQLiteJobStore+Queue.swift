import Foundation
import GRDB
import Jobs

/// The workers' side: claims, leases, outcomes. Every write of a worker is fenced by its lease's token.
extension SQLiteJobStore {
    /// The innermost query finds whose turn it is, the next one that tenant's first job; each by the first entry of an
    /// index (`tenants_turn`, `jobs_queue`), whose conditions they repeat word for word.
    static let claimSQL = """
        UPDATE jobs SET status = 'running', attempt = attempt + 1, started_at = :now, frames_done = 0,
            frames_total = NULL, frames_per_second = 0, failure = NULL, result_key = NULL, video_key = NULL,
            lease_owner = :owner, lease_token = :token, lease_expires_at = :expires, revision = revision + 1
        WHERE id = (
            SELECT id FROM jobs
            WHERE status = 'queued' AND tenant = (
                SELECT name FROM tenants
                WHERE queued > 0 AND running < coalesce(running_limit, 9223372036854775807)
                ORDER BY running, served LIMIT 1)
            ORDER BY priority DESC, id LIMIT 1)
        RETURNING \(JobRow.columns)
        """

    public func claim(owner: String, leaseSeconds: Double) throws -> ClaimedJob? {
        let token = environment.leaseToken()
        let expires = expiry(leaseSeconds)
        let claimed = try write { db in
            let arguments: StatementArguments = ["now": now, "owner": owner, "token": token, "expires": expires]
            return try db.cachedStatement(sql: Self.claimSQL).rows(arguments).first.map { try StoredJob($0) }
        }
        // One that cannot be read counts as lost when its lease has run out, and fails after three attempts.
        guard let job = try claimed?.read() else { return nil }
        return ClaimedJob(
            job: job, lease: Lease(job: job.id, token: token, expiresAt: Date(unixMilliseconds: expires)))
    }

    public func heartbeat(_ lease: Lease, progress: JobProgress, leaseSeconds: Double) throws -> LeaseStatus {
        if lease.part != nil {
            return try heartbeat(ofPart: lease, framesDone: progress.framesDone, leaseSeconds: leaseSeconds)
        }
        return try write { db in
            let sql = """
                UPDATE jobs SET lease_expires_at = :expires, frames_done = :done, frames_total = :total,
                    frames_per_second = :rate, revision = revision + 1
                WHERE id = :id AND lease_token = :token RETURNING cancel_requested
                """
            let rows = try db.cachedStatement(sql: sql).rows([
                "expires": expiry(leaseSeconds), "done": progress.framesDone, "total": progress.framesTotal,
                "rate": progress.framesPerSecond, "id": lease.job.description, "token": lease.token,
            ])
            return Self.leaseStatus(rows.first)
        }
    }

    public func status(of lease: Lease) throws -> LeaseStatus {
        try read { db in
            if lease.part != nil { return try Self.status(ofPart: lease, db) }
            let sql = "SELECT cancel_requested FROM jobs WHERE id = ? AND lease_token = ?"
            return Self.leaseStatus(try db.cachedStatement(sql: sql).rows([lease.job.description, lease.token]).first)
        }
    }

    public func describeSource(_ source: JobSource, lease: Lease) throws -> Bool {
        try change(
            lease, set: "source = :source", ["source": source.storedJSON.storedText])
    }

    public func publish(_ outcome: JobOutcome, lease: Lease) throws -> Bool {
        guard outcome.status.isFinal else {
            throw JobsError(.io, "an outcome must be succeeded, failed or canceled, not \(outcome.status.rawValue)")
        }
        if lease.part != nil { return try publish(ofPart: outcome, lease: lease) }
        return try change(
            lease,
            set: """
                status = :status, finished_at = :now, expires_at = :now + :retention, frames_done = :done,
                frames_total = :total,
                frames_per_second = :rate, failure = :failure, result_key = :result, video_key = :video,
                stored_bytes = stored_bytes + :stored,
                lease_owner = NULL, lease_token = NULL, lease_expires_at = NULL
                """,
            [
                "status": outcome.status.rawValue, "now": now, "retention": retentionMilliseconds,
                "done": outcome.progress.framesDone, "total": outcome.progress.framesTotal,
                "rate": outcome.progress.framesPerSecond,
                "failure": outcome.failure.map { $0.storedJSON.storedText }, "result": outcome.resultKey,
                "video": outcome.videoKey, "stored": outcome.storedBytes,
            ], where: "(lease_expires_at > :now OR cancel_requested)", mayEnd: true)
    }

    public func release(_ lease: Lease) throws -> Bool {
        if lease.part != nil { return try release(ofPart: lease) }
        return try change(
            lease,
            set: """
                status = iif(cancel_requested, 'canceled', 'queued'), finished_at = iif(cancel_requested, :now, NULL),
                expires_at = iif(cancel_requested, :now + :retention, NULL), attempt = attempt - 1, \(QueueSQL.cleared)
                """,
            ["now": now, "retention": retentionMilliseconds], mayEnd: true)
    }

    public func expireLeases() throws -> [JobID] {
        try expire(where: "lease_expires_at <= :limit", ["limit": now])
    }

    public func expireLeases(ofOwner owner: String) throws -> [JobID] {
        try write { db in try Self.openParts(ofOwner: owner, db) }
        return try expire(where: "lease_owner = :owner", ["owner": owner])
    }

    public func canceledWithoutWorker(owner: String?) throws -> [ClaimedJob] {
        try read { db in
            let sql = """
                SELECT \(JobRow.columns), jobs.lease_token, jobs.lease_expires_at FROM jobs
                WHERE status = 'running' AND cancel_requested
                    AND \(owner == nil ? "lease_expires_at <= :now" : "lease_owner = :owner")
                """
            let arguments: StatementArguments = owner.map { ["owner": $0] } ?? ["now": now]
            return try db.cachedStatement(sql: sql).rows(arguments).compactMap { row in
                // One that cannot be read is ended by ``expireLeases()``.
                guard let job = try? StoredJob(row).withoutSpec else { return nil }
                let expires = Date(unixMilliseconds: row["lease_expires_at"])
                return ClaimedJob(job: job, lease: Lease(job: job.id, token: row["lease_token"], expiresAt: expires))
            }
        }
    }

    private static let isOverdue = "status = 'queued' AND deadline_at IS NOT NULL AND deadline_at <= :now"

    static let overdueSQL = """
        SELECT id, length(spec) FROM jobs WHERE \(isOverdue) ORDER BY deadline_at LIMIT \(OverdueJobs.most)
        """

    public func failOverdue() throws -> [JobID] {
        // Looked for without the write lock, because mostly there are none.
        let overdue = try read { db in
            let rows = try Row.fetchCursor(db.cachedStatement(sql: Self.overdueSQL), arguments: ["now": now])
            var overdue = OverdueJobs()
            while let row = try rows.next(), let id = JobID(row[0] as String), overdue.add(id, specBytes: row[1]) {}
            return overdue
        }
        return try overdue.batches.flatMap(failOverdue)
    }

    private func failOverdue(_ ids: [JobID]) throws -> [JobID] {
        try write { db in
            let sql = """
                UPDATE jobs SET status = 'failed', failure = :failure, finished_at = :now,
                    expires_at = :now + :retention, revision = revision + 1
                WHERE id IN (SELECT value FROM json_each(:ids)) AND \(Self.isOverdue) RETURNING id
                """
            let jobs = try db.cachedStatement(sql: sql).rows([
                "now": now, "failure": JobFailure.deadlineExceededInQueue.storedJSON.storedText,
                "retention": retentionMilliseconds,
                "ids": Self.list(ids.map(\.description)),
            ]).compactMap { JobID($0[0] as String) }
            for job in jobs { try addDelivery(of: job, db) }
            return jobs
        }
    }

    public func owners() throws -> Set<String> {
        try read { db in
            try String.fetchSet(db, sql: "SELECT DISTINCT lease_owner FROM jobs WHERE status = 'running'")
        }
    }

    // MARK: Helpers

    func expiry(_ leaseSeconds: Double) -> Int64 {
        environment.now().addingTimeInterval(leaseSeconds).unixMilliseconds
    }

    static func leaseStatus(_ row: Row?) -> LeaseStatus {
        guard let row else { return .lost }
        let isCancelRequested: Bool = row[0]
        return isCancelRequested ? .cancelRequested : .held
    }

    /// Changes the job of a lease. `false` where the lease is lost, or the condition does not hold.
    private func change(
        _ lease: Lease, set assignments: String, _ arguments: StatementArguments, where condition: String = "true",
        mayEnd: Bool = false
    ) throws -> Bool {
        try write { db in
            let sql = """
                UPDATE jobs SET \(assignments), revision = revision + 1
                WHERE id = :id AND lease_token = :token AND \(condition)
                """
            let key: StatementArguments = ["id": lease.job.description, "token": lease.token]
            try db.cachedStatement(sql: sql).execute(arguments: arguments + key)
            guard db.changesCount == 1 else { return false }
            if mayEnd { try addDelivery(of: lease.job, db) }
            return true
        }
    }

    /// Takes running jobs from their workers. Asks without the write lock first, because mostly there are none.
    private func expire(where condition: String, _ arguments: StatementArguments) throws -> [JobID] {
        let condition = "status = 'running' AND \(condition)"
        let isNeeded = try read { db in
            let sql = "SELECT EXISTS (SELECT 1 FROM jobs WHERE \(condition))"
            return try Bool.fetchOne(db.cachedStatement(sql: sql), arguments: arguments) ?? false
        }
        guard isNeeded else { return [] }
        return try write { db in
            let sql = """
                UPDATE jobs SET
                    status = CASE WHEN cancel_requested THEN 'canceled' WHEN attempt >= :attempts THEN 'failed'
                        ELSE 'queued' END,
                    failure = CASE WHEN NOT cancel_requested AND attempt >= :attempts THEN :failure END,
                    finished_at = CASE WHEN cancel_requested OR attempt >= :attempts THEN :now END,
                    expires_at = CASE WHEN cancel_requested OR attempt >= :attempts THEN :now + :retention END,
                    \(QueueSQL.cleared), revision = revision + 1
                WHERE \(condition) RETURNING id
                """
            let own: StatementArguments = [
                "attempts": QueueLimits.attempts, "failure": JobFailure.workerLost.storedJSON.storedText, "now": now,
                "retention": retentionMilliseconds,
            ]
            let jobs = try db.cachedStatement(sql: sql).rows(own + arguments).compactMap { JobID($0[0] as String) }
            for job in jobs { try addDelivery(of: job, db) }
            return jobs
        }
    }
}

extension Statement {
    /// Runs the statement to its end and copies its rows.
    func rows(_ arguments: StatementArguments) throws -> [Row] { try Row.fetchAll(self, arguments: arguments) }
}
