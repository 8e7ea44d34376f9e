import Jobs
import Testing

extension BlobAppender {
    func write(_ text: String) throws { try Array(text.utf8).withUnsafeBytes { try write($0) } }
}

extension BlobStore {
    func appender(_ key: String) throws -> any BlobAppender { try #require(try resume(key)) }
}

extension BlobStoreContract {
    static let resumeChecks: [BlobStoreCheck] = [
        BlobStoreCheck("a blob that comes in pieces is there once it is whole, and not before") { fixture in
            let store = try fixture.open()
            do {
                let first = try store.appender("uploads/1/data")
                #expect(first.count == 0)
                try first.write("one ")
                try first.checkpoint()
                first.close()
            }
            #expect(try store.open("uploads/1/data") == nil)
            #expect(try store.localPath("uploads/1/data") == nil)
            let second = try store.appender("uploads/1/data")
            #expect(second.count == 4)
            try second.write("two")
            #expect(second.count == 7)
            try second.commit()
            #expect(try store.text("uploads/1/data") == "one two")
            #expect(try store.openPartial("uploads/1/data") == nil)
            #expect(try store.resume("uploads/1/data") == nil)
            #expect(try store.children(of: "uploads/1") == ["data"])
        },
        BlobStoreCheck("what became durable outlives the appender and the store, however they end") { fixture in
            do {
                let appender = try fixture.open().appender("uploads/1/data")
                try appender.write("one ")
                try appender.checkpoint()
                try appender.write("lost or not")
            }
            // A start sweeps what is unfinished, but not this.
            let store = try fixture.open()
            #expect(try store.partialText("uploads/1/data")?.hasPrefix("one ") == true)
            #expect(try store.children(of: "uploads") == ["1"])
            #expect(try store.children(of: "uploads/1").isEmpty)
            let appender = try store.appender("uploads/1/data")
            #expect(appender.count >= 4)
            try appender.rewind(to: 4)
            try appender.write("two")
            try appender.commit()
            #expect(try store.text("uploads/1/data") == "one two")
        },
        BlobStoreCheck("going back drops what came after, and can go back to the start") { fixture in
            let store = try fixture.open()
            let appender = try store.appender("a")
            try appender.write("one")
            try appender.checkpoint()
            try appender.write("wrong")
            try appender.rewind(to: 3)
            #expect(appender.count == 3)
            try appender.write(" two")
            try appender.checkpoint()
            #expect(try store.partialText("a") == "one two")
            try appender.rewind(to: 0)
            try appender.write("new")
            try appender.commit()
            #expect(try store.text("a") == "new")
        },
        BlobStoreCheck("nobody goes to where nothing was written") { fixture in
            let appender = try fixture.open().appender("a")
            try appender.write("one")
            #expect(throws: JobsError.self) { try appender.rewind(to: 4) }
            #expect(throws: JobsError.self) { try appender.rewind(to: -1) }
            #expect(appender.count == 3)
        },
        BlobStoreCheck("one at a time appends to a blob, in whatever process, and the next when it is closed") {
            fixture in
            let store = try fixture.open()
            let other = try fixture.open()
            let appender = try store.appender("a")
            try appender.write("one")
            for store in [store, other] {
                let error = #expect(throws: JobsError.self) { try store.resume("a") }
                #expect(error?.code == .locked)
            }
            let beside = try other.appender("b")
            beside.close()
            appender.close()
            #expect(throws: JobsError.self) { try appender.write("two") }
            #expect(throws: JobsError.self) { try appender.checkpoint() }
            #expect(throws: JobsError.self) { try appender.commit() }
            try other.appender("a").commit()
        },
        BlobStoreCheck("an empty blob can come in no pieces at all") { fixture in
            let store = try fixture.open()
            try store.appender("a").commit()
            #expect(try store.open("a")?.count == 0)
        },
        BlobStoreCheck("removing a key, or one above it, removes what could be resumed") { fixture in
            let store = try fixture.open()
            for (key, removed) in [("a", "a"), ("uploads/1/data", "uploads/1"), ("uploads/1/data", "uploads/1/data")] {
                let appender = try store.appender(key)
                try appender.write("one")
                try appender.checkpoint()
                try store.remove(removed)
                #expect(try store.openPartial(key) == nil)
                #expect(throws: JobsError.self) { try appender.commit() }
                #expect(try store.open(key) == nil)
                appender.close()
                #expect(try store.appender(key).count == 0)
            }
        },
        BlobStoreCheck("a key that is none is refused by what resumes and copies") { fixture in
            let store = try fixture.open()
            try store.put("a", "x")
            for key in ["", "../a", ".open-a", "a/.open-b"] {
                #expect(throws: JobsError.self, "\(key)") { try store.resume(key) }
                #expect(throws: JobsError.self, "\(key)") { try store.copy(key, to: "b") }
                #expect(throws: JobsError.self, "\(key)") { try store.copy("a", to: key) }
            }
            #expect(try store.children(of: "") == ["a"])
        },
        BlobStoreCheck("a copy is the same blob, and outlives the first and its replacement") { fixture in
            let store = try fixture.open()
            try store.put("uploads/1/data", "abc")
            #expect(try store.copy("uploads/1/data", to: "jobs/1/source"))
            #expect(try fixture.open().text("jobs/1/source") == "abc")
            try store.put("uploads/1/data", "other")
            #expect(try store.text("jobs/1/source") == "abc")
            try store.remove("uploads/1")
            #expect(try store.text("jobs/1/source") == "abc")
        },
        BlobStoreCheck("a copy replaces the blob of its key, and of nothing there is none") { fixture in
            let store = try fixture.open()
            try store.put("a", "abc")
            try store.put("b", "old")
            #expect(try store.copy("a", to: "b"))
            #expect(try store.text("b") == "abc")
            #expect(try store.copy("none", to: "c") == false)
            #expect(try store.copy("none", to: "b") == false)
            #expect(try store.text("b") == "abc")
            let unfinished = try store.appender("d")
            try unfinished.checkpoint()
            #expect(try store.copy("d", to: "e") == false)
            #expect(try store.children(of: "") == ["a", "b"])
        },
    ]
}
