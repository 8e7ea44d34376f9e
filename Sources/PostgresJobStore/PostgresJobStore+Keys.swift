import Foundation
import Jobs

extension PostgresJobStore: KeyStore {
    public func addKey(_ key: APIKey) throws {
        let sql = """
            INSERT INTO api_keys (id, tenant, name, digest, rate, burst, created_at, last_used_at, revoked_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
            """
        try transactor.write { connection in
            do throws(PostgresError) {
                try connection.execute(
                    sql,
                    [
                        .text(key.id), .text(key.tenant.name), .text(key.name), .bytes(key.digest),
                        key.rate.map { .number($0.perSecond) } ?? .null, .optional(key.rate?.burst),
                        .integer(key.createdAt.unixMilliseconds), .optional(key.lastUsedAt?.unixMilliseconds),
                        .optional(key.revokedAt?.unixMilliseconds),
                    ])
            } catch {
                guard error.kind == .server(PostgresError.uniqueViolation) else { throw error }
                throw JobsError(.conflict, "there is a key with this id, or the same key, already")
            }
        }
    }

    public func keys() throws -> [APIKey] {
        try transactor.read { connection in
            try connection.execute(Self.keyQuery + " ORDER BY created_at, id").rows.map(Self.key)
        }
    }

    public func keysRevision() throws -> Int64 {
        try transactor.read { connection in
            try connection.execute("SELECT revision FROM api_keys_revision").first?.integer(0) ?? 0
        }
    }

    public func revokeKey(_ id: String) throws -> APIKey? {
        try transactor.write { connection in
            let sql = "UPDATE api_keys SET revoked_at = \(Self.now("$2")) WHERE id = $1 AND revoked_at IS NULL"
            try connection.execute(sql, [.text(id), givenNow])
            return try connection.execute(Self.keyQuery + " WHERE id = $1", [.text(id)]).first.map(Self.key)
        }
    }

    public func noteUse(_ times: [String: Date]) throws {
        guard !times.isEmpty else { return }
        try transactor.write { connection in
            // In one order, so that processes that do the same do not lock each other out.
            let sql = "UPDATE api_keys SET last_used_at = greatest(coalesce(last_used_at, 0), $2) WHERE id = $1"
            for (id, time) in times.sorted(by: { $0.key < $1.key }) {
                try connection.execute(sql, [.text(id), .integer(time.unixMilliseconds)])
            }
        }
    }

    // MARK: Rows

    private static let keyQuery = """
        SELECT id, tenant, name, digest, rate, burst, created_at, last_used_at, revoked_at FROM api_keys
        """

    private static func key(_ row: PostgresRow) -> APIKey {
        APIKey(
            id: row.text(0), tenant: TenantID(row.text(1)), name: row.text(2), digest: row.bytes(3),
            rate: row.optionalNumber(4).map { RequestRate(perSecond: $0, burst: row.optionalInt(5) ?? 1) },
            createdAt: row.date(6), lastUsedAt: row.optionalDate(7), revokedAt: row.optionalDate(8))
    }
}
