import Foundation
import GRDB
import Jobs

extension SQLiteJobStore: KeyStore {
    public func addKey(_ key: APIKey) throws {
        try write { db in
            let sql = """
                INSERT INTO api_keys (id, tenant, name, digest, rate, burst, created_at, last_used_at, revoked_at)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
                """
            do {
                try db.cachedStatement(sql: sql).execute(arguments: [
                    key.id, key.tenant.name, key.name, Data(key.digest), key.rate?.perSecond, key.rate?.burst,
                    key.createdAt.unixMilliseconds, key.lastUsedAt?.unixMilliseconds, key.revokedAt?.unixMilliseconds,
                ])
            } catch let error as DatabaseError
                where [.SQLITE_CONSTRAINT_PRIMARYKEY, .SQLITE_CONSTRAINT_UNIQUE].contains(error.extendedResultCode)
            {
                throw JobsError(.conflict, "there is a key with this id, or the same key, already")
            }
        }
    }

    public func keys() throws -> [APIKey] {
        try read { db in
            try Row.fetchAll(db, sql: Self.keyQuery + " ORDER BY created_at, id").map(Self.key)
        }
    }

    public func keysRevision() throws -> Int64 {
        try read { db in
            let sql = "SELECT revision FROM api_keys_revision"
            return try Int64.fetchOne(db.cachedStatement(sql: sql)) ?? 0
        }
    }

    public func revokeKey(_ id: String) throws -> APIKey? {
        try write { db in
            let sql = "UPDATE api_keys SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL"
            try db.cachedStatement(sql: sql).execute(arguments: [now, id])
            return try Row.fetchOne(db, sql: Self.keyQuery + " WHERE id = ?", arguments: [id]).map(Self.key)
        }
    }

    public func noteUse(_ times: [String: Date]) throws {
        guard !times.isEmpty else { return }
        try write { db in
            let sql = "UPDATE api_keys SET last_used_at = max(coalesce(last_used_at, 0), ?) WHERE id = ?"
            for (id, time) in times {
                try db.cachedStatement(sql: sql).execute(arguments: [time.unixMilliseconds, id])
            }
        }
    }

    // MARK: Rows

    private static let keyQuery = """
        SELECT id, tenant, name, digest, rate, burst, created_at, last_used_at, revoked_at FROM api_keys
        """

    private static func key(_ row: Row) -> APIKey {
        let (rate, burst): (Double?, Int?) = (row[4], row[5])
        let (used, revoked): (Int64?, Int64?) = (row[7], row[8])
        return APIKey(
            id: row[0], tenant: TenantID(row[1]), name: row[2], digest: [UInt8](row[3] as Data),
            rate: rate.map { RequestRate(perSecond: $0, burst: burst ?? 1) }, createdAt: Date(unixMilliseconds: row[6]),
            lastUsedAt: used.map { Date(unixMilliseconds: $0) },
            revokedAt: revoked.map { Date(unixMilliseconds: $0) })
    }
}
