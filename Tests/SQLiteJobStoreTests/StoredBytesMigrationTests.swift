import Foundation
import GRDB
import Jobs
import Testing

@testable import SQLiteJobStore

@Suite("The migration for stored bytes")
struct StoredBytesMigrationTests {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("migrations/sqlite")

    @Test("the sources of jobs that were there before count, those of purged ones and what cannot be read do not")
    func sources() throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path).filter {
            $0.hasSuffix(".sql")
        }.sorted()
        let first = try #require(names.firstIndex(of: "0014_stored_bytes.sql"))
        let (bytes, usages) = try DatabaseQueue().write { db in
            for name in names[..<first] { try db.execute(sql: try Self.migration(name)) }
            let jobs: [(String, String, String, Int?)] = [
                ("a", "x", #"{"bytes":1000,"kind":"video"}"#, nil), ("b", "x", #"{"bytes":34}"#, nil),
                ("c", "x", #"{"bytes":500}"#, 7), ("d", "y", "no JSON", nil), ("e", "y", "{}", nil),
            ]
            for (id, tenant, source, purged) in jobs {
                try db.execute(
                    sql: """
                        INSERT INTO jobs (id, tenant, status, spec, source, created_at, purged_at)
                        VALUES (?, ?, 'succeeded', '{}', ?, 1000, ?)
                        """, arguments: [id, tenant, source, purged])
            }
            for name in names[first...] { try db.execute(sql: try Self.migration(name)) }
            let usages = try ["x", "y"].map { try SQLiteJobStore.usage(db, TenantID($0)) }
            return (try Int.fetchAll(db, sql: "SELECT stored_bytes FROM jobs ORDER BY id"), usages)
        }
        #expect(bytes == [1000, 34, 0, 0, 0])
        #expect(usages == [TenantUsage(stored: 1034), TenantUsage()])
    }

    private static func migration(_ name: String) throws -> String {
        try String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8)
    }
}
