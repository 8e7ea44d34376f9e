import Foundation
import Jobs
import Testing
import TrackingAPI

@Suite("Results")
struct ResultTests {
    private static let frames = 0..<5

    /// A finished job of one or more targets.
    private static func finished(_ service: Service, targets: [String] = ["car"]) throws -> String {
        let id = try service.submit(targets: targets)
        try service.finish(id, lines: frames.map { Lines.frame($0, targets: targets) })
        return "/v1/jobs/\(id)/results"
    }

    @Test("every format holds every frame, in its own media type")
    func formats() throws {
        let service = try Service()
        let path = try Self.finished(service)
        let json = service.send("GET", path)
        #expect(json.fields["Content-Type"] == "application/json")
        #expect(json.json?["frames"]?.arrayValue?.compactMap { $0["frame"]?.intValue } == Array(Self.frames))
        #expect(json.json?["version"] == "1.2.3")
        #expect(json.json?["spec"]?["targets"]?.arrayValue?.count == 1)

        let ndjson = service.send("GET", path + "?format=ndjson")
        #expect(ndjson.fields["Content-Type"] == "application/x-ndjson")
        #expect(ndjson.body == Self.frames.flatMap { Lines.frame($0) })

        let csv = service.send("GET", path, [("Accept", "text/csv")])
        #expect(csv.fields["Content-Type"]?.hasPrefix("text/csv") == true)
        #expect(csv.text.split(separator: "\n").count == 1 + Self.frames.count)

        let otb = service.send("GET", path + "?format=otb")
        #expect(otb.text.split(separator: "\n").map(String.init) == Self.frames.map { "\($0),2.5,30,40" })

        let mot = service.send("GET", path + "?format=mot")
        #expect(mot.text.split(separator: "\n").first?.hasPrefix("1,1,1,3.5,30,40,") == true)
    }

    @Test(
        "the format is chosen by Accept",
        arguments: [
            ("*/*", "application/json"), ("application/x-ndjson", "application/x-ndjson"),
            ("text/csv;q=0.5, application/x-ndjson;q=0.9", "application/x-ndjson"), ("text/*", "text/csv"),
            ("text/vtt", "text/vtt"), ("application/json;q=0.1, text/vtt", "text/vtt"),
        ])
    func negotiated(accept: String, type: String) throws {
        let service = try Service()
        let answer = service.send("GET", try Self.finished(service), [("Accept", accept)])
        #expect(answer.status == 200)
        #expect(answer.fields["Content-Type"]?.hasPrefix(type) == true)
        #expect(answer.fields["Vary"] == "Accept, Accept-Encoding")
    }

    @Test("what cannot be made is 406, with what can")
    func notAcceptable() throws {
        let service = try Service()
        let path = try Self.finished(service)
        expectProblem(service.send("GET", path, [("Accept", "image/png")]), 406, saying: "csv")
        expectProblem(service.send("GET", path + "?format=xml"), 406, pointer: "#/format", saying: "csv")
    }

    @Test("a slice holds the frames and the target that were asked for, in every format")
    func slices() throws {
        let service = try Service()
        let path = try Self.finished(service, targets: ["car", "bus"])
        let json = service.send("GET", path + "?from=1&to=3&target=bus").json?["frames"]?.arrayValue ?? []
        #expect(json.compactMap { $0["frame"]?.intValue } == [1, 2])
        #expect(json.allSatisfy { $0["targets"]?.arrayValue?.compactMap { $0["id"]?.stringValue } == ["bus"] })
        #expect(service.send("GET", path + "?format=otb&target=bus&from=4").text == "104,2.5,30,40\n")
        #expect(service.send("GET", path + "?format=ndjson&from=2&to=2").body.isEmpty)
        #expect(service.send("GET", path + "?format=ndjson&to=1").body == Lines.frame(0, targets: ["car", "bus"]))
    }

    @Test(
        "a slice that makes no sense is refused with its parameter named",
        arguments: [
            ("from=-1", "#/from"), ("from=x", "#/from"), ("to=1&from=2", "#/to"), ("target=boat", "#/target"),
            ("format=otb", "#/target"), ("partial=yes", "#/partial"), ("form=csv", "#/form"),
            ("follow=true", "#/follow"), ("from=99999999999999999999", "#/from"),
        ])
    func wrongSlices(query: String, pointer: String) throws {
        let service = try Service()
        let path = try Self.finished(service, targets: ["car", "bus"])
        expectProblem(service.send("GET", "\(path)?\(query)"), 422, pointer: pointer)
    }

    @Test("an unfinished job has no result but what there is so far, in whole lines")
    func partial() throws {
        let service = try Service()
        let id = try service.submit()
        let path = "/v1/jobs/\(id)/results"
        let queued = service.send("GET", path)
        expectProblem(queued, 409, saying: "partial=true")
        #expect(queued.fields["Retry-After"] == "1")
        #expect(service.send("GET", path + "?partial=true&format=ndjson").body.isEmpty)

        let claimed = try #require(try service.store.claim(owner: "worker", leaseSeconds: 30))
        expectProblem(service.send("GET", path), 409)
        #expect(service.send("GET", path + "?partial=true").json?["frames"] == [])
        let writer = try service.blobs.create(id.resultKey(attempt: claimed.job.attempt))
        try (Lines.frame(0) + Lines.frame(1) + Lines.frame(2).prefix(20)).withUnsafeBytes(writer.write)
        try writer.flush()
        let answer = service.send("GET", path + "?partial=true&format=ndjson")
        #expect(answer.body == Lines.frame(0) + Lines.frame(1))
        #expect(answer.fields["ETag"] == nil)
        #expect(answer.fields["Cache-Control"] == "no-store")
        let json = service.send("GET", path + "?partial=true").json
        #expect(json?["frames"]?.arrayValue?.count == 2)
    }

    @Test("a canceled job keeps the frames it has; one that never began has none")
    func canceled() throws {
        let service = try Service()
        let id = try service.submit()
        try service.finish(id, as: .canceled, lines: [Lines.frame(0)])
        #expect(service.send("GET", "/v1/jobs/\(id)/results?format=ndjson").body == Lines.frame(0))

        let other = try service.submit()
        _ = service.send("POST", "/v1/jobs/\(other)/cancel")
        expectProblem(service.send("GET", "/v1/jobs/\(other)/results"), 409, saying: "canceled")
    }

    @Test("a job that failed before its first frame says why")
    func failed() throws {
        let service = try Service()
        let id = try service.submit()
        try service.finish(
            id, as: .failed, lines: nil, failure: JobFailure(code: .undecodable, message: "no video stream"))
        expectProblem(service.send("GET", "/v1/jobs/\(id)/results"), 409, saying: "no video stream")
    }

    @Test("a result whose blob is gone is 410")
    func gone() throws {
        let service = try Service()
        let id = try service.submit()
        try service.finish(id, lines: [Lines.frame(0)])
        try service.blobs.remove(id.resultKey(attempt: 1))
        expectProblem(service.send("GET", "/v1/jobs/\(id)/results"), 410)
    }

    @Test("each format and slice has its own tag, and is not sent twice")
    func tags() throws {
        let service = try Service()
        let path = try Self.finished(service)
        var tags: Set<String> = []
        let queries = ["", "?format=ndjson", "?format=csv", "?from=1", "?to=1", "?target=car", "?from=1&to=3"]
        for query in queries {
            let tag = try #require(service.send("GET", path + query).fields["ETag"])
            tags.insert(tag)
            #expect(service.send("GET", path + query, [("If-None-Match", tag)]).status == 304)
            #expect(service.send("GET", path + query, [("If-None-Match", "\"x\"")]).status == 200)
        }
        #expect(tags.count == queries.count)
    }

    @Test("the stored form is sent in ranges")
    func ranges() throws {
        let service = try Service()
        let path = try Self.finished(service) + "?format=ndjson"
        let whole = service.send("GET", path)
        #expect(whole.fields["Accept-Ranges"] == "bytes")
        let part = service.send("GET", path, [("Range", "bytes=10-29")])
        #expect(part.status == 206)
        #expect(part.body == Array(whole.body[10...29]))
        #expect(part.fields["Content-Range"] == "bytes 10-29/\(whole.body.count)")
    }

    @Test("a long result streams through every format without a frame missing", arguments: ResultFormat.allCases)
    func long(format: ResultFormat) throws {
        let service = try Service()
        let id = try service.submit()
        try service.finish(id, lines: (0..<2_000).map { Lines.frame($0) })
        let answer = service.send("GET", "/v1/jobs/\(id)/results?format=\(format.rawValue)")
        func lines() -> Int { answer.text.split(separator: "\n").count }
        func count(_ text: String) -> Int { answer.text.components(separatedBy: text).count - 1 }
        switch format {
        case .json: #expect(answer.json?["frames"]?.arrayValue?.count == 2_000)
        case .csv: #expect(lines() == 2_001)
        case .ndjson, .mot, .otb: #expect(lines() == 2_000)
        case .cvat: #expect(count("<box frame=") == 2_000)
        case .coco:
            #expect(answer.json?["images"]?.arrayValue?.count == 2_000)
            #expect(answer.json?["annotations"]?.arrayValue?.count == 2_000)
        case .labelstudio: #expect(count("\"frame\":") == 2_000)
        case .vtt: #expect(count(" --> ") == 2_000)
        }
    }
}
