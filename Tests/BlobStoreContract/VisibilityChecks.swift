import Jobs
import Testing

extension BlobStoreContract {
    static let visibilityChecks: [BlobStoreCheck] = [
        BlobStoreCheck("nothing is there before the commit, everything after it, also for others") { fixture in
            let store = try fixture.open()
            let writer = try store.create("jobs/1/source")
            try writer.write(Array("abc".utf8))
            try writer.flush()
            #expect(try store.open("jobs/1/source") == nil)
            #expect(try store.localPath("jobs/1/source") == nil)
            _ = try writer.commit()
            #expect(try fixture.open().text("jobs/1/source") == "abc")
            #expect(try store.openPartial("jobs/1/source") == nil)
        },
        BlobStoreCheck("what was flushed can be read while the blob grows") { fixture in
            let store = try fixture.open()
            #expect(try store.openPartial("results") == nil)
            let writer = try store.create("results")
            try writer.write(Array("one\n".utf8))
            try writer.flush()
            #expect(try store.partialText("results") == "one\n")
            try writer.write(Array("two\n".utf8))
            try writer.flush()
            #expect(try store.partialText("results") == "one\ntwo\n")
        },
        BlobStoreCheck("a start leaves alone what another store is writing") { fixture in
            let store = try fixture.open()
            let writer = try store.create("jobs/1/source")
            try writer.write(Array("abc".utf8))
            _ = try fixture.open()
            _ = try writer.commit()
            #expect(try store.text("jobs/1/source") == "abc")
        },
        BlobStoreCheck("an aborted or forgotten blob leaves nothing behind") { fixture in
            let store = try fixture.open()
            let aborted = try store.create("a")
            try aborted.write(Array("abc".utf8))
            aborted.abort()
            do {
                let forgotten = try store.create("b")
                try forgotten.write(Array("abc".utf8))
                try forgotten.flush()
            }
            for key in ["a", "b"] {
                #expect(try store.open(key) == nil)
                #expect(try store.openPartial(key) == nil)
            }
            #expect(throws: JobsError.self) { try aborted.commit() }
        },
        BlobStoreCheck("children are the next segments, sorted") { fixture in
            let store = try fixture.open()
            for key in ["jobs/b/source", "jobs/a/source", "jobs/a/results-1.ndjson", "other"] {
                try store.put(key, "x")
            }
            let writer = try store.create("jobs/a/results-2.ndjson")
            try writer.flush()
            #expect(try store.children(of: "jobs") == ["a", "b"])
            #expect(try store.children(of: "jobs/a") == ["results-1.ndjson", "source"])
            #expect(try store.children(of: "jobs/c").isEmpty)
        },
        BlobStoreCheck("there is room to write") { fixture in
            let store = try fixture.open()
            #expect(try store.availableBytes() > 0)
        },
    ]
}
