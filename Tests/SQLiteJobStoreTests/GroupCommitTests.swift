import JobStoreContract
import Foundation
import GRDB
import Jobs
import Synchronization
import Testing

@testable import SQLiteJobStore

@Suite("Group commit")
struct GroupCommitTests {
    @Test("writes of many threads all happen, each once, and each caller gets its own result")
    func together() throws {
        let store = try TemporaryDatabase().store()
        _ = try store.write { try $0.execute(sql: "CREATE TABLE numbers (n INTEGER PRIMARY KEY)") }
        let wrong = Atomic(0)
        onThreads(16) { thread in
            for i in 0..<25 {
                let number = thread * 25 + i
                let result = try? store.write { db in
                    try db.execute(sql: "INSERT INTO numbers VALUES (?)", arguments: [number])
                    return number
                }
                if result != number { wrong.wrappingAdd(1, ordering: .relaxed) }
            }
        }
        #expect(wrong.load(ordering: .relaxed) == 0)
        #expect(try store.read { try Int.fetchOne($0, sql: "SELECT COUNT(*) FROM numbers") } == 400)
    }

    @Test("a write that fails undoes itself and disturbs no other")
    func failing() throws {
        let store = try TemporaryDatabase().store()
        _ = try store.write { try $0.execute(sql: "CREATE TABLE numbers (n INTEGER PRIMARY KEY)") }
        let failures = Atomic(0)
        onThreads(100) { number in
            do {
                try store.write { db in
                    try db.execute(sql: "INSERT INTO numbers VALUES (?)", arguments: [number])
                    if number % 3 == 0 { try db.execute(sql: "INSERT INTO numbers VALUES (?)", arguments: [number]) }
                }
            } catch {
                failures.wrappingAdd(1, ordering: .relaxed)
            }
        }
        #expect(failures.load(ordering: .relaxed) == 34)
        let kept = try store.read { try Int.fetchAll($0, sql: "SELECT n FROM numbers ORDER BY n") }
        #expect(kept == (0..<100).filter { $0 % 3 != 0 })
    }

    @Test("a full disk fails every write of its transaction, and later ones go through")
    func diskFull() throws {
        let store = try TemporaryDatabase().store()
        _ = try store.write { try $0.execute(sql: "CREATE TABLE texts (t TEXT)") }
        let pages = try #require(
            try store.pool.writeWithoutTransaction { db -> Int? in
                let pages = try Int.fetchOne(db, sql: "PRAGMA page_count") ?? 0
                return try Int.fetchOne(db, sql: "PRAGMA max_page_count = \(pages + 20)")
            })
        let done = Atomic(0)
        let full = Atomic(0)
        let other = Atomic(0)
        onThreads(64) { _ in
            do {
                try store.write { try $0.execute(sql: "INSERT INTO texts VALUES (zeroblob(4000) || 'x')") }
                done.wrappingAdd(1, ordering: .relaxed)
            } catch let error as JobsError where error.code == .storageFull {
                full.wrappingAdd(1, ordering: .relaxed)
            } catch {
                other.wrappingAdd(1, ordering: .relaxed)
            }
        }
        #expect(other.load(ordering: .relaxed) == 0)
        #expect(full.load(ordering: .relaxed) > 0)
        try store.pool.writeWithoutTransaction { try $0.execute(sql: "PRAGMA max_page_count = \(pages * 100)") }
        try store.write { try $0.execute(sql: "INSERT INTO texts VALUES ('y')") }
        let kept = try store.read { try Int.fetchOne($0, sql: "SELECT COUNT(*) FROM texts") }
        #expect(kept == done.load(ordering: .relaxed) + 1)
    }
}
