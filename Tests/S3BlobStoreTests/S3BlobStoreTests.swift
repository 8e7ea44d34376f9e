import BlobStoreContract
import Foundation
import Jobs
import ServiceHarness
import Testing

@testable import S3BlobStore

@Suite("S3BlobStore")
struct S3BlobStoreTests {
    private let bucket: Bucket

    init() throws { bucket = try Bucket() }

    @Test("keeps the contract", arguments: BlobStoreContract.checks)
    func contract(_ check: BlobStoreCheck) throws {
        try check.run(bucket)
    }

    @Test("a blob of several parts comes back byte for byte, here and on another machine, with its digest")
    func multipart() throws {
        let bytes = noise((40 << 20) + 12_345)
        let digest = try bucket.store().put("jobs/1/source", bytes)
        #expect(digest == Hexadecimal.sha256(bytes))
        let other = try bucket.store()
        #expect(try other.digest("jobs/1/source") == digest)
        #expect(try other.bytes("jobs/1/source") == bytes)
        #expect(try bucket.contents() == (["jobs/1/source"], []))
        let info = try #require(try other.client.head(other.layout.object(BlobKey("jobs/1/source"))))
        // moto's tag of a multipart upload ends with the number of its parts.
        #expect(info.entityTag?.hasSuffix("-3\"") == true, "\(info)")
    }

    @Test("a range is read where it is asked for, over the borders of windows")
    func ranges() throws {
        let bytes = noise(1 << 20)
        try bucket.store().put("a", bytes)
        let reader = try #require(try bucket.store().open("a"))
        #expect(reader.count == Int64(bytes.count))
        for (offset, count) in [
            (0, 10), (65_530, 20), (900_000, 200_000), (5, 300_000), (1_048_575, 5), (1_048_576, 5),
        ] {
            let read = try [UInt8](unsafeUninitializedCapacity: count) { buffer, used in
                used = try reader.read(into: UnsafeMutableRawBufferPointer(buffer), at: Int64(offset))
            }
            #expect(read == Array(bytes.dropFirst(offset).prefix(count)), "\(offset)")
        }
    }

    @Test("a long blob that is replaced or removed is not read on: bytes of two versions never mix")
    func versions() throws {
        let store = try bucket.store()
        let elsewhere = try bucket.store()
        for change in [{ _ = try elsewhere.put("a", noise(200_000, seed: 2)) }, { try elsewhere.remove("a") }] {
            try elsewhere.put("a", noise(200_000))
            let reader = try #require(try store.open("a"))
            try change()
            #expect(throws: JobsError.self) { try reader.all() }
        }
    }

    @Test("a decoder's file is fetched once, is the blob, and none where its writer was on the same machine")
    func localCopies() throws {
        let bytes = noise(300_000)
        let writer = try bucket.store()
        let digest = try writer.put("jobs/1/source", bytes)
        let proxy = try FaultyProxy(to: bucket.server.port)
        defer { proxy.end() }
        let reader = try bucket.store(endpoint: proxy.endpoint)
        for _ in 0..<2 {
            let path = try #require(try reader.localPath("jobs/1/source"))
            #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == Data(bytes))
        }
        #expect(proxy.count("GET /\(MotoServer.bucket)/") == 2, "one list at the start, and one object")
        #expect(try reader.open("jobs/1/source")?.fileDescriptor != nil)
        #expect(try writer.open("jobs/1/source")?.fileDescriptor != nil)
        #expect(try reader.digest("jobs/1/source") == digest)
        // Replaced elsewhere, the copies are worth nothing.
        try bucket.store().put("jobs/1/source", [1, 2, 3])
        for store in [reader, writer] {
            #expect(try store.bytes("jobs/1/source") == [1, 2, 3])
            let path = try #require(try store.localPath("jobs/1/source"))
            #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == Data([1, 2, 3]))
        }
    }

    @Test("copies are removed from the least recently used on, but for those that were just handed out")
    func eviction() throws {
        let store = try bucket.store("&cache_bytes=250000")
        func copies() throws -> [String] { try store.copies.store.children(of: "") }
        for key in ["a", "b"] {
            try store.put(key, noise(100_000))
            bucket.clock.advance(1)
        }
        bucket.clock.advance(200)
        _ = try store.localPath("a")
        try store.put("c", noise(100_000))
        #expect(try copies() == ["a", "c"])
        // All were used a moment ago.
        try store.put("d", noise(100_000))
        #expect(try copies() == ["a", "c", "d"])
        bucket.clock.advance(200)
        #expect(try store.localPath("b") != nil)
        #expect(try copies() == ["b", "d"])
        for key in ["a", "b", "c", "d"] { #expect(try store.bytes(key) == noise(100_000)) }
    }

    @Test("room is made on the disk by removing copies, but for those that were just handed out")
    func room() throws {
        let store = try bucket.store()
        func copies() throws -> [String] { try store.copies.store.children(of: "") }
        try store.put("a", noise(1000))
        bucket.clock.advance(200)
        try store.put("b", noise(1000))
        #expect(try store.makeRoom(for: 0) > 0)
        #expect(try copies() == ["a", "b"])
        _ = try store.makeRoom(for: .max)
        #expect(try copies() == ["b"])
    }

    @Test("keys, and what a prefix may hold, are the same for the server as for us")
    func escaping() throws {
        let prefix = "\(bucket.prefix)/a b/ü+~'(&)=%20/€"
        let encoded = prefix.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
        let location = try S3Location(bucket.server.url(encoded.replacingOccurrences(of: "%2F", with: "/")))
        #expect(location.prefix == prefix + "/")
        let store = try S3BlobStore(
            location, local: bucket.store().copies.store, environment: bucket.server.environment, retries: .quick)
        let bytes = noise(18 << 20)
        try store.put("jobs/A-b_c.1/source", bytes)
        #expect(try store.copy("jobs/A-b_c.1/source", to: "copy"))
        let appender = try #require(try store.resume("uploads/1"))
        try appender.write(bytes)
        try appender.checkpoint()
        #expect(try store.openPartial("uploads/1")?.count == Int64(bytes.count))
        try appender.commit()
        #expect(try store.children(of: "") == ["copy", "jobs", "uploads"])
        #expect(try store.children(of: "jobs/A-b_c.1") == ["source"])
        for key in ["copy", "uploads/1"] { #expect(try store.bytes(key) == bytes) }
        #expect(try bucket.server.contents(prefix).objects.count == 3)
        for key in ["jobs", "uploads", "copy"] { try store.remove(key) }
        #expect(try bucket.server.contents(prefix) == ([], []))
    }

    @Test("a bucket can be named by the host")
    func virtualHost() throws {
        let store = try bucket.store(endpoint: "http://localhost:\(bucket.server.port)", "&addressing=virtual")
        try store.put("a/b", noise(100_000))
        #expect(try store.bytes("a/b") == noise(100_000))
        #expect(try bucket.store().children(of: "") == ["a"])
        #expect(try store.copy("a/b", to: "c"))
        try store.remove("a")
        #expect(try bucket.contents().objects == ["c"])
    }

    @Test("a thousand objects and more are listed and removed")
    func manyObjects() throws {
        let store = try bucket.store()
        let names = (0..<1_005).map { "n\($0)" }
        DispatchQueue.concurrentPerform(iterations: 4) { part in
            for (index, name) in names.enumerated() where index % 4 == part {
                _ = try? store.client.put(store.layout.object(BlobKey("jobs/1/\(name)")), .none)
            }
        }
        #expect(try store.children(of: "jobs/1") == names.sorted())
        try store.remove("jobs/1")
        #expect(try bucket.contents().objects.isEmpty)
    }

    @Test("what dead processes have left on the way is removed once it is old, and nothing that can be resumed")
    func housekeeping() throws {
        let store = try bucket.store()
        _ = try S3Upload(store.client, store.layout.object(BlobKey("jobs/1/source")), digest: nil)
        let live = store.layout.drafts(try BlobKey("jobs/1/results")) + S3Draft.live(nonce: "n", offset: 0).name
        try store.client.put(live, Payload([1]))
        let appender = try #require(try store.resume("uploads/1/data"))
        try appender.write([1, 2, 3])
        try appender.checkpoint()
        appender.close()
        // moto's uploads all began in 2010.
        #expect(try store.removeAbandoned(olderThan: 3600) == 1)
        #expect(try bucket.contents().uploads.isEmpty)
        #expect(try store.openPartial("jobs/1/results")?.count == 1)
        #expect(try store.removeAbandoned(olderThan: -3600) == 1)
        #expect(try store.openPartial("jobs/1/results") == nil)
        #expect(try store.openPartial("uploads/1/data")?.count == 3)
    }
}
