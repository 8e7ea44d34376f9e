import Foundation
import Jobs
import Synchronization
import Testing

@testable import S3BlobStore

/// One bucket, several machines.
@Suite("S3BlobStore on several machines")
struct SharingTests {
    private let bucket: Bucket

    init() throws { bucket = try Bucket() }

    @Test("what a writer flushes is read on another machine within a second, and is gone at the end, however it ends")
    func live() throws {
        let (one, other) = (try bucket.store(), try bucket.store())
        for ending in [{ (writer: any BlobWriter) in _ = try writer.commit() }, { $0.abort() }] {
            let writer = try one.create("results")
            try writer.write(Array("one\n".utf8))
            try writer.flush()
            #expect(try other.openPartial("results")?.all() == Array("one\n".utf8))
            try writer.write(Array("two\n".utf8))
            // No object for each flush.
            try writer.flush()
            #expect(try bucket.contents().objects.count == 1)
            #expect(try other.openPartial("results")?.all() == Array("one\n".utf8))
            #expect(try one.openPartial("results")?.all() == Array("one\ntwo\n".utf8))
            bucket.clock.advance(1.1)
            try writer.write(Array("three\n".utf8))
            try writer.flush()
            #expect(try other.openPartial("results")?.all() == Array("one\ntwo\nthree\n".utf8))
            try ending(writer)
            #expect(try other.openPartial("results") == nil)
            try other.remove("results")
            #expect(try bucket.contents().objects.isEmpty)
        }
    }

    @Test("a prefix belongs to one installation, and to all its machines")
    func claims() throws {
        try bucket.store().claim(for: "one")
        try bucket.store().claim(for: "one")
        let error = #expect(throws: JobsError.self) { try bucket.store().claim(for: "other") }
        #expect(error?.code == .conflict)
        #expect(error?.message.contains("belongs to another installation, one") == true)
        // It is no blob, and stays where all blobs go.
        #expect(try bucket.store().children(of: "").isEmpty)
        #expect(try bucket.contents().objects == [".installation"])
    }

    @Test("a blob grows by fewer objects the older it is, but never stands still for longer than ten seconds")
    func pace() {
        #expect(S3BlobWriter.publishSeconds(age: 0) == 1)
        #expect(S3BlobWriter.publishSeconds(age: 300) == 3)
        #expect(S3BlobWriter.publishSeconds(age: 36_000) == 10)
    }

    @Test("bytes that were flushed and are overwritten are shown to nobody")
    func overwritten() throws {
        let (one, other) = (try bucket.store(), try bucket.store())
        let writer = try one.create("results")
        try writer.write([1, 2, 3])
        try writer.flush()
        try [9].withUnsafeBytes { try writer.overwrite(UnsafeRawBufferPointer(rebasing: $0[..<1]), at: 0) }
        #expect(try other.openPartial("results") == nil)
        _ = try writer.commit()
        #expect(try other.bytes("results") == [9, 2, 3])
    }

    @Test("a blob that came over several machines, in pieces of all sizes, is whole")
    func relay() throws {
        let bytes = noise(30 << 20)
        var position = 0
        // The third is longer than what makes an object by itself.
        for size in [3, 2 << 20, 17 << 20, 1, 4 << 20, 100] + [bytes.count] {
            let appender = try #require(try bucket.store().resume("uploads/1/data"))
            #expect(appender.count == Int64(position))
            let end = min(position + size, bytes.count)
            try appender.write(Array(bytes[position..<end]))
            try appender.checkpoint()
            position = end
            appender.close()
        }
        let last = try #require(try bucket.store().resume("uploads/1/data"))
        try last.commit()
        let store = try bucket.store()
        #expect(try store.bytes("uploads/1/data") == bytes)
        #expect(try store.digest("uploads/1/data") == Hexadecimal.sha256(bytes))
        #expect(try bucket.contents() == (["uploads/1/data"], []))
        #expect(try store.copy("uploads/1/data", to: "jobs/1/source"))
        let path = try #require(try bucket.store().localPath("jobs/1/source"))
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == Data(bytes))
    }

    @Test("every checkpoint can be gone back to from another machine, also after shorter and longer ones")
    func checkpoints() throws {
        let bytes = noise(20 << 20)
        let first = try #require(try bucket.store().resume("a"))
        for (start, end) in [(0, 3), (3, 18 << 20), (18 << 20, (18 << 20) + 5)] {
            try first.write(Array(bytes[start..<end]))
            try first.checkpoint()
        }
        first.close()
        for (index, end) in [18 << 20, 3].enumerated() {
            let next = try #require(try bucket.store().resume("a"))
            #expect(throws: JobsError.self) { try next.rewind(to: Int64(end) - 1) }
            try next.rewind(to: Int64(end))
            #expect(next.count == Int64(end))
            if index == 1 {
                try next.write(Array(bytes[end...]))
                try next.commit()
            }
            next.close()
        }
        #expect(try bucket.store().bytes("a") == bytes)
    }

    @Test("a machine that dies with a blob in its hands keeps it for half a minute; then another goes on")
    func takingOver() throws {
        let dead = try bucket.store()
        // Its lock, two minutes old by the server's clock, is what it leaves.
        let prefix = dead.layout.drafts(try BlobKey("a"))
        try dead.client.put(prefix + S3Draft.segment(offset: 0, nonce: "dead").name, Payload([1, 2, 3]))
        let lock = prefix + S3Draft.lock(nonce: "dead").name
        try dead.client.put(lock, .none)
        #expect(throws: JobsError.self) { try bucket.store().resume("a") }

        let list = try dead.client.list(prefix)
        var drafts = S3Drafts(list, prefix: prefix, now: .distantPast)
        #expect(drafts.segments.map(\.count) == [3])
        #expect(abs(drafts.date.timeIntervalSince(try #require(list.entries.first).modified)) < 30)
        drafts.date += S3BlobAppender.staleSeconds + 30
        #expect(drafts.locks(besides: "x").allSatisfy { drafts.isStale($0) })

        try dead.client.delete([lock])
        let next = try #require(try bucket.store().resume("a"))
        #expect(next.count == 3)
    }

    @Test("of many who come together never two append")
    func together() throws {
        let stores = try (0..<4).map { _ in try bucket.store() }
        let holders = Mutex((now: 0, most: 0, times: 0))
        DispatchQueue.concurrentPerform(iterations: stores.count) { index in
            for _ in 0..<8 {
                guard let appender = try? stores[index].resume("a") else { continue }
                holders.withLock { holders in
                    holders.now += 1
                    holders.most = max(holders.most, holders.now)
                    holders.times += 1
                }
                try? appender.write([UInt8(index)])
                try? appender.checkpoint()
                holders.withLock { $0.now -= 1 }
                appender.close()
            }
        }
        let (_, most, times) = holders.withLock { $0 }
        #expect(most <= 1)
        let last = try #require(try stores[0].resume("a"))
        #expect(last.count == Int64(times))
    }

    @Test("whoever was taken for dead, and is not, ends with an error, and harms nobody")
    func fenced() throws {
        let slow = try #require(try bucket.store().resume("a") as? S3BlobAppender)
        try slow.write([1, 2, 3])
        try slow.checkpoint()
        let store = try bucket.store()
        let prefix = store.layout.drafts(try BlobKey("a"))
        try store.client.delete(store.client.list(prefix).entries.map(\.name).filter { $0.contains("lock-") })
        let next = try #require(try store.resume("a"))
        #expect(next.count == 3)
        try slow.write([6, 6])
        #expect(throws: JobsError.self) { try slow.checkpoint() }
        #expect(throws: JobsError.self) { try slow.commit() }
        slow.close()
        try next.write([4])
        try next.commit()
        #expect(try bucket.store().bytes("a") == [1, 2, 3, 4])
        #expect(try bucket.contents() == (["a"], []))
    }
}
