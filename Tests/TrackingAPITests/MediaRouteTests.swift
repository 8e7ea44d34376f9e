import Jobs
import Testing
import TrackingAPI

@Suite("Source and frames")
struct MediaRouteTests {
    @Test(
        "ranges of the source are what was uploaded",
        arguments: [
            ("bytes=0-99", 0..<100), ("bytes=5000-", 5_000..<10_012), ("bytes=-12", 10_000..<10_012),
            ("bytes=10000-99999", 10_000..<10_012),
        ])
    func sourceRanges(range: String, bytes: Range<Int>) throws {
        let service = try Service()
        let path = "/v1/jobs/\(try service.submit())/source"
        let answer = service.send("GET", path, [("Range", range)])
        #expect(answer.status == 206)
        let isExact = answer.body == Array(Sample.video()[bytes])
        #expect(isExact)
        #expect(answer.length == Int64(bytes.count))
        #expect(answer.fields["Content-Range"] == "bytes \(bytes.lowerBound)-\(bytes.upperBound - 1)/10012")
    }

    @Test("the source goes out as what it was recognised as, and is never a page")
    func sourceType() throws {
        let service = try Service()
        let answer = service.send("GET", "/v1/jobs/\(try service.submit())/source")
        #expect(answer.status == 200)
        #expect(answer.length == 10_012)
        #expect(answer.fields["Content-Type"] == "video/mp4")
        #expect(answer.fields["X-Content-Type-Options"] == "nosniff")
    }

    @Test("a file that is saved is named after the job, and for browsers after the file that was submitted")
    func savedNames() throws {
        let service = try Service()
        let id = try service.submit(fileName: "a clip's; \"1\" é.mp4")
        #expect(
            service.send("GET", "/v1/jobs/\(id)/source").fields["Content-Disposition"]
                == "attachment; filename=\"\(id)-source.mp4\"; "
                + "filename*=UTF-8''a%20clip%27s%3B%20%221%22%20%C3%A9.mp4")
        let nameless = try service.submit(fileName: nil)
        #expect(
            service.send("GET", "/v1/jobs/\(nameless)/source").fields["Content-Disposition"]
                == "attachment; filename=\"\(nameless)-source.mp4\"")
    }

    @Test("a range past the end is 416 with the length")
    func unsatisfiable() throws {
        let service = try Service()
        let answer = service.send("GET", "/v1/jobs/\(try service.submit())/source", [("Range", "bytes=10012-")])
        expectProblem(answer, 416)
        #expect(answer.fields["Content-Range"] == "bytes */10012")
    }

    @Test("a range of another version is the whole of this one")
    func ifRange() throws {
        let service = try Service()
        let path = "/v1/jobs/\(try service.submit())/source"
        let tag = try #require(service.send("GET", path).fields["ETag"])
        #expect(service.send("GET", path, [("Range", "bytes=0-9"), ("If-Range", tag)]).status == 206)
        #expect(service.send("GET", path, [("Range", "bytes=0-9"), ("If-Range", "\"old\"")]).status == 200)
        #expect(service.send("GET", path, [("Range", "bytes=0-9"), ("If-None-Match", tag)]).status == 304)
    }

    @Test(
        "a frame is PNG, or JPEG by Accept",
        arguments: [
            (nil, "png"), ("*/*", "png"), ("image/*", "png"), ("image/jpeg", "jpeg"),
            ("image/png;q=0.1, image/jpeg", "jpeg"),
        ] as [(String?, String)])
    func frameFormat(accept: String?, format: String) throws {
        let service = try Service()
        let path = "/v1/jobs/\(try service.submit())/frames/2"
        let answer = service.send("GET", path, accept.map { [("Accept", $0)] } ?? [])
        #expect(answer.status == 200)
        #expect(answer.fields["Content-Type"] == "image/\(format)")
        #expect(answer.text == "\(format) of frame 2")
        let tag = try #require(answer.fields["ETag"])
        let fields = [(name: "If-None-Match", value: tag)] + (accept.map { [(name: "Accept", value: $0)] } ?? [])
        let unchanged = service.send("GET", path, fields)
        #expect(unchanged.status == 304)
        #expect(unchanged.fields["Cache-Control"] == "private, no-cache")
        #expect(unchanged.fields["Vary"] == answer.fields["Vary"])
        #expect(service.send("GET", path, [("If-None-Match", "*")]).status == 304)
    }

    @Test(
        "a frame that is not there is 404, as is a number that is not written as the interface writes it",
        arguments: ["3", "-1", "x", "", "99999999999999999999", "1e2", "+1", "01", "00", "-0"])
    func noSuchFrame(text: String) throws {
        let service = try Service()
        let path = "/v1/jobs/\(try service.submit())/frames/\(text)"
        expectProblem(service.send("GET", path), 404)
        expectProblem(service.send("GET", path, [("If-None-Match", "*")]), 404)
    }

    @Test("a frame in a format that is not made is 406")
    func frameNotAcceptable() throws {
        let service = try Service()
        let answer = service.send("GET", "/v1/jobs/\(try service.submit())/frames/0", [("Accept", "image/gif")])
        expectProblem(answer, 406)
    }
}
