import Jobs
import Testing

extension BlobStoreContract {
    static let removalChecks: [BlobStoreCheck] = [
        BlobStoreCheck("removing a key removes what is below it, finished or not, and nothing beside it") { fixture in
            let store = try fixture.open()
            for key in ["jobs/1/source", "jobs/1/x/y", "jobs/11/source"] { try store.put(key, key) }
            let writer = try store.create("jobs/1/results-1.ndjson")
            try writer.write(Array("abc".utf8))
            try writer.flush()
            try store.remove("jobs/1")
            #expect(try store.open("jobs/1/source") == nil)
            #expect(try store.openPartial("jobs/1/results-1.ndjson") == nil)
            #expect(try store.children(of: "jobs") == ["11"])
            #expect(throws: JobsError.self) { try writer.commit() }
            #expect(try store.children(of: "jobs") == ["11"])
        },
        BlobStoreCheck("a single blob goes, with what is being written to it") { fixture in
            let store = try fixture.open()
            try store.put("jobs/1/source", "abc")
            let writer = try store.create("jobs/1/source")
            try writer.flush()
            try store.remove("jobs/1/source")
            #expect(try store.open("jobs/1/source") == nil)
            #expect(try store.openPartial("jobs/1/source") == nil)
        },
        BlobStoreCheck("removing what is not there is no error") { fixture in
            try fixture.open().remove("jobs/1")
        },
        BlobStoreCheck("a reader keeps what it opened") { fixture in
            let store = try fixture.open()
            try store.put("blob", "abc")
            let reader = try #require(try store.open("blob"))
            try store.remove("blob")
            #expect(try reader.bytes() == Array("abc".utf8))
        },
    ]
}
