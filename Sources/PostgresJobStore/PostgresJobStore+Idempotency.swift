import Foundation
import Jobs

/// Submissions that happen once.
extension PostgresJobStore {
    public func submit(_ job: Job, as attempt: IdempotentAttempt) throws -> IdempotentAttempt? {
        let new = NewJob(job)
        let earlier = try transactor.write { connection -> IdempotentAttempt? in
            if let earlier = try keep(attempt, of: job, connection) { return earlier }
            try insert(new, connection)
            return nil
        }
        if earlier == nil { changes.note(StoreChange(jobs: [job.id], isQueued: true)) }
        return earlier
    }

    public func submit(_ job: Job, taking upload: UploadID, as attempt: IdempotentAttempt) throws -> UploadSubmission {
        let new = NewJob(job)
        let outcome = try transactor.write { connection -> UploadSubmission in
            if let earlier = try keep(attempt, of: job, connection) { return .repeated(earlier) }
            // The attempt that was just kept goes, too.
            guard try Self.take(upload, for: job, connection) else {
                throw Transactor.Undone(value: UploadSubmission.unavailable)
            }
            try insert(new, connection)
            return .kept
        }
        if outcome == .kept { changes.note(StoreChange(jobs: [job.id], isQueued: true)) }
        return outcome
    }

    public func attempt(key: String, tenant: TenantID) throws -> IdempotentAttempt? {
        try transactor.read { connection in
            let sql = """
                SELECT fingerprint, answer FROM idempotency_keys
                WHERE tenant = $1 AND key = $2 AND created_at > \(Self.oldestAttempt("$3"))
                """
            return Self.attempt(key, try connection.execute(sql, [.text(tenant.name), .text(key), givenNow]))
        }
    }

    public func forgetAttempts(limit: Int) throws -> Int {
        try transactor.write { connection in
            let sql = """
                DELETE FROM idempotency_keys WHERE (tenant, key) IN (
                    SELECT tenant, key FROM idempotency_keys WHERE created_at <= \(Self.oldestAttempt("$1"))
                    ORDER BY created_at LIMIT $2 FOR UPDATE SKIP LOCKED)
                """
            return try connection.execute(sql, [givenNow, .integer(limit)]).changed
        }
    }

    /// Keeps an attempt, unless there is one with its key, which is returned then. Who comes at the same time waits for the
    /// first one's transaction.
    private func keep(
        _ attempt: IdempotentAttempt, of job: Job, _ connection: PostgresConnection
    ) throws -> IdempotentAttempt? {
        let sql = """
            INSERT INTO idempotency_keys AS known (tenant, key, fingerprint, answer, created_at)
            VALUES ($1, $2, $3, $4, \(Self.now("$5")))
            ON CONFLICT (tenant, key) DO UPDATE SET
                fingerprint = excluded.fingerprint, answer = excluded.answer, created_at = excluded.created_at
            WHERE known.created_at <= \(Self.oldestAttempt("$5"))
            """
        let result = try connection.execute(
            sql,
            [.text(job.tenant.name), .text(attempt.key), .text(attempt.fingerprint), .bytes(attempt.answer), givenNow])
        if result.changed == 1 { return nil }
        let earlier = "SELECT fingerprint, answer FROM idempotency_keys WHERE tenant = $1 AND key = $2"
        return Self.attempt(
            attempt.key, try connection.execute(earlier, [.text(job.tenant.name), .text(attempt.key)]))
    }

    /// What is not younger than this is forgotten.
    private static func oldestAttempt(_ parameter: String) -> String {
        "\(now(parameter)) - \(Int64(IdempotencyLimits.seconds * 1000))"
    }

    private static func attempt(_ key: String, _ result: PostgresResult) -> IdempotentAttempt? {
        result.first.map { row in
            IdempotentAttempt(key: key, fingerprint: row.text(0), answer: row.bytes(1))
        }
    }
}
