import Foundation
import Jobs
import JobStoreContract
import Synchronization
import Testing

@testable import PostgresJobStore

@Suite("The schema in PostgreSQL")
struct SchemaTests {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("migrations/postgres")

    @Test("every migration of the folder is compiled in, in order")
    func complete() throws {
        let files = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path).filter {
            $0.hasSuffix(".sql")
        }
        #expect(Schema.migrations.map { $0.name + ".sql" } == files.sorted())
    }

    @Test("four stores that start at the same time make it once, and all work")
    func together() throws {
        let schema = try TemporarySchema()
        let failures = Mutex<[String]>([])
        onThreads(4) { _ in
            do {
                let store = try schema.store()
                try store.submit(try .simple())
            } catch {
                failures.withLock { $0.append("\(error)") }
            }
        }
        #expect(failures.withLock { $0 } == [])
        let store = try schema.store()
        #expect(try store.counts()[.queued] == 4)
        let applied = try schema.connection().run(script: "SELECT name FROM lktrack_migrations ORDER BY name").rows
        #expect(applied.map { $0.text(0) } == Schema.migrations.map(\.name))
    }

    @Test("one of a newer version stops the start with a message that says so, and stays as it is")
    func newer() throws {
        let schema = try TemporarySchema()
        _ = try schema.store()
        try schema.connection().run(script: "INSERT INTO lktrack_migrations (name) VALUES ('9999_future')")
        let error = try #require(throws: JobsError.self) { try schema.store() }
        #expect(error.code == .schemaTooNew)
        #expect(error.message.contains("newer version") && error.message.contains("9999_future"))
    }

    @Test("a search path that leads nowhere is named")
    func noSchema() throws {
        let schema = try TemporarySchema()
        let error = try #require(throws: JobsError.self) {
            try schema.store { $0.url = schema.server.url(schema: "nowhere") }
        }
        #expect(error.message.contains("search_path"))
    }

    @Test("two installations in one database do not hear each other")
    func apart() throws {
        let (own, other) = (try TemporarySchema(), try TemporarySchema())
        let (store, stranger) = (try own.store(), try other.store())
        let count = try #require(stranger.changeCount())
        let witness = try own.store()
        let heard = DispatchSemaphore(value: 0)
        witness.onChange { _ in heard.signal() }
        try store.submit(try .simple())
        #expect(heard.wait(timeout: .now() + 10) == .success)
        #expect(stranger.changeCount() == count)
        #expect(try stranger.counts()[.queued] == 0)
    }
}
