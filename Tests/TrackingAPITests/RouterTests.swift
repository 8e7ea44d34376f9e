import Testing
import TrackingAPI

@Suite("Routing")
struct RouterTests {
    @Test(
        "what is not there is 404",
        arguments: ["/v1", "/v1/jobs/", "/v1/job", "/v2/jobs", "/v1/jobs/x/y", "/%2e%2e", "/v1/jobs/x/frames"])
    func unknownPath(path: String) throws {
        let answer = try Service().send("GET", path)
        expectProblem(answer, 404)
    }

    @Test(
        "a method that a path does not know is 405 with those that it does",
        arguments: [
            ("PUT", "/v1/jobs", "GET, HEAD, POST, OPTIONS"),
            ("PATCH", "/v1/jobs/x", "GET, HEAD, DELETE, OPTIONS"),
            ("GET", "/v1/jobs/x/cancel", "POST, OPTIONS"),
            ("POST", "/healthz", "GET, HEAD, OPTIONS"),
            ("get", "/", "GET, HEAD, OPTIONS"),
        ])
    func wrongMethod(method: String, path: String, allow: String) throws {
        let answer = try Service().send(method, path)
        expectProblem(answer, 405)
        #expect(answer.fields["Allow"] == allow)
    }

    @Test("OPTIONS tells what a path answers to")
    func options() throws {
        let answer = try Service().send("OPTIONS", "/v1/jobs")
        #expect(answer.status == 204)
        #expect(answer.fields["Allow"] == "GET, HEAD, POST, OPTIONS")
        #expect(answer.body.isEmpty)
    }

    @Test("OPTIONS * tells what the server answers to; a path of that name is none")
    func serverOptions() async throws {
        try await Wire.run(try Service()) { wire in
            let answer = try wire.curl("/", "-X", "OPTIONS", "--request-target", "*")
            #expect(answer.status == 204 && answer.body.isEmpty)
            let allow = answer.head.split(separator: "\r\n").first { $0.hasPrefix("Allow: ") }?.dropFirst(7) ?? ""
            #expect(allow.split(separator: ", ").sorted() == ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST"])
            #expect(try wire.curl("/*", "-X", "OPTIONS").status == 404)
            #expect(try wire.curl("/", "--request-target", "*").status == 400)
        }
    }

    @Test("a query parameter that a path does not know is refused by its name")
    func unknownParameter() throws {
        let answer = try Service().send("GET", "/healthz?verbose=1")
        expectProblem(answer, 422, pointer: "#/verbose")
        #expect(answer.route == "/healthz")
    }

    @Test("the root leads to the rest")
    func landing() throws {
        let answer = try Service().send("GET", "/", [("Accept", "application/json")])
        #expect(answer.status == 200)
        #expect(answer.json?["links"]?["jobs"] == "/v1/jobs")
    }

    @Test(
        "an error that the server finds has the same form",
        arguments: [400, 404, 408, 413, 414, 417, 431, 500, 503, 505])
    func serverError(status: Int) throws {
        let response = try Service().api.error(status: status, detail: "A sentence.", requestID: "request-1")
        expectProblem(Answer(response), status, saying: "A sentence.")
    }

    @Test("the log gets the pattern of a route, never a path")
    func routeNames() throws {
        let service = try Service()
        let id = try service.submit()
        let routes = [
            ("", "/v1/jobs/{id}"), ("/results", "/v1/jobs/{id}/results"), ("/frames/7", "/v1/jobs/{id}/frames/{n}"),
            ("/video", "/v1/jobs/{id}/video"),
        ]
        for (path, pattern) in routes {
            #expect(service.send("GET", "/v1/jobs/\(id)\(path)").route == pattern)
        }
    }
}
