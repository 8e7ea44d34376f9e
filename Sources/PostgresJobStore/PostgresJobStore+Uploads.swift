import Foundation
import Jobs

/// How far uploads have come.
extension PostgresJobStore: UploadStore {
    /// In the order that ``upload(_:)`` reads.
    private static let uploadColumns = "id, tenant, length, received, metadata, created_at, expires_at, job_id"

    public func create(_ upload: Upload, atMost most: Int) throws -> Bool {
        try transactor.write { connection in
            // One after another for a tenant: what is counted stays right until the row is there.
            let lock = "SELECT pg_advisory_xact_lock(hashtext('lktrack.uploads'), hashtext($1))"
            try connection.execute(lock, [.text(upload.tenant.name)])
            let hasQuota = try Self.lockQuota(of: upload.tenant, connection)
            // Those that are about to be swept do not count.
            let sql = """
                INSERT INTO uploads (\(Self.uploadColumns))
                SELECT $1::uuid, $2::text, $3::bigint, $4::bigint, $5::text, $6::bigint, $7::bigint, $8::uuid
                WHERE (SELECT count(*) FROM uploads WHERE tenant = $2 AND job_id IS NULL AND removed_at IS NULL
                    AND expires_at > \(Self.now("$9"))) < $10::bigint
                """
            let result = try connection.execute(
                sql,
                [
                    .id(upload.id), .text(upload.tenant.name), .optional(upload.length), .integer(upload.offset),
                    .text(upload.metadata), .integer(upload.createdAt.unixMilliseconds),
                    .integer(upload.expiresAt.unixMilliseconds), upload.job.map { .id($0) } ?? .null, givenNow,
                    .integer(most),
                ])
            guard result.changed == 1 else { return false }
            if hasQuota {
                var usage = try Self.usage(connection, upload.tenant)
                let length = upload.length ?? 0
                usage.stored -= length
                try usage.requireRoom(for: length)
            }
            return true
        }
    }

    public func upload(_ id: UploadID, tenant: TenantID) throws -> Upload? {
        try transactor.read { connection in
            let sql = "SELECT \(Self.uploadColumns) FROM uploads WHERE id = $1 AND tenant = $2 AND removed_at IS NULL"
            return try Self.upload(connection.execute(sql, [.id(id), .text(tenant.name)]))
        }
    }

    public func expiry(of id: UploadID, tenant: TenantID) throws -> Date? {
        try transactor.read { connection in
            let sql = "SELECT expires_at FROM uploads WHERE id = $1 AND tenant = $2 AND removed_at IS NOT NULL"
            return try connection.execute(sql, [.id(id), .text(tenant.name)]).first?.optionalDate(0)
        }
    }

    public func advance(_ upload: Upload, to offset: Int64, length: Int64?, expiresAt: Date) throws -> Upload? {
        try transactor.write { connection in
            let sql = """
                UPDATE uploads SET received = $4, length = $5, expires_at = $6
                WHERE id = $1 AND tenant = $2 AND received = $3 AND job_id IS NULL AND removed_at IS NULL
                    AND (length IS NULL OR length = $5)
                RETURNING \(Self.uploadColumns)
                """
            let moved = try Self.upload(
                connection.execute(
                    sql,
                    [
                        .id(upload.id), .text(upload.tenant.name), .integer(upload.offset), .integer(offset),
                        .optional(length), .integer(expiresAt.unixMilliseconds),
                    ]))
            let more = (length ?? offset) - (upload.length ?? upload.offset)
            if moved != nil, more > 0, try Self.lockQuota(of: upload.tenant, connection) {
                var usage = try Self.usage(connection, upload.tenant)
                usage.stored -= more
                try usage.requireRoom(for: more)
            }
            return moved
        }
    }

    public func delete(_ id: UploadID, tenant: TenantID) throws -> Upload? {
        try transactor.write { connection in
            let sql = """
                DELETE FROM uploads WHERE id = $1 AND tenant = $2 AND removed_at IS NULL
                RETURNING \(Self.uploadColumns)
                """
            return try Self.upload(connection.execute(sql, [.id(id), .text(tenant.name)]))
        }
    }

    public func submit(_ job: Job, taking upload: UploadID) throws -> Bool {
        let new = NewJob(job)
        let isKept = try transactor.write { connection in
            guard try Self.take(upload, for: job, connection) else { return false }
            try insert(new, connection)
            return true
        }
        if isKept { changes.note(StoreChange(jobs: [job.id], isQueued: true)) }
        return isKept
    }

    /// - Returns: `false` where the upload is gone, not complete, or taken already.
    static func take(_ upload: UploadID, for job: Job, _ connection: PostgresConnection) throws -> Bool {
        let sql = """
            UPDATE uploads SET job_id = $1
            WHERE id = $2 AND tenant = $3 AND job_id IS NULL AND removed_at IS NULL AND received = length
            """
        return try connection.execute(sql, [.id(job.id), .id(upload), .text(job.tenant.name)]).changed == 1
    }

    public func expireUploads() throws -> [UploadID] {
        try transactor.write { connection in
            let now = Self.now("$1")
            let remembered = Int64(UploadLimits.rememberedSeconds * 1000)
            try connection.execute(
                "DELETE FROM uploads WHERE removed_at IS NOT NULL AND removed_at <= \(now) - \(remembered)", [givenNow])
            let sql = """
                UPDATE uploads SET removed_at = \(now)
                WHERE id IN (
                    SELECT id FROM uploads WHERE removed_at IS NULL AND expires_at <= \(now)
                    ORDER BY id FOR UPDATE SKIP LOCKED)
                RETURNING id
                """
            return try connection.execute(sql, [givenNow]).rows.compactMap { UploadID($0.text(0)) }
        }
    }

    public func isOpen(_ id: UploadID) throws -> Bool {
        try transactor.read { connection in
            let sql = "SELECT EXISTS (SELECT 1 FROM uploads WHERE id = $1 AND job_id IS NULL AND removed_at IS NULL)"
            return try connection.execute(sql, [.id(id)]).first?.boolean(0) ?? false
        }
    }

    private static func upload(_ result: PostgresResult) throws -> Upload? {
        guard let row = result.first else { return nil }
        guard let id = UploadID(row.text(0)) else {
            throw JobsError(.corrupt, "the stored upload \(row.text(0)) cannot be read")
        }
        return Upload(
            id: id, tenant: TenantID(row.text(1)), length: row.optionalInteger(2), offset: row.integer(3),
            metadata: row.text(4), createdAt: row.date(5), expiresAt: row.date(6),
            job: row.optionalText(7).flatMap { JobID($0) })
    }
}
