import Foundation
import GRDB
import Jobs

/// Who has to be called back.
extension SQLiteJobStore: DeliveryStore {
    /// The lane whose turn it is: of the tenant that was served the longest ago, the host with the delivery that has been
    /// due for the longest. A busy host costs one step a tenant, however many deliveries wait for it.
    static let nextLaneSQL = """
        SELECT turn.tenant, lane.host FROM delivery_turns AS turn
        CROSS JOIN delivery_lanes AS lane ON lane.tenant = turn.tenant
        WHERE lane.due_at <= :now AND lane.host NOT IN (SELECT value FROM json_each(:busy_hosts))
            AND turn.tenant NOT IN (SELECT value FROM json_each(:busy_tenants))
        ORDER BY turn.served, lane.due_at LIMIT 1
        """

    static let claimDeliverySQL = """
        UPDATE deliveries SET attempts = attempts + 1, lease_token = :token, due_at = :expires
        WHERE id = (
            SELECT id FROM deliveries WHERE state = 'pending' AND (tenant, host) = (\(nextLaneSQL))
            ORDER BY due_at LIMIT 1)
        RETURNING id, job_id, event, url, secret, payload, created_at, attempts, tenant
        """

    private static let servedSQL = """
        UPDATE delivery_turns SET served = (SELECT max(served) + 1 FROM delivery_turns) WHERE tenant = ?
        """

    public func deliveries(of job: JobID, tenant: TenantID) throws -> [Delivery] {
        try read { db in
            let sql = """
                SELECT id, event, url, created_at, state, due_at, finished_at FROM deliveries
                WHERE job_id = ? AND tenant = ? ORDER BY id
                """
            let rows = try db.cachedStatement(sql: sql).rows([job.description, tenant.name])
            return try rows.map { row in try Self.delivery(row, db) }
        }
    }

    public func claimDelivery(
        leaseSeconds: Double, exceptHosts hosts: Set<String>, exceptTenants tenants: Set<TenantID>
    ) throws -> ClaimedDelivery? {
        let lane: StatementArguments = [
            "now": now, "busy_hosts": Self.list(hosts), "busy_tenants": Self.list(tenants.map(\.name)),
        ]
        // Asks without the write lock first, because mostly nothing is due that may be sent.
        let isDue = try read { db in try !db.cachedStatement(sql: Self.nextLaneSQL).rows(lane).isEmpty }
        guard isDue else { return nil }
        let token = environment.leaseToken()
        let expires = environment.now().addingTimeInterval(leaseSeconds).unixMilliseconds
        return try write { db in
            let rows = try db.cachedStatement(sql: Self.claimDeliverySQL).rows(
                lane + ["token": token, "expires": expires])
            guard let row = rows.first else { return nil }
            let message = try Self.message(row)
            let tenant = TenantID(row[8])
            try db.cachedStatement(sql: Self.servedSQL).execute(arguments: [tenant.name])
            return ClaimedDelivery(
                message: message, tenant: tenant, attempt: row[7],
                lease: DeliveryLease(delivery: message.id, token: token))
        }
    }

    public func record(_ attempt: DeliveryAttempt, then state: DeliveryState, lease: DeliveryLease) throws -> Bool {
        try write { db in
            let (name, due, finished) = Self.columns(state)
            guard
                try Self.change(
                    db, lease, set: "state = :state, due_at = :due, finished_at = :finished",
                    ["state": name, "due": due, "finished": finished])
            else { return false }
            let sql = """
                INSERT INTO delivery_attempts (delivery_id, number, started_at, milliseconds, status, error)
                VALUES (?, ?, ?, ?, ?, ?)
                """
            try db.cachedStatement(sql: sql).execute(arguments: [
                lease.delivery.description, attempt.number, attempt.startedAt.unixMilliseconds, attempt.milliseconds,
                attempt.status, attempt.error,
            ])
            return true
        }
    }

    public func release(_ lease: DeliveryLease) throws -> Bool {
        try write { db in
            try Self.change(db, lease, set: "attempts = attempts - 1, due_at = :now", ["now": now])
        }
    }

    // MARK: Helpers

    /// Makes the delivery of a job that may have ended just now. Part of the transaction that ended it.
    func addDelivery(of job: JobID, _ db: Database) throws {
        let select = """
            SELECT \(JobRow.columns) FROM jobs
            WHERE id = ? AND status IN ('succeeded', 'failed', 'canceled')
                AND json_type(spec, '$.webhook') = 'object'
            """
        let row = try db.cachedStatement(sql: select).rows([job.description]).first
        // Of a job that cannot be read nobody can be told; it ends all the same.
        guard let row, let job = try? StoredJob(row).readInTransaction(),
            let message = DeliveryMessage(endOf: job, id: DeliveryID(deliveryIDs.next()), now: environment.now())
        else { return }
        let insert = """
            INSERT INTO deliveries (id, job_id, tenant, event, url, host, secret, payload, created_at, due_at)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """
        try db.cachedStatement(sql: insert).execute(arguments: [
            message.id.description, job.id.description, job.tenant.name, message.event.rawValue, message.url.text,
            message.url.host, message.secret?.text, Data(message.payload), message.createdAt.unixMilliseconds,
            message.createdAt.unixMilliseconds,
        ])
    }

    /// Changes the delivery of a lease, and ends the lease. `false` where it is lost.
    private static func change(
        _ db: Database, _ lease: DeliveryLease, set assignments: String, _ arguments: StatementArguments
    ) throws -> Bool {
        let sql = "UPDATE deliveries SET \(assignments), lease_token = NULL WHERE id = :id AND lease_token = :token"
        let key: StatementArguments = ["id": lease.delivery.description, "token": lease.token]
        try db.cachedStatement(sql: sql).execute(arguments: arguments + key)
        return db.changesCount == 1
    }

    private static func columns(_ state: DeliveryState) -> (name: String, due: Int64?, finished: Int64?) {
        switch state {
        case .pending(let due): ("pending", due.unixMilliseconds, nil)
        case .delivered(let end): ("delivered", nil, end.unixMilliseconds)
        case .failed(let end): ("failed", nil, end.unixMilliseconds)
        }
    }

    private static func message(_ row: Row) throws -> DeliveryMessage {
        let text: String = row[0]
        let secret: String? = row[4]
        guard let id = DeliveryID(text), let job = JobID(row[1] as String),
            let event = WebhookSpec.Event(rawValue: row[2]), let url = try? WebhookURL(row[3])
        else { throw corrupt(text) }
        return DeliveryMessage(
            id: id, job: job, event: event, url: url, secret: secret.flatMap { WebhookSecret($0) },
            payload: Array(row[5] as Data), createdAt: Date(unixMilliseconds: row[6]))
    }

    private static func delivery(_ row: Row, _ db: Database) throws -> Delivery {
        let text: String = row[0]
        guard let id = DeliveryID(text), let event = WebhookSpec.Event(rawValue: row[1]),
            let url = try? WebhookURL(row[2])
        else { throw corrupt(text) }
        let due: Int64? = row[5]
        let end = Date(unixMilliseconds: row[6] ?? 0)
        let name: String = row[4]
        let state: DeliveryState =
            due.map { .pending(due: Date(unixMilliseconds: $0)) }
            ?? (name == "delivered" ? .delivered(end) : .failed(end))
        return Delivery(
            id: id, event: event, url: url, createdAt: Date(unixMilliseconds: row[3]), state: state,
            attempts: try attempts(of: text, db))
    }

    private static func attempts(of delivery: String, _ db: Database) throws -> [DeliveryAttempt] {
        let sql = """
            SELECT number, started_at, milliseconds, status, error FROM delivery_attempts
            WHERE delivery_id = ? ORDER BY number
            """
        return try db.cachedStatement(sql: sql).rows([delivery]).map { row in
            DeliveryAttempt(
                number: row[0], startedAt: Date(unixMilliseconds: row[1]), milliseconds: row[2], status: row[3],
                error: row[4])
        }
    }

    private static func corrupt(_ id: String) -> JobsError {
        JobsError(.corrupt, "the stored delivery \(id) cannot be read")
    }
}
