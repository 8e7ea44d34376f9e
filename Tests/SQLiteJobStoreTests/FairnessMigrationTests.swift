import Foundation
import GRDB
import Jobs
import Testing

@testable import SQLiteJobStore

@Suite("The migrations for turns of deliveries, states of labels and deadlines")
struct FairnessMigrationTests {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("migrations/sqlite")

    /// What a database holds after them that had jobs, labels and deliveries before.
    private func migrated<T>(_ read: (Database) throws -> T) throws -> T {
        let names = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path).filter {
            $0.hasSuffix(".sql")
        }.sorted()
        let first = try #require(names.firstIndex(of: "0010_delivery_turns.sql"))
        return try DatabaseQueue().write { db in
            for name in names[..<first] { try db.execute(sql: try Self.migration(name)) }
            for (id, tenant, status) in [("a", "x", "failed"), ("b", "x", "succeeded"), ("c", "y", "queued")] {
                try db.execute(
                    sql: """
                        INSERT INTO jobs (id, tenant, status, spec, source, created_at)
                        VALUES (:id, :tenant, :status, '{"deadline_seconds":1.5}', '{}', 1000);
                        INSERT INTO job_labels (job_id, tenant, name, value) VALUES (:id, :tenant, 'camera', '7');
                        INSERT INTO deliveries (id, job_id, tenant, event, url, host, payload, created_at, due_at)
                        VALUES (:id, :id, :tenant, 'job.failed', 'https://h', 'h', x'', 1, unicode(:id))
                        """, arguments: ["id": id, "tenant": tenant, "status": status])
            }
            for name in names[first...] { try db.execute(sql: try Self.migration(name)) }
            return try read(db)
        }
    }

    @Test("deliveries that waited before them have their lanes and turns")
    func lanes() throws {
        let (lanes, turns) = try migrated { db in
            (
                try Row.fetchAll(db, sql: "SELECT tenant, host, due_at FROM delivery_lanes ORDER BY tenant").map {
                    "\($0[0] as String) \($0[1] as String) \($0[2] as Int)"
                }, try String.fetchAll(db, sql: "SELECT tenant FROM delivery_turns ORDER BY served")
            )
        }
        #expect(lanes == ["x h 97", "y h 99"])
        #expect(turns == ["x", "y"])
    }

    @Test("labels have the states of their jobs")
    func labels() throws {
        let states = try migrated { try String.fetchAll($0, sql: "SELECT status FROM job_labels ORDER BY job_id") }
        #expect(states == ["failed", "succeeded", "queued"])
    }

    @Test("queued jobs have their deadlines")
    func deadlines() throws {
        let overdue = try migrated { db in
            try [2_499, 2_500].map { now in try String.fetchAll(db, sql: SQLiteJobStore.overdueSQL, arguments: [now]) }
        }
        #expect(overdue == [[], ["c"]])
    }

    private static func migration(_ name: String) throws -> String {
        try String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8)
    }
}
