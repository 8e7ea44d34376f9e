import Foundation
import Jobs
import Migration
import Testing

@testable import PostgresJobStore
@testable import SQLiteJobStore

@Suite("Blobs of a move")
struct BlobTests {
    /// Changes bytes of a file, and nothing that is kept with it.
    private func damage(_ key: String, _ move: Move) throws {
        let file = try FileHandle(forUpdating: move.folder.url.appendingPathComponent("here/\(key)"))
        try file.write(contentsOf: Data("XX".utf8))
        try file.close()
    }

    @Test("one that is not what it was is told with its job and never taken for good; the others come")
    func damaged() throws {
        let move = try Move()
        try move.submit()
        let jobs = [try move.end(), try move.submit(), try move.submit()]
        let result = try #require(jobs[0].resultKey)
        // The digest of a source is in its row, that of a result with its file.
        try damage(result, move)
        try damage(jobs[1].source.blobKey, move)
        try move.here.remove(jobs[2].source.blobKey)
        let report = try move.run()
        #expect(
            Set(report.blobs.damaged.map { "\($0.owner) \($0.key)" }) == [
                "job \(jobs[0].id) \(result)", "job \(jobs[1].id) \(jobs[1].source.blobKey)",
                "job \(jobs[2].id) \(jobs[2].source.blobKey)",
            ])
        #expect(report.blobs.damaged.filter { $0.reason.contains("SHA-256") }.count == 2)
        #expect(report.blobs.damaged.contains { $0.reason == "is not there" })
        #expect(
            Set(try move.blobs(move.there).keys) == [
                jobs[0].source.blobKey, jobs[0].id.cropsKey(attempt: 1, target: 0),
            ])
        #expect(try move.takeover().state() == .copying)
    }

    @Test("what the source's disk cannot read is told, whole folders once; the others come, and earlier copies stay")
    func unreadable() throws {
        let move = try Move()
        let jobs = try (0..<3).map { _ in try move.submit() }
        try move.run(isLast: false)
        try move.submit()
        let source = FailingBlobs(move.here, unreadable: [jobs[0].source.blobKey, jobs[1].id.blobPrefix])
        let report = try move.run(from: source)
        #expect(
            report.blobs.damaged.map { "\($0.owner) \($0.key)" } == [
                "job \(jobs[0].id) \(jobs[0].source.blobKey)", "job \(jobs[1].id) \(jobs[1].id.blobPrefix)",
            ])
        #expect(report.blobs.damaged.allSatisfy { $0.reason.contains("Input/output error") })
        #expect(report.blobs.copied == 1)
        #expect(try move.blobs(move.there) == move.blobs(move.here))
        #expect(try Migration.look(at: move.store, blobs: source).blobs.count == 4)
    }

    @Test("one that has become damaged since it was copied is the good one at the destination")
    func damagedLater() throws {
        let move = try Move()
        let job = try move.submit()
        try move.run(isLast: false)
        let good = try move.blobs(move.here)
        try damage(job.source.blobKey, move)
        let report = try move.run()
        #expect(report.blobs.damaged.isEmpty && report.blobs.copied == 0)
        #expect(try move.blobs(move.there) == good)
    }

    @Test("one that is another at the destination is replaced; what is kept with it is believed only where asked to")
    func replaced() throws {
        let move = try Move()
        let jobs = try (0..<2).map { _ in try move.submit() }
        try move.run(isLast: false)
        try move.there.put(jobs[0].source.blobKey, Array("something else".utf8))
        let file = try FileHandle(
            forUpdating: move.folder.url.appendingPathComponent("there/\(jobs[1].source.blobKey)"))
        try file.write(contentsOf: Data("XX".utf8))
        try file.close()
        #expect(try move.run(isLast: false).blobs.copied == 1)
        #expect(try move.run(isLast: false, rereads: true).blobs.copied == 1)
        #expect(try move.blobs(move.there) == move.blobs(move.here))
    }

    @Test("those that stay are held against their digests all the same")
    func staying() throws {
        let move = try Move()
        let jobs = try (0..<2).map { _ in try move.submit() }
        try move.here.remove(jobs[1].source.blobKey)
        let takeover = try move.takeover()
        try takeover.begin()
        let migration = Migration(from: move.store, to: takeover, blobs: BlobRoute(from: move.here, to: nil))
        let report = try migration.copy(isLast: true)
        #expect(report.blobs.damaged.map(\.key) == [jobs[1].source.blobKey])
        #expect(report.blobs.destination.count == 1 && report.blobs.copied == 0)
    }

    @Test("an upload that still comes goes on at the byte that its client was told, and a whole one is whole")
    func uploads() throws {
        let move = try Move()
        func upload(_ received: Int64, of length: Int64) throws -> Upload {
            let upload = Upload(
                id: UploadID(move.ids.next()), tenant: .anonymous, length: length, createdAt: move.clock.now(),
                expiresAt: move.clock.now().addingTimeInterval(3600))
            #expect(try move.store.create(upload, atMost: 10))
            let appender = try #require(try move.here.resume(upload.id.dataKey))
            let bytes = (0..<received).map { UInt8(truncatingIfNeeded: $0) }
            try bytes.withUnsafeBytes(appender.write)
            try appender.checkpoint()
            let known = try #require(
                try move.store.advance(upload, to: received, length: length, expiresAt: upload.expiresAt))
            if received == length {
                try appender.commit()
            } else {
                // What came after that nobody was told of.
                try Array("unknown".utf8).withUnsafeBytes(appender.write)
            }
            appender.close()
            return known
        }
        let (open, whole) = (try upload(2_500_000, of: 3_000_000), try upload(1000, of: 1000))
        let first = try move.run(isLast: false)
        #expect(first.blobs.copied == 1)
        let report = try move.run()
        #expect(report.blobs.copied == 1 && report.blobs.destination.bytes == 2_501_000)
        let moved = try move.moved()
        #expect(try moved.upload(open.id, tenant: .anonymous) == open)
        let appender = try #require(try move.there.resume(open.id.dataKey))
        #expect(appender.count == 2_500_000)
        appender.close()
        #expect(try move.there.open(whole.id.dataKey)?.count == 1000)
        let partial = try #require(try move.there.openPartial(open.id.dataKey)).all()
        #expect(partial == (0..<2_500_000).map { UInt8(truncatingIfNeeded: $0) })
    }

    @Test("an upload with fewer bytes than its client was told of is damaged")
    func shortUpload() throws {
        let move = try Move()
        let upload = Upload(
            id: UploadID(move.ids.next()), tenant: .anonymous, length: 9000, createdAt: move.clock.now(),
            expiresAt: move.clock.now().addingTimeInterval(3600))
        #expect(try move.store.create(upload, atMost: 10))
        let appender = try #require(try move.here.resume(upload.id.dataKey))
        try Array(repeating: UInt8(7), count: 1000).withUnsafeBytes(appender.write)
        try appender.checkpoint()
        appender.close()
        #expect(try move.store.advance(upload, to: 5000, length: 9000, expiresAt: upload.expiresAt) != nil)
        let damaged = try #require(try move.run().blobs.damaged.first)
        #expect(damaged.owner == "upload \(upload.id)" && damaged.key == upload.id.dataKey)
        #expect(damaged.reason.contains("1000") && damaged.reason.contains("5000"))
        #expect(try move.there.openPartial(upload.id.dataKey) == nil)
    }

    @Test("the source and its blobs are told without a change")
    func described() throws {
        let move = try Move()
        try move.submit()
        try move.end()
        try move.submit()
        let (rows, blobs) = try Migration.look(at: move.store, blobs: move.here)
        #expect(rows.first { $0.table == "jobs" }?.count == 2)
        #expect(blobs.count == 4)
        #expect(blobs.bytes > 3_000_000)
        #expect(try Takeover.look(move.postgres, source: "one") == nil)
    }
}
