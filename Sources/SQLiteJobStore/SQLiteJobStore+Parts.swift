import Foundation
import GRDB
import Jobs

/// Shares of running jobs. A row of `job_parts` is there only while its job runs under the lease that it was offered
/// under, which a trigger sees to; so a part's token alone fences what is written of it.
extension SQLiteJobStore {
    /// What nobody works on.
    private static let isOpen = """
        job_parts.result_key IS NULL AND (job_parts.lease_token IS NULL OR job_parts.lease_expires_at <= :now)
        """
    /// Where the leader's lease is held.
    private static let isLed = "job_id = :id AND EXISTS (SELECT 1 FROM jobs WHERE id = :id AND lease_token = :token)"

    static let openPartSQL = """
        SELECT job_parts.job_id, job_parts.number FROM job_parts JOIN jobs ON jobs.id = job_parts.job_id
        WHERE \(isOpen) AND job_parts.attempt < :attempts AND NOT jobs.cancel_requested
        ORDER BY job_parts.job_id, job_parts.number LIMIT 1
        """

    public func offer(_ parts: [JobPart], lease: Lease) throws -> Bool {
        try write { db in
            let holder = "SELECT EXISTS (SELECT 1 FROM jobs WHERE id = ? AND lease_token = ?)"
            let isHeld = try Bool.fetchOne(
                db.cachedStatement(sql: holder), arguments: [lease.job.description, lease.token])
            guard isHeld == true else { return false }
            let sql = "INSERT INTO job_parts (job_id, number, first_target, end_target) VALUES (?, ?, ?, ?)"
            for part in parts {
                try db.cachedStatement(sql: sql).execute(arguments: [
                    lease.job.description, part.number, part.targets.lowerBound, part.targets.upperBound,
                ])
            }
            return true
        }
    }

    public func claimPart(owner: String, leaseSeconds: Double) throws -> ClaimedPart? {
        let open: StatementArguments = ["now": now, "attempts": QueueLimits.attempts]
        // Asks without the write lock first, because mostly there are none.
        let isNeeded = try read { db in
            try Bool.fetchOne(db.cachedStatement(sql: "SELECT EXISTS (\(Self.openPartSQL))"), arguments: open)
        }
        guard isNeeded == true else { return nil }
        let token = environment.leaseToken()
        let expires = expiry(leaseSeconds)
        let claimed: (job: StoredJob, part: JobPart)? = try write { db in
            let sql = """
                UPDATE job_parts SET attempt = attempt + 1, frames_done = 0, lease_owner = :owner,
                    lease_token = :token, lease_expires_at = :expires
                WHERE (job_id, number) = (\(Self.openPartSQL)) RETURNING job_id, \(Self.partColumns)
                """
            let own: StatementArguments = ["owner": owner, "token": token, "expires": expires]
            guard let row = try db.cachedStatement(sql: sql).rows(open + own).first else { return nil }
            let id: String = row[0]
            let jobs = try db.cachedStatement(sql: "SELECT \(JobRow.columns) FROM jobs WHERE id = ?").rows([id])
            return try jobs.first.map { (try StoredJob($0), Self.part(row)) }
        }
        guard let claimed else { return nil }
        let job = try claimed.job.read()
        let lease = Lease(
            job: job.id, part: claimed.part.number, token: token, expiresAt: Date(unixMilliseconds: expires))
        return ClaimedPart(job: job, part: claimed.part, lease: lease)
    }

    public func takeBack(atMost count: Int, lease: Lease) throws -> [JobPart] {
        try write { db in
            let sql = """
                DELETE FROM job_parts WHERE (job_id, number) IN (
                    SELECT job_id, number FROM job_parts WHERE \(Self.isLed) AND \(Self.isOpen)
                    ORDER BY number LIMIT :count)
                RETURNING \(Self.partColumns)
                """
            return try db.cachedStatement(sql: sql).rows([
                "id": lease.job.description, "token": lease.token, "now": now, "count": count,
            ]).map(Self.part).sorted { $0.number < $1.number }
        }
    }

    public func offeredParts(lease: Lease) throws -> [OfferedPart] {
        try read { db in
            let sql = """
                SELECT \(Self.partColumns), frames_done, result_key, \(Self.isOpen) FROM job_parts
                WHERE \(Self.isLed) ORDER BY number
                """
            return try db.cachedStatement(sql: sql).rows([
                "id": lease.job.description, "token": lease.token, "now": now,
            ]).map { row in
                let key: String? = row["result_key"]
                let isOpen: Bool = row[5]
                return OfferedPart(
                    part: Self.part(row), state: key.map { .done(resultKey: $0) } ?? (isOpen ? .open : .taken),
                    framesDone: row["frames_done"])
            }
        }
    }

    // MARK: What a part's worker writes

    func heartbeat(ofPart lease: Lease, framesDone: Int, leaseSeconds: Double) throws -> LeaseStatus {
        let expires = expiry(leaseSeconds)
        return try write { db in
            let isHeld = try Self.change(
                lease, set: "frames_done = :done, lease_expires_at = :expires",
                ["done": framesDone, "expires": expires], db)
            return isHeld ? try Self.status(ofPart: lease, db) : .lost
        }
    }

    static func status(ofPart lease: Lease, _ db: Database) throws -> LeaseStatus {
        let sql = """
            SELECT cancel_requested FROM jobs
            WHERE id = :id AND EXISTS (
                SELECT 1 FROM job_parts WHERE job_id = :id AND number = :part AND lease_token = :token)
            """
        return leaseStatus(try db.cachedStatement(sql: sql).rows(arguments(lease)).first)
    }

    func publish(ofPart outcome: JobOutcome, lease: Lease) throws -> Bool {
        let isDone = outcome.status == .succeeded
        let done: StatementArguments = [
            "done": outcome.progress.framesDone, "result": isDone ? outcome.resultKey : nil,
        ]
        let attempts: StatementArguments = ["attempts": QueueLimits.attempts]
        return try write { db in
            try Self.change(
                lease,
                set: "frames_done = :done, result_key = :result, \(Self.unclaimed)"
                    + (isDone ? "" : ", attempt = :attempts"), isDone ? done : done + attempts, db)
        }
    }

    func release(ofPart lease: Lease) throws -> Bool {
        try write { db in
            try Self.change(lease, set: "attempt = attempt - 1, frames_done = 0, \(Self.unclaimed)", [:], db)
        }
    }

    /// Opens what a dead process had taken.
    static func openParts(ofOwner owner: String, _ db: Database) throws {
        let sql = "UPDATE job_parts SET frames_done = 0, \(unclaimed) WHERE lease_owner = ?"
        try db.cachedStatement(sql: sql).execute(arguments: [owner])
    }

    // MARK: Pieces

    private static let unclaimed = "lease_owner = NULL, lease_token = NULL, lease_expires_at = NULL"
    private static let partColumns = "number, first_target, end_target"

    private static func part(_ row: Row) -> JobPart {
        JobPart(number: row["number"], targets: (row["first_target"] as Int)..<(row["end_target"] as Int))
    }

    private static func arguments(_ lease: Lease) -> StatementArguments {
        ["id": lease.job.description, "part": lease.part, "token": lease.token]
    }

    /// `false` where the lease is lost.
    private static func change(
        _ lease: Lease, set assignments: String, _ values: StatementArguments, _ db: Database
    ) throws -> Bool {
        let sql = """
            UPDATE job_parts SET \(assignments) WHERE job_id = :id AND number = :part AND lease_token = :token
            """
        try db.cachedStatement(sql: sql).execute(arguments: values + arguments(lease))
        return db.changesCount == 1
    }
}
