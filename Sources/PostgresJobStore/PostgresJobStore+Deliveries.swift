import Foundation
import Jobs

/// Who has to be called back.
extension PostgresJobStore: DeliveryStore {
    public func deliveries(of job: JobID, tenant: TenantID) throws -> [Delivery] {
        try transactor.read { connection in
            let sql = """
                SELECT id, event, url, created_at, state, due_at, finished_at FROM deliveries
                WHERE job_id = $1 AND tenant = $2 ORDER BY id
                """
            let rows = try connection.execute(sql, [.id(job), .text(tenant.name)]).rows
            return try rows.map { row in try Self.delivery(row, connection) }
        }
    }

    private static let messageColumns = "id, job_id, event, url, secret, payload, created_at, attempts, tenant"
    /// See `claim_delivery` in `migrations/postgres/0004_deliveries.sql`.
    private static let claimDeliverySQL = "SELECT \(messageColumns) FROM claim_delivery($1, $2, $3, $4, $5)"

    public func claimDelivery(
        leaseSeconds: Double, exceptHosts hosts: Set<String>, exceptTenants tenants: Set<TenantID>
    ) throws -> ClaimedDelivery? {
        let token = environment.leaseToken()
        let milliseconds = Int64((leaseSeconds * 1000).rounded())
        return try transactor.read { connection in
            let values: [PostgresValue] = [
                givenNow, .text(token), .integer(milliseconds), .array(hosts), .array(tenants.map(\.name)),
            ]
            guard let row = try connection.execute(Self.claimDeliverySQL, values).first else { return nil }
            let message = try Self.message(row)
            return ClaimedDelivery(
                message: message, tenant: TenantID(row.text(8)), attempt: row.int(7),
                lease: DeliveryLease(delivery: message.id, token: token))
        }
    }

    public func record(_ attempt: DeliveryAttempt, then state: DeliveryState, lease: DeliveryLease) throws -> Bool {
        let (name, due, finished): (String, Int64?, Int64?) =
            switch state {
            case .pending(let due): ("pending", due.unixMilliseconds, nil)
            case .delivered(let end): ("delivered", nil, end.unixMilliseconds)
            case .failed(let end): ("failed", nil, end.unixMilliseconds)
            }
        return try transactor.write { connection in
            guard
                try Self.change(
                    connection, lease, set: "state = $3, due_at = $4, finished_at = $5",
                    [.text(name), .optional(due), .optional(finished)])
            else { return false }
            let sql = """
                INSERT INTO delivery_attempts (delivery_id, number, started_at, milliseconds, status, error)
                VALUES ($1, $2, $3, $4, $5, $6)
                """
            try connection.execute(
                sql,
                [
                    .id(lease.delivery), .integer(attempt.number), .integer(attempt.startedAt.unixMilliseconds),
                    .integer(attempt.milliseconds), .optional(attempt.status), .optional(attempt.error),
                ])
            return true
        }
    }

    public func release(_ lease: DeliveryLease) throws -> Bool {
        try transactor.write { connection in
            try Self.change(
                connection, lease, set: "attempts = attempts - 1, due_at = \(Self.now("$3"))", [givenNow])
        }
    }

    // MARK: Helpers

    /// Makes the delivery of a job that may have ended just now. Part of the transaction that ended it.
    func addDelivery(of job: JobID, _ connection: PostgresConnection) throws {
        let select = """
            SELECT \(JobRow.columns) FROM jobs
            WHERE id = $1 AND has_webhook AND status IN ('succeeded', 'failed', 'canceled')
            """
        guard let row = try connection.execute(select, [.id(job)]).first else { return }
        // Of a job that cannot be read nobody can be told; it ends all the same.
        guard let job = try? JobRow.stored(row).readInTransaction() else { return }
        // The time of the end is the database's, as all times of what is due.
        let id = DeliveryID(deliveryIDs.next())
        guard let message = DeliveryMessage(endOf: job, id: id, now: job.finishedAt ?? environment.now()) else {
            return
        }
        let insert = """
            INSERT INTO deliveries (id, job_id, tenant, event, url, host, secret, payload, created_at, due_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)
            """
        try connection.execute(
            insert,
            [
                .id(message.id), .id(job.id), .text(job.tenant.name), .text(message.event.rawValue),
                .text(message.url.text), .text(message.url.host), .optional(message.secret?.text),
                .bytes(message.payload), .integer(message.createdAt.unixMilliseconds),
            ])
    }

    /// Changes the delivery of a lease, whose id and token are the first parameters, and ends the lease. `false` where it
    /// is lost.
    private static func change(
        _ connection: PostgresConnection, _ lease: DeliveryLease, set assignments: String, _ values: [PostgresValue]
    ) throws -> Bool {
        let sql = "UPDATE deliveries SET \(assignments), lease_token = NULL WHERE id = $1 AND lease_token = $2"
        return try connection.execute(sql, [.id(lease.delivery), .text(lease.token)] + values).changed == 1
    }

    private static func message(_ row: PostgresRow) throws -> DeliveryMessage {
        guard let id = DeliveryID(row.text(0)), let job = JobID(row.text(1)),
            let event = WebhookSpec.Event(rawValue: row.text(2)), let url = try? WebhookURL(row.text(3))
        else { throw corrupt(row.text(0)) }
        return DeliveryMessage(
            id: id, job: job, event: event, url: url, secret: row.optionalText(4).flatMap { WebhookSecret($0) },
            payload: row.bytes(5), createdAt: row.date(6))
    }

    private static func delivery(_ row: PostgresRow, _ connection: PostgresConnection) throws -> Delivery {
        guard let id = DeliveryID(row.text(0)), let event = WebhookSpec.Event(rawValue: row.text(1)),
            let url = try? WebhookURL(row.text(2))
        else { throw corrupt(row.text(0)) }
        let end = row.date(6)
        let state: DeliveryState =
            row.optionalDate(5).map { .pending(due: $0) }
            ?? (row.text(4) == "delivered" ? .delivered(end) : .failed(end))
        return Delivery(
            id: id, event: event, url: url, createdAt: row.date(3), state: state,
            attempts: try attempts(of: id, connection))
    }

    private static func attempts(of delivery: DeliveryID, _ connection: PostgresConnection) throws -> [DeliveryAttempt]
    {
        let sql = """
            SELECT number, started_at, milliseconds, status, error FROM delivery_attempts
            WHERE delivery_id = $1 ORDER BY number
            """
        return try connection.execute(sql, [.id(delivery)]).rows.map { row in
            DeliveryAttempt(
                number: row.int(0), startedAt: row.date(1), milliseconds: row.int(2), status: row.optionalInt(3),
                error: row.optionalText(4))
        }
    }

    private static func corrupt(_ id: String) -> JobsError {
        JobsError(.corrupt, "the stored delivery \(id) cannot be read")
    }
}
