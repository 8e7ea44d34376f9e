import Jobs
import Testing
import TrackingAPI

@Suite("Listing jobs")
struct JobListTests {
    @Test("pages lead from one to the next, newest first, each job once", arguments: [1, 2, 3, 7, 200])
    func pages(limit: Int) throws {
        let service = try Service()
        let submitted = try (0..<7).map { _ in try service.submit() }
        var target = "/v1/jobs?limit=\(limit)"
        var listed: [String] = []
        var pages = 0
        while true {
            let answer = service.send("GET", target)
            #expect(answer.status == 200, "\(answer.text)")
            let jobs = answer.json?["jobs"]?.arrayValue ?? []
            #expect(jobs.count <= limit)
            listed += jobs.compactMap { $0["id"]?.stringValue }
            pages += 1
            guard let link = answer.fields["Link"] else { break }
            #expect(link.hasPrefix("</v1/jobs?") && link.hasSuffix(">; rel=\"next\""))
            target = String(link.dropFirst().prefix { $0 != ">" })
        }
        #expect(listed == submitted.reversed().map(\.description))
        #expect(pages == (7 + limit - 1) / limit)
    }

    @Test("the next page keeps the filter")
    func filteredPages() throws {
        let service = try Service()
        let wanted = try (0..<3).map { _ in try service.submit(labels: ["camera": "7 & 8"]) }
        for _ in 0..<3 { _ = try service.submit(labels: ["camera": "9"]) }
        let first = service.send("GET", "/v1/jobs?limit=2&label.camera=7%20%26%208&status=queued")
        #expect(
            first.json?["jobs"]?.arrayValue?.compactMap { $0["id"]?.stringValue }
                == wanted.suffix(2).reversed().map(\.description))
        let link = try #require(first.fields["Link"])
        let second = service.send("GET", String(link.dropFirst().prefix { $0 != ">" }))
        #expect(second.json?["jobs"]?.arrayValue?.compactMap { $0["id"]?.stringValue } == [wanted[0].description])
        #expect(second.fields["Link"] == nil)
    }

    @Test("jobs are listed by state")
    func byState() throws {
        let service = try Service()
        let first = try service.submit()
        let second = try service.submit()
        try service.finish(first, lines: [])
        let ids = { (status: String) in
            service.send("GET", "/v1/jobs?status=\(status)").json?["jobs"]?.arrayValue?.compactMap {
                $0["id"]?.stringValue
            }
        }
        #expect(ids("queued") == [second.description])
        #expect(ids("succeeded") == [first.description])
        #expect(ids("failed") == [])
    }

    @Test(
        "a wrong parameter is named",
        arguments: [
            ("status=done", "#/status"), ("limit=0", "#/limit"), ("limit=201", "#/limit"), ("limit=x", "#/limit"),
            ("limit=99999999999999999999", "#/limit"), ("limit=1&limit=2", "#/limit"), ("cursor=abc", "#/cursor"),
            ("cursor=", "#/cursor"), ("label.=7", "#/label."), ("label.a=7&label.a=8", "#/label.a"),
            ("page=2", "#/page"), ((0...16).map { "label.\($0)=x" }.joined(separator: "&"), "#/label.16"),
        ])
    func wrongParameters(query: String, pointer: String) throws {
        expectProblem(try Service().send("GET", "/v1/jobs?\(query)"), 422, pointer: pointer)
    }
}
