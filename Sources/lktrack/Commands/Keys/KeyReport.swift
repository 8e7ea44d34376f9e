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

    static func write(_ json: JSONValue) { Console.write(json.encoded() + [UInt8(ascii: "\n")], to: STDOUT_FILENO) }

    /// In columns, a key a line.
    static func table(_ keys: [APIKey]) -> String {
        TextTable.text([["ID", "TENANT", "CREATED", "LAST USED", "REVOKED", "NAME"]] + keys.map(row))
    }

    private static func row(_ key: APIKey) -> [String] {
        [key.id, key.tenant.name, text(key.createdAt), text(key.lastUsedAt), text(key.revokedAt), key.name]
    }

    private static func text(_ date: Date?) -> String { date.map { RFC3339.string($0) } ?? "-" }

    private static func time(_ date: Date?) -> JSONValue { date.map { .string(RFC3339.string($0)) } ?? .null }
}
