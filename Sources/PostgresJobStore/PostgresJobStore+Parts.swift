import Foundation
import Jobs

/// Shares of running jobs. A row of `job_parts` is there only while its job runs under the lease that it was offered
/// under, which a trigger sees to; so a part's token alone fences what is written of it.
extension PostgresJobStore {
    /// What nobody works on.
    private static func isOpen(_ now: String) -> String {
        """
        job_parts.result_key IS NULL
            AND (job_parts.lease_token IS NULL OR job_parts.lease_expires_at <= \(Self.now(now)))
        """
    }
    /// Where the leader's lease is held, whose job and token are the first parameters.
    private static let isLed = """
        job_parts.job_id = $1 AND EXISTS (SELECT 1 FROM jobs WHERE id = $1 AND lease_token = $2)
        """

    private static let openPartSQL = """
        SELECT job_parts.job_id, job_parts.number FROM job_parts JOIN jobs ON jobs.id = job_parts.job_id
        WHERE \(isOpen("$1")) AND job_parts.attempt < $2 AND NOT jobs.cancel_requested
        ORDER BY job_parts.job_id, job_parts.number LIMIT 1
        """

    public func offer(_ parts: [JobPart], lease: Lease) throws -> Bool {
        let isOffered = try transactor.write { connection in
            // Locked, so that the lease does not end before the parts are there, which would be left then.
            let holder = "SELECT 1 FROM jobs WHERE id = $1 AND lease_token = $2 FOR UPDATE"
            guard try connection.execute(holder, [.id(lease.job), .text(lease.token)]).count == 1 else { return false }
            let sql = "INSERT INTO job_parts (job_id, number, first_target, end_target) VALUES ($1, $2, $3, $4)"
            for part in parts {
                try connection.execute(
                    sql,
                    [
                        .id(lease.job), .integer(part.number), .integer(part.targets.lowerBound),
                        .integer(part.targets.upperBound),
                    ])
            }
            return true
        }
        // Wakes idle workers elsewhere.
        if isOffered { changes.note(StoreChange(isQueued: true)) }
        return isOffered
    }

    public func claimPart(owner: String, leaseSeconds: Double) throws -> ClaimedPart? {
        let given = givenNow
        let open: [PostgresValue] = [given, .integer(QueueLimits.attempts)]
        // Asks without a lock first, because mostly there are none.
        let isNeeded = try transactor.read { connection in
            try connection.execute("SELECT EXISTS (\(Self.openPartSQL))", open).first?.boolean(0) ?? false
        }
        guard isNeeded else { return nil }
        let token = environment.leaseToken()
        let milliseconds = Int64((leaseSeconds * 1000).rounded())
        let claimed = try transactor.write { connection -> (job: StoredJob, part: JobPart, expiresAt: Date)? in
            let sql = """
                UPDATE job_parts SET attempt = attempt + 1, frames_done = 0, lease_owner = $3, lease_token = $4,
                    lease_expires_at = \(Self.now("$1")) + $5::bigint
                WHERE (job_id, number) = (\(Self.openPartSQL) FOR UPDATE OF job_parts SKIP LOCKED)
                RETURNING \(Self.partColumns), job_id, lease_expires_at
                """
            let own: [PostgresValue] = [.text(owner), .text(token), .integer(milliseconds)]
            guard let row = try connection.execute(sql, open + own).first else { return nil }
            let jobs = "SELECT \(JobRow.columns) FROM jobs WHERE id = $1"
            guard let found = try connection.execute(jobs, [.literal(row.text(3))]).first else { return nil }
            return (try JobRow.stored(found), Self.part(row), row.date(4))
        }
        guard let claimed else { return nil }
        let job = try claimed.job.read()
        return ClaimedPart(
            job: job, part: claimed.part,
            lease: Lease(job: job.id, part: claimed.part.number, token: token, expiresAt: claimed.expiresAt))
    }

    public func takeBack(atMost count: Int, lease: Lease) throws -> [JobPart] {
        try transactor.write { connection in
            // One that is just being claimed is not open any more.
            let sql = """
                DELETE FROM job_parts WHERE (job_id, number) IN (
                    SELECT job_id, number FROM job_parts WHERE \(Self.isLed) AND \(Self.isOpen("$3"))
                    ORDER BY number LIMIT $4 FOR UPDATE SKIP LOCKED)
                RETURNING \(Self.partColumns)
                """
            return try connection.execute(
                sql, [.id(lease.job), .text(lease.token), givenNow, .integer(count)]
            ).rows.map(Self.part).sorted { $0.number < $1.number }
        }
    }

    public func offeredParts(lease: Lease) throws -> [OfferedPart] {
        try transactor.read { connection in
            let sql = """
                SELECT \(Self.partColumns), frames_done, result_key, \(Self.isOpen("$3")) FROM job_parts
                WHERE \(Self.isLed) ORDER BY number
                """
            return try connection.execute(sql, [.id(lease.job), .text(lease.token), givenNow]).rows.map { row in
                OfferedPart(
                    part: Self.part(row),
                    state: row.optionalText(4).map { .done(resultKey: $0) } ?? (row.boolean(5) ? .open : .taken),
                    framesDone: row.int(3))
            }
        }
    }

    // MARK: What a part's worker writes

    func heartbeat(ofPart lease: Lease, framesDone: Int, leaseSeconds: Double) throws -> LeaseStatus {
        try transactor.read { connection in
            let sql = """
                UPDATE job_parts SET frames_done = $4, lease_expires_at = \(Self.now("$5")) + $6::bigint
                WHERE job_id = $1 AND number = $2 AND lease_token = $3
                RETURNING (SELECT cancel_requested FROM jobs WHERE id = $1)
                """
            let values: [PostgresValue] = [
                .integer(framesDone), givenNow, .integer(Int64((leaseSeconds * 1000).rounded())),
            ]
            return Self.leaseStatus(try connection.execute(sql, Self.values(lease) + values))
        }
    }

    func status(ofPart lease: Lease) throws -> LeaseStatus {
        try transactor.read { connection in
            let sql = """
                SELECT cancel_requested FROM jobs
                WHERE id = $1 AND EXISTS (
                    SELECT 1 FROM job_parts WHERE job_id = $1 AND number = $2 AND lease_token = $3)
                """
            return Self.leaseStatus(try connection.execute(sql, Self.values(lease)))
        }
    }

    func publish(ofPart outcome: JobOutcome, lease: Lease) throws -> Bool {
        let key = outcome.status == .succeeded ? outcome.resultKey : nil
        return try settling(lease) {
            try change(
                lease,
                set: """
                    frames_done = $4, result_key = $5, attempt = CASE WHEN $5::text IS NULL THEN $6 ELSE attempt END,
                    \(Self.unclaimed)
                    """,
                [.integer(outcome.progress.framesDone), .optional(key), .integer(QueueLimits.attempts)])
        } hasHappened: {
            // The key is of this claim alone.
            try transactor.read { connection in
                let sql = "SELECT 1 FROM job_parts WHERE job_id = $1 AND number = $2 AND result_key = $3"
                let values: [PostgresValue] = [.id(lease.job), .optional(lease.part), .optional(key)]
                return try connection.execute(sql, values).count == 1
            }
        }
    }

    func release(ofPart lease: Lease) throws -> Bool {
        try change(lease, set: "attempt = attempt - 1, frames_done = 0, \(Self.unclaimed)", [])
    }

    /// Opens what a dead process had taken.
    func openParts(ofOwner owner: String) throws {
        _ = try transactor.write { connection in
            let sql = "UPDATE job_parts SET frames_done = 0, \(Self.unclaimed) WHERE lease_owner = $1"
            return try connection.execute(sql, [.text(owner)]).changed
        }
    }

    // MARK: Pieces

    private static let unclaimed = "lease_owner = NULL, lease_token = NULL, lease_expires_at = NULL"
    private static let partColumns = "number, first_target, end_target"

    private static func part(_ row: PostgresRow) -> JobPart {
        JobPart(number: row.int(0), targets: row.int(1)..<row.int(2))
    }

    /// What names a part and its lease.
    private static func values(_ lease: Lease) -> [PostgresValue] {
        [.id(lease.job), .optional(lease.part), .text(lease.token)]
    }

    /// `false` where the lease is lost.
    private func change(_ lease: Lease, set assignments: String, _ values: [PostgresValue]) throws -> Bool {
        try transactor.write { connection in
            let sql = "UPDATE job_parts SET \(assignments) WHERE job_id = $1 AND number = $2 AND lease_token = $3"
            return try connection.execute(sql, Self.values(lease) + values).changed == 1
        }
    }
}
