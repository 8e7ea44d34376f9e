import Foundation
import Glibc
import Jobs

/// Keys for people and for programs. Neither shows a digest.
enum KeyReport {
    static func json(_ key: APIKey) -> JSONObject {
        JSONObject([
            ("id", .string(key.id)), ("tenant", .string(key.tenant.name)), ("name", .string(key.name)),
            ("requests_per_second", key.rate.map { .number($0.perSecond) } ?? .null),
            ("burst", key.rate.map { .int($0.burst) } ?? .null),
            ("created_at", time(key.createdAt)), ("last_used_at", time(key.lastUsedAt)),
            ("revoked_at", time(key.revokedAt)),
        ])
    }

    /// With what the key's tenant keeps, and may keep.
    static func json(_ key: APIKey, _ usage: TenantUsage?) -> JSONObject {
        var object = json(key)
        object["stored_bytes"] = usage.map { .int($0.stored) } ?? .null
        object["stored_bytes_quota"] = usage?.quota.stored.map { .int($0) } ?? .null
        return object
    }

    static func write(_ json: JSONValue) { Console.write(json.encoded() + [UInt8(ascii: "\n")], to: STDOUT_FILENO) }

    /// In columns, a key a line.
    static func table(_ keys: [APIKey], _ usages: [TenantID: TenantUsage]) -> String {
        TextTable.text(
            [["ID", "TENANT", "STORED", "CREATED", "LAST USED", "REVOKED", "NAME"]]
                + keys.map { row($0, usages[$0.tenant]) })
    }

    private static func row(_ key: APIKey, _ usage: TenantUsage?) -> [String] {
        let quota = usage?.quota.stored.map { " of \($0)" } ?? ""
        return [
            key.id, key.tenant.name, usage.map { "\($0.stored)\(quota)" } ?? "-", text(key.createdAt),
            text(key.lastUsedAt), text(key.revokedAt), key.name,
        ]
    }

    private static func text(_ date: Date?) -> String { date.map { RFC3339.string($0) } ?? "-" }

    private static func time(_ date: Date?) -> JSONValue { date.map { .string(RFC3339.string($0)) } ?? .null }
}
