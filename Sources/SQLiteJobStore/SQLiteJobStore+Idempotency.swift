import Foundation
import GRDB
import Jobs

/// Submissions that happen once.
extension SQLiteJobStore {
    public func submit(_ job: Job, as attempt: IdempotentAttempt) throws -> IdempotentAttempt? {
        let new = NewJob(job)
        return try write { db in
            if let earlier = try Self.attempt(db, attempt.key, job.tenant, since: oldestAttempt) { return earlier }
            try keep(attempt, of: job, db)
            try insert(new, db)
            return nil
        }
    }

    public func submit(_ job: Job, taking upload: UploadID, as attempt: IdempotentAttempt) throws -> UploadSubmission {
        let new = NewJob(job)
        return try write { db in
            if let earlier = try Self.attempt(db, attempt.key, job.tenant, since: oldestAttempt) {
                return .repeated(earlier)
            }
            guard try Self.take(upload, for: job, db) else { return .unavailable }
            try keep(attempt, of: job, db)
            try insert(new, db)
            return .kept
        }
    }

    public func attempt(key: String, tenant: TenantID) throws -> IdempotentAttempt? {
        try read { db in try Self.attempt(db, key, tenant, since: oldestAttempt) }
    }

    public func forgetAttempts(limit: Int) throws -> Int {
        try write { db in
            let sql = """
                DELETE FROM idempotency_keys WHERE (tenant, key) IN
                    (SELECT tenant, key FROM idempotency_keys WHERE created_at <= ? ORDER BY created_at LIMIT ?)
                """
            try db.cachedStatement(sql: sql).execute(arguments: [oldestAttempt, limit])
            return db.changesCount
        }
    }

    private func keep(_ attempt: IdempotentAttempt, of job: Job, _ db: Database) throws {
        let sql = """
            INSERT OR REPLACE INTO idempotency_keys (tenant, key, fingerprint, answer, created_at)
            VALUES (?, ?, ?, ?, ?)
            """
        try db.cachedStatement(sql: sql).execute(arguments: [
            job.tenant.name, attempt.key, attempt.fingerprint, String(decoding: attempt.answer, as: UTF8.self), now,
        ])
    }

    /// What is not younger than this is forgotten.
    private var oldestAttempt: Int64 {
        environment.now().addingTimeInterval(-IdempotencyLimits.seconds).unixMilliseconds
    }

    private static func attempt(
        _ db: Database, _ key: String, _ tenant: TenantID, since oldest: Int64
    ) throws -> IdempotentAttempt? {
        let sql = "SELECT fingerprint, answer FROM idempotency_keys WHERE tenant = ? AND key = ? AND created_at > ?"
        return try db.cachedStatement(sql: sql).rows([tenant.name, key, oldest]).first.map { row in
            IdempotentAttempt(key: key, fingerprint: row[0], answer: Array((row[1] as String).utf8))
        }
    }
}
