import Foundation
import GRDB
import Jobs

/// How far uploads have come.
extension SQLiteJobStore: UploadStore {
    /// In the order that ``upload(_:)`` reads.
    private static let uploadColumns = "id, tenant, length, received, metadata, created_at, expires_at, job_id"

    /// Whether a tenant has fewer than so many open uploads; those that are about to be swept do not count.
    static let roomSQL = """
        SELECT (SELECT count(*) FROM uploads
            WHERE tenant = ? AND job_id IS NULL AND removed_at IS NULL AND expires_at > ?) < ?
        """

    public func create(_ upload: Upload, atMost most: Int) throws -> Bool {
        try write { db in
            let room: StatementArguments = [upload.tenant.name, now, most]
            guard try Bool.fetchOne(db.cachedStatement(sql: Self.roomSQL), arguments: room) ?? false else {
                return false
            }
            try Self.usage(db, upload.tenant).requireRoom(for: upload.length ?? 0)
            let sql = "INSERT INTO uploads (\(Self.uploadColumns)) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
            try db.cachedStatement(sql: sql).execute(arguments: [
                upload.id.description, upload.tenant.name, upload.length, upload.offset, upload.metadata,
                upload.createdAt.unixMilliseconds, upload.expiresAt.unixMilliseconds, upload.job?.description,
            ])
            return true
        }
    }

    public func upload(_ id: UploadID, tenant: TenantID) throws -> Upload? {
        try read { db in
            let sql = "SELECT \(Self.uploadColumns) FROM uploads WHERE id = ? AND tenant = ? AND removed_at IS NULL"
            return try Self.upload(db.cachedStatement(sql: sql).rows([id.description, tenant.name]).first)
        }
    }

    public func expiry(of id: UploadID, tenant: TenantID) throws -> Date? {
        try read { db in
            let sql = "SELECT expires_at FROM uploads WHERE id = ? AND tenant = ? AND removed_at IS NOT NULL"
            let arguments: StatementArguments = [id.description, tenant.name]
            return try Int64.fetchOne(db.cachedStatement(sql: sql), arguments: arguments).map {
                Date(unixMilliseconds: $0)
            }
        }
    }

    public func advance(_ upload: Upload, to offset: Int64, length: Int64?, expiresAt: Date) throws -> Upload? {
        try write { db in
            let sql = """
                UPDATE uploads SET received = :offset, length = :length, expires_at = :expires
                WHERE id = :id AND tenant = :tenant AND received = :before AND job_id IS NULL
                    AND removed_at IS NULL
                    AND (length IS NULL OR length = :length)
                RETURNING \(Self.uploadColumns)
                """
            let arguments: StatementArguments = [
                "offset": offset, "length": length, "expires": expiresAt.unixMilliseconds,
                "id": upload.id.description, "tenant": upload.tenant.name, "before": upload.offset,
            ]
            let moved = try Self.upload(db.cachedStatement(sql: sql).rows(arguments).first)
            let more = (length ?? offset) - (upload.length ?? upload.offset)
            if moved != nil, more > 0 {
                var usage = try Self.usage(db, upload.tenant)
                usage.stored -= more
                try usage.requireRoom(for: more)
            }
            return moved
        }
    }

    public func delete(_ id: UploadID, tenant: TenantID) throws -> Upload? {
        try write { db in
            let sql = """
                DELETE FROM uploads WHERE id = ? AND tenant = ? AND removed_at IS NULL RETURNING \(Self.uploadColumns)
                """
            return try Self.upload(db.cachedStatement(sql: sql).rows([id.description, tenant.name]).first)
        }
    }

    public func submit(_ job: Job, taking upload: UploadID) throws -> Bool {
        let new = NewJob(job)
        return try write { db in
            guard try Self.take(upload, for: job, db) else { return false }
            try insert(new, db)
            return true
        }
    }

    /// - Returns: `false` where the upload is gone, not complete, or taken already.
    static func take(_ upload: UploadID, for job: Job, _ db: Database) throws -> Bool {
        let sql = """
            UPDATE uploads SET job_id = ?
            WHERE id = ? AND tenant = ? AND job_id IS NULL AND removed_at IS NULL AND received = length
            """
        try db.cachedStatement(sql: sql).execute(
            arguments: [job.id.description, upload.description, job.tenant.name])
        return db.changesCount == 1
    }

    static let expiredUploadsSQL = """
        UPDATE uploads SET removed_at = ? WHERE removed_at IS NULL AND expires_at <= ? RETURNING id
        """
    static let forgottenSQL = "DELETE FROM uploads WHERE removed_at IS NOT NULL AND removed_at <= ?"

    public func expireUploads() throws -> [UploadID] {
        try write { db in
            let remembered = now - Int64(UploadLimits.rememberedSeconds * 1000)
            try db.cachedStatement(sql: Self.forgottenSQL).execute(arguments: [remembered])
            return try db.cachedStatement(sql: Self.expiredUploadsSQL).rows([now, now]).compactMap {
                UploadID($0[0] as String)
            }
        }
    }

    public func isOpen(_ id: UploadID) throws -> Bool {
        try read { db in
            let sql = "SELECT EXISTS (SELECT 1 FROM uploads WHERE id = ? AND job_id IS NULL AND removed_at IS NULL)"
            return try Bool.fetchOne(db.cachedStatement(sql: sql), arguments: [id.description]) ?? false
        }
    }

    private static func upload(_ row: Row?) throws -> Upload? {
        guard let row else { return nil }
        let text: String = row[0]
        guard let id = UploadID(text) else { throw JobsError(.corrupt, "the stored upload \(text) cannot be read") }
        let job: String? = row[7]
        return Upload(
            id: id, tenant: TenantID(row[1]), length: row[2], offset: row[3], metadata: row[4],
            createdAt: Date(unixMilliseconds: row[5]), expiresAt: Date(unixMilliseconds: row[6]),
            job: job.flatMap { JobID($0) })
    }
}
