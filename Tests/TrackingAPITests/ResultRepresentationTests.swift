import Dispatch
import HTTPServer
import Jobs
import Synchronization
import Testing
import TrackingAPI

/// Entity tags, ranges, codings and digests of final results, whatever the format.
@Suite("Result representations")
struct ResultRepresentationTests {
    private static let lines = (0..<50).map { Lines.frame($0, targets: ["car"]) }

    private static func finished(_ service: Service) throws -> (id: JobID, path: String) {
        let id = try service.submit()
        try service.finish(id, lines: lines)
        return (id, "/v1/jobs/\(id)/results")
    }

    private static let gzip = [(name: "Accept-Encoding", value: "br, gzip;q=0.8")]

    @Test("every format has a length, a range, and the digest that sha256sum gives", arguments: ResultFormat.allCases)
    func whole(format: ResultFormat) throws {
        let service = try Service()
        let path = try Self.finished(service).path + "?format=\(format.rawValue)"
        let whole = service.send("GET", path)
        #expect(whole.status == 200)
        #expect(whole.length == Int64(whole.body.count) && whole.body.count > 500)
        #expect(whole.fields["Accept-Ranges"] == "bytes")
        #expect(whole.fields["Repr-Digest"] == (try Filter.reprDigest(whole.body)))
        #expect(whole.fields["Vary"] == "Accept, Accept-Encoding")
        #expect(whole.fields["Content-Encoding"] == nil)
        let tag = try #require(whole.fields["ETag"])
        #expect(tag.hasPrefix("\""))

        let part = service.send("GET", path, [("Range", "bytes=100-199"), ("If-Range", tag)])
        #expect(part.status == 206)
        #expect(part.body == Array(whole.body[100..<200]))
        #expect(part.fields["Content-Range"] == "bytes 100-199/\(whole.body.count)")
        #expect(part.fields["Repr-Digest"] == whole.fields["Repr-Digest"])
        #expect(service.send("GET", path, [("Range", "bytes=100-199"), ("If-Range", "\"x\"")]).body == whole.body)
        let outside = service.send("GET", path, [("Range", "bytes=\(whole.body.count)-")])
        expectProblem(outside, 416)
        #expect(outside.fields["Content-Range"] == "bytes */\(whole.body.count)")

        #expect(service.send("GET", path, [("If-None-Match", tag)]).status == 304)
        #expect(service.send("GET", path, [("If-Match", tag)]).status == 200)
        expectProblem(service.send("GET", path, [("If-Match", "\"x\"")]), 412)
    }

    @Test("gzip is a representation of its own, with its own tag, digest and ranges", arguments: ResultFormat.allCases)
    func compressed(format: ResultFormat) throws {
        let service = try Service()
        let path = try Self.finished(service).path + "?format=\(format.rawValue)"
        let identity = service.send("GET", path)
        let gzip = service.send("GET", path, Self.gzip)
        #expect(gzip.fields["Content-Encoding"] == "gzip")
        #expect(gzip.fields["Content-Type"] == identity.fields["Content-Type"])
        #expect(gzip.length == Int64(gzip.body.count) && gzip.body.count < identity.body.count / 2)
        #expect(try Filter.gunzip(gzip.body) == identity.body)
        #expect(gzip.fields["Repr-Digest"] == (try Filter.reprDigest(gzip.body)))
        #expect(gzip.fields["Vary"] == "Accept, Accept-Encoding")
        let tag = try #require(gzip.fields["ETag"])
        #expect(tag != identity.fields["ETag"])

        // RFC 9110 §14.2: a range is one of the selected representation, as it is coded.
        let part = service.send("GET", path, Self.gzip + [("Range", "bytes=0-9")])
        #expect(part.status == 206 && part.body == Array(gzip.body[0..<10]))
        #expect(part.fields["Content-Encoding"] == "gzip")
        let unchanged = service.send("GET", path, Self.gzip + [("If-None-Match", tag)])
        #expect(unchanged.status == 304)
        #expect(unchanged.fields["ETag"] == tag)
        #expect(unchanged.fields["Vary"] == "Accept, Accept-Encoding")
        #expect(service.send("GET", path, [("If-None-Match", tag)]).status == 200)
    }

    @Test(
        "a digest is sent unless the client has no use for it",
        arguments: [
            ("sha-256=10", true), ("sha-512=3, sha-256=1", true), ("sha-256=0", false), ("sha-512=5, sha-256=0", false),
            ("nonsense=", true),
        ])
    func wantedDigest(want: String, isSent: Bool) throws {
        let service = try Service()
        let path = try Self.finished(service).path
        let answer = service.send("GET", path, [("Want-Repr-Digest", want)])
        #expect((answer.fields["Repr-Digest"] != nil) == isSent)
        let source = path.replacing("/results", with: "/source")
        #expect((service.send("GET", source, [("Want-Repr-Digest", want)]).fields["Repr-Digest"] != nil) == isSent)
    }

    @Test(
        "a slice is made while it is sent, in either coding, with a tag and without ranges",
        arguments: ResultFormat.allCases)
    func slices(format: ResultFormat) throws {
        let service = try Service()
        let (id, path) = try Self.finished(service)
        let slice = "\(path)?format=\(format.rawValue)&from=10&to=20"
        let identity = service.send("GET", slice, [("Range", "bytes=0-9")])
        #expect(identity.status == 200 && identity.length == nil)
        #expect(identity.fields["Accept-Ranges"] == "none")
        let gzip = service.send("GET", slice, Self.gzip)
        #expect(try Filter.gunzip(gzip.body) == identity.body)
        #expect(gzip.fields["ETag"] != identity.fields["ETag"])
        let tag = try #require(identity.fields["ETag"])
        #expect(service.send("GET", slice, [("If-None-Match", tag)]).status == 304)
        #expect(try service.blobs.children(of: id.blobPrefix).contains("exports") == false)
    }

    @Test("a form is made once, however many ask at a time, and goes with its job")
    func madeOnce() throws {
        let service = try Service { $0.exports = 64 }
        let (id, path) = try Self.finished(service)
        let bodies = Mutex<Set<[UInt8]>>([])
        DispatchQueue.concurrentPerform(iterations: 16) { index in
            let answer = service.send("GET", path + "?format=csv", index % 2 == 0 ? Self.gzip : [])
            #expect(answer.status == 200)
            bodies.withLock { _ = $0.insert(answer.body) }
        }
        #expect(bodies.withLock { $0.count } == 2)
        let created = service.blobs.created.withLock { $0.filter { $0.contains("/exports/") } }
        #expect(
            created.sorted() == [
                "jobs/\(id)/exports/results-1-1.2.3.csv", "jobs/\(id)/exports/results-1-1.2.3.csv.gzip",
            ])
        #expect(service.send("GET", path + "?format=csv").status == 200)
        #expect(service.blobs.created.withLock { $0.filter { $0.contains("/exports/") }.count } == 2)
        #expect(service.send("DELETE", "/v1/jobs/\(id)").status == 204)
        #expect(try service.isEmpty())
    }

    @Test("the stored form is not kept twice")
    func storedForm() throws {
        let service = try Service()
        let (id, path) = try Self.finished(service)
        #expect(service.send("GET", path, [("Accept", "application/x-ndjson")]).body == Self.lines.flatMap { $0 })
        #expect(try service.blobs.children(of: id.blobPrefix).contains("exports") == false)
    }

    @Test("where there is no space to keep a form, it is sent all the same", arguments: [true, false])
    func noSpace(isKnown: Bool) throws {
        let service = try Service()
        let (id, path) = try Self.finished(service)
        let expected = service.send("GET", path + "?format=mot&from=0").body
        if isKnown { service.blobs.free.withLock { $0 = 0 } } else { service.blobs.fullAfter.withLock { $0 = 10 } }
        let answer = service.send("GET", path + "?format=mot")
        #expect(answer.status == 200 && answer.body == expected)
        #expect(answer.fields["Accept-Ranges"] == "none" && answer.fields["Repr-Digest"] == nil)
        #expect(service.files.allSatisfy { !$0.contains("exports/") }, "\(service.files)")
        service.blobs.free.withLock { $0 = nil }
        service.blobs.fullAfter.withLock { $0 = .max }
        #expect(service.send("GET", path + "?format=mot").fields["Repr-Digest"] != nil)
        #expect(try service.blobs.children(of: id.blobPrefix).contains("exports"))
    }

    @Test("what is asked for while all hands are at it is 503")
    func tooMany() throws {
        let service = try Service { $0.exports = 1 }
        let first = try Self.finished(service).path
        let second = try Self.finished(service).path
        let hold = service.blobs.holdCommits()
        let answers = Mutex<[Int]>([])
        let group = DispatchGroup()
        DispatchQueue.global().async(group: group) {
            let status = service.send("GET", first + "?format=csv").status
            answers.withLock { $0.append(status) }
        }
        #expect(hold.awaitCommit())
        let busy = service.send("GET", second + "?format=csv")
        expectProblem(busy, 503)
        #expect(busy.fields["Retry-After"] == "1")
        hold.release()
        #expect(group.wait(timeout: .now() + 60) == .success)
        #expect(answers.withLock { $0 } == [200])
        #expect(service.send("GET", second + "?format=csv").status == 200)
    }

    @Test("a form that was kept does not outlive the result that it was made of")
    func expired() throws {
        let service = try Service()
        let (id, path) = try Self.finished(service)
        #expect(service.send("GET", path + "?format=csv").status == 200)
        try service.blobs.remove(id.resultKey(attempt: 1))
        expectProblem(service.send("GET", path + "?format=csv"), 410)
    }
}
