import Foundation
import GRDB
import Jobs
import Testing

@testable import SQLiteJobStore

@Suite("The migration for monitoring")
struct MonitoringMigrationTests {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("migrations/sqlite")

    @Test("jobs that had ended before it are counted")
    func endedBefore() throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path).filter {
            $0.hasSuffix(".sql")
        }.sorted()
        let own = try #require(names.firstIndex(of: "0007_monitoring.sql"))
        let counted = try DatabaseQueue().write { db in
            for name in names[..<own] { try db.execute(sql: try Self.migration(name)) }
            for (id, status, failure) in [
                ("a", "succeeded", nil), ("b", "failed", #"{"code":"undecodable","message":"m"}"#),
                ("c", "queued", nil),
                ("d", "succeeded", nil),
            ] as [(String, String, String?)] {
                try db.execute(
                    sql: """
                        INSERT INTO jobs (id, tenant, status, spec, source, created_at, failure)
                        VALUES (?, 'anonymous', ?, '{}', '{}', 1, ?)
                        """, arguments: [id, status, failure])
            }
            try db.execute(sql: try Self.migration(names[own]))
            let rows = try Row.fetchAll(db, sql: "SELECT status, code, count FROM job_endings ORDER BY status")
            return rows.map { "\($0[0] as String) \($0[1] as String) \($0[2] as Int)" }
        }
        #expect(counted == ["failed undecodable 1", "succeeded  2"])
    }

    private static func migration(_ name: String) throws -> String {
        try String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8)
    }
}
