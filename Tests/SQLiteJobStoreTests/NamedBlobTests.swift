import Foundation
import JobStoreContract
import Jobs
import SQLiteJobStore
import Testing

@Suite("Blobs that jobs name", .timeLimit(.minutes(10)))
struct NamedBlobTests {
    @Test("a blob is missed where a job's row names it, and not where the job was deleted, has expired or names others")
    func stillNamed() throws {
        let database = TemporaryDatabase()
        let clock = ManualEnvironment()
        let store = try SQLiteJobStore(path: database.path, retentionSeconds: 1, environment: clock)
        let ids = (0..<3).map { _ in JobIDGenerator().next() }
        for id in ids { try store.submit(SQLiteJobStoreTests.job(id)) }
        let (kept, deleted, expired) = (ids[0], ids[1], ids[2])
        _ = try store.delete(deleted, tenant: .anonymous)
        // Long ago by the clock of the machine, and its files are being removed.
        _ = try store.requestCancel(expired, tenant: .anonymous)
        let named = SQLiteJobStore.NamedBlob(job: kept, key: kept.sourceKey)
        let blobs: [SQLiteJobStore.NamedBlob] = [
            named, .init(job: kept, key: kept.resultKey(attempt: 1)), .init(job: deleted, key: deleted.sourceKey),
            .init(job: expired, key: expired.sourceKey),
        ]
        #expect(try SQLiteJobStore.stillNamed(blobs, in: database.path) == [named])
        #expect(try SQLiteJobStore.stillNamed([], in: database.path + "-that-is-not-there").isEmpty)
        try store.close()
    }
}
