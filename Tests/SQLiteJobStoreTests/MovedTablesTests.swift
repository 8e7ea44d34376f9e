import Foundation
import GRDB
import Jobs
import Testing

@testable import SQLiteJobStore

@Suite("What is moved of SQLite's tables")
struct MovedTablesTests {
    /// `TABLE.COLUMN` of all that the schema has, generated columns too.
    private func columns(_ db: Database) throws -> Set<String> {
        let tables = try String.fetchAll(
            db, sql: "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
        return try Set(
            tables.filter { MovedTables.left[$0] == nil }.flatMap { table in
                try Row.fetchAll(db, sql: "PRAGMA table_xinfo(\(table))").map { "\(table).\($0["name"] as String)" }
            })
    }

    private var moved: Set<String> {
        Set(
            StoredTable.all.flatMap { table in
                table.columns.map { column in
                    let origin = MovedTables.origin(of: column, in: table)
                    return "\(origin.table).\(origin.column)"
                }
            })
    }

    @Test("no table and no column is forgotten, and none is named that is not there")
    func complete() throws {
        let store = try TemporaryDatabase().store()
        let columns = try store.read(columns)
        #expect(columns.subtracting(moved) == [], "say in StoredTable how they move, or in MovedTables.left why not")
        #expect(moved.subtracting(columns) == [])
    }

    @Test("a column and a table that nobody has thought of are noticed")
    func unknown() throws {
        let store = try TemporaryDatabase().store()
        let columns = try store.write { [self] db in
            try db.execute(sql: "ALTER TABLE jobs ADD COLUMN novel TEXT; CREATE TABLE novelties (id INTEGER)")
            return try self.columns(db)
        }
        #expect(columns.subtracting(moved) == ["jobs.novel", "novelties.id"])
    }

    @Test("every table is read by the index of its key, without being sorted", arguments: StoredTable.all.map(\.name))
    func ordered(_ name: String) throws {
        let table = try #require(StoredTable.all.first { $0.name == name })
        let store = try TemporaryDatabase().store()
        let plan = try store.read { db in
            try Row.fetchAll(db, sql: "EXPLAIN QUERY PLAN " + MovedTables.query(table)).map { $0["detail"] as String }
        }
        #expect(!plan.contains { $0.contains("TEMP B-TREE") }, "\(plan)")
    }

    @Test("a database that is moved refuses to be opened, says what to do, and opens again once that is undone")
    func closed() throws {
        let database = TemporaryDatabase()
        try database.store().close()
        let mover = try SQLiteJobStore(moving: database.path, retentionSeconds: nil)
        #expect(try mover.move() == nil)
        for (move, words) in [
            (DatabaseMove.moving, ["same `lktrack migrate` again", "--undo"]), (.moved, ["store.url"]),
        ] {
            try mover.setMove(move)
            #expect(try mover.move() == move)
            let error = try #require(throws: JobsError.self) { try database.store() }
            #expect(error.code == .moved)
            for word in words + [database.path] { #expect(error.message.contains(word), "\(error)") }
            #expect(try SQLiteJobStore(moving: database.path, retentionSeconds: nil).move() == move)
        }
        try mover.setMove(nil)
        #expect(try database.store().counts()[.queued] == 0)
    }

    @Test("opened again after a move, gives jobs revisions that they have not had elsewhere")
    func reopened() throws {
        let database = TemporaryDatabase()
        let store = try database.store()
        let id = JobIDGenerator().next()
        let target = TargetSpec(id: "car", box: PixelBox(x: 1, y: 2, width: 30, height: 40))
        let source = JobSource(kind: .video, blobKey: id.sourceKey, bytes: 1, sha256: "00")
        try store.submit(
            Job(id: id, tenant: .anonymous, spec: JobSpec(targets: [target]), source: source, createdAt: Date()))
        let before = try #require(try store.job(id, tenant: .anonymous)).revision
        try store.setMove(.moved)
        try store.reopen()
        #expect(try store.move() == nil)
        #expect(try #require(try store.job(id, tenant: .anonymous)).revision >= before + 1_000_000_000)
    }

    @Test("a version that knows nothing of moves takes the database for a newer one's, which it does not open")
    func olderVersions() throws {
        let database = TemporaryDatabase()
        let store = try database.store()
        let known = try store.read { db in try String.fetchSet(db, sql: "SELECT identifier FROM grdb_migrations") }
        try store.setMove(.moved)
        var migrator = DatabaseMigrator()
        for name in known { migrator.registerMigration(name) { _ in } }
        #expect(try store.pool.read(migrator.hasBeenSuperseded))
    }

    @Test("the one who moves it refuses a schema of another version, and leaves it as it is")
    func otherVersions() throws {
        let database = TemporaryDatabase()
        let store = try database.store()
        try store.write { db in try db.execute(sql: "INSERT INTO grdb_migrations VALUES ('9999_future')") }
        func refusal() throws -> JobsError {
            try #require(throws: JobsError.self) { try SQLiteJobStore(moving: database.path, retentionSeconds: nil) }
        }
        #expect(try refusal().code == .schemaTooNew)
        try store.write { db in
            try db.execute(sql: "DELETE FROM grdb_migrations WHERE identifier IN ('9999_future', '0013_parts')")
        }
        #expect(try refusal().message.contains("older version"))
        #expect(
            try store.read { db in try String.fetchSet(db, sql: "SELECT identifier FROM grdb_migrations") }.count == 12)
    }
}
