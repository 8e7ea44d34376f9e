import Jobs
import Testing

extension BlobStoreContract {
    /// `printf abc | sha256sum`
    private static let digestOfABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    /// `printf '' | sha256sum`
    private static let digestOfNothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

    static let writeChecks: [BlobStoreCheck] = [
        BlobStoreCheck("a blob reads back as it was written, and its digest is its SHA-256") { fixture in
            let store = try fixture.open()
            let writer = try store.create("jobs/1/source")
            try writer.write(Array("a".utf8))
            try writer.write(Array("bc".utf8))
            #expect(writer.count == 3)
            #expect(try store.digest("jobs/1/source") == nil)
            #expect(try writer.commit() == digestOfABC)
            #expect(try store.digest("jobs/1/source") == digestOfABC)
            let reader = try #require(try store.open("jobs/1/source"))
            #expect(reader.count == 3)
            #expect(try reader.bytes() == Array("abc".utf8))
        },
        BlobStoreCheck("an empty blob is a blob") { fixture in
            let store = try fixture.open()
            #expect(try store.create("empty").commit() == digestOfNothing)
            #expect(try store.digest("empty") == digestOfNothing)
            #expect(try store.open("empty")?.count == 0)
        },
        BlobStoreCheck("bytes that were overwritten count in the digest") { fixture in
            let store = try fixture.open()
            let writer = try store.create("blob")
            try writer.write(Array("xxc".utf8))
            try writer.overwrite(Array("ab".utf8), at: 0)
            #expect(writer.count == 3)
            #expect(try writer.commit() == digestOfABC)
            #expect(try store.digest("blob") == digestOfABC)
            #expect(try store.text("blob") == "abc")
        },
        BlobStoreCheck("nothing can be overwritten that is not there yet") { fixture in
            let writer = try fixture.open().create("blob")
            try writer.write(Array("abc".utf8))
            #expect(throws: JobsError.self) { try writer.overwrite(Array("de".utf8), at: 2) }
            #expect(throws: JobsError.self) { try writer.overwrite(Array("de".utf8), at: -1) }
            #expect(throws: JobsError.self) { try writer.overwrite(Array("de".utf8), at: .max) }
        },
        BlobStoreCheck("pieces of any size go through whole") { fixture in
            let store = try fixture.open()
            let writer = try store.create("blob")
            var expected: [UInt8] = []
            for size in [1, 65_535, 65_536, 65_537, 7, 200_000, 0, 65_536, 3] {
                let piece = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ size) }
                try writer.write(piece)
                expected += piece
            }
            #expect(writer.count == Int64(expected.count))
            _ = try writer.commit()
            let reader = try #require(try store.open("blob"))
            #expect(try reader.bytes() == expected)
            #expect(try reader.bytes(at: 65_530, count: 20) == Array(expected[65_530..<65_550]))
            #expect(try reader.bytes(at: Int64(expected.count) - 2, count: 20) == Array(expected.suffix(2)))
            #expect(try reader.bytes(at: Int64(expected.count), count: 20).isEmpty)
        },
        BlobStoreCheck("a blob is replaced by the next one of its key") { fixture in
            let store = try fixture.open()
            try store.put("blob", "old")
            let reader = try #require(try store.open("blob"))
            try store.put("blob", "new one")
            #expect(try store.text("blob") == "new one")
            #expect(try reader.bytes() == Array("old".utf8))
        },
        BlobStoreCheck(
            "a key that is none is refused",
            { fixture in
                let store = try fixture.open()
                let keys = [
                    "", "/", "a/", "/a", "a//b", ".", "..", "../a", "a/../b", "a/.part-00000000-b", ".a", "a b", "a\\b",
                    "ä", "a\u{0}b", "a\n", "1/2/3/4/5/6/7/8/9", String(repeating: "a", count: 300),
                ]
                for key in keys {
                    let error = #expect(throws: JobsError.self, "\(key)") { try store.create(key) }
                    #expect(error?.code == .invalidKey)
                    #expect(throws: JobsError.self, "\(key)") { try store.open(key) }
                    #expect(throws: JobsError.self, "\(key)") { try store.openPartial(key) }
                    #expect(throws: JobsError.self, "\(key)") { try store.remove(key) }
                    #expect(throws: JobsError.self, "\(key)") { try store.localPath(key) }
                }
                #expect(try store.children(of: "").isEmpty)
            }),
    ]
}
