import Jobs
import Testing
import TrackingAPI

@Suite("One job")
struct JobRouteTests {
    private let service: Service
    private let id: JobID

    init() throws {
        service = try Service()
        id = try service.submit()
    }

    @Test("a job is read with a strong tag, and not sent again while it stays as it is")
    func conditionalRead() throws {
        let answer = service.send("GET", "/v1/jobs/\(id)")
        #expect(answer.status == 200)
        #expect(answer.route == "/v1/jobs/{id}")
        #expect(answer.fields["Content-Type"] == "application/json")
        #expect(answer.json?["links"]?["self"] == .string("/v1/jobs/\(id)"))
        let tag = try #require(answer.fields["ETag"])
        #expect(tag.hasPrefix("\"") && tag.hasSuffix("\""))

        let again = service.send("GET", "/v1/jobs/\(id)", [("If-None-Match", "\"other\", \(tag)")])
        #expect(again.status == 304)
        // RFC 9110 §15.4.5: what a cache is told to do with it does not change.
        #expect(again.fields["Cache-Control"] == "no-cache")
        #expect(again.body.isEmpty)
        #expect(again.fields["ETag"] == tag)

        _ = try service.store.claim(owner: "worker", leaseSeconds: 30)
        let changed = service.send("GET", "/v1/jobs/\(id)", [("If-None-Match", tag)])
        #expect(changed.status == 200)
        #expect(changed.json?["status"] == "running")
        #expect(changed.fields["ETag"] != tag)
    }

    @Test("a client that asks for another version gets 412")
    func ifMatch() {
        expectProblem(service.send("GET", "/v1/jobs/\(id)", [("If-Match", "\"other\"")]), 412)
        #expect(service.send("GET", "/v1/jobs/\(id)", [("If-Match", "*")]).status == 200)
    }

    @Test(
        "a job that is not what the client believes is neither canceled nor deleted",
        arguments: [("POST", "/cancel", 202), ("DELETE", "", 204)])
    func ifMatchOfChanges(method: String, path: String, status: Int) throws {
        let old = try #require(service.send("GET", "/v1/jobs/\(id)").fields["ETag"])
        _ = try service.store.claim(owner: "worker", leaseSeconds: 30)
        for condition in [("If-Match", old), ("If-Match", "\"other\""), ("If-None-Match", "*")] {
            expectProblem(service.send(method, "/v1/jobs/\(id)\(path)", [condition]), 412)
        }
        let job = try #require(try service.store.job(id, tenant: .anonymous))
        #expect(!job.cancelRequested)
        expectProblem(
            service.send(method, "/v1/jobs/0197aaaa-0000-7000-8000-000000000000\(path)", [("If-Match", old)]), 404)
        let tag = try #require(service.send("GET", "/v1/jobs/\(id)").fields["ETag"])
        #expect(service.send(method, "/v1/jobs/\(id)\(path)", [("If-Match", tag)]).status == status)
    }

    @Test("cancelling a queued job cancels it, and again is the same")
    func cancelQueued() throws {
        for _ in 1...2 {
            let answer = service.send("POST", "/v1/jobs/\(id)/cancel")
            #expect(answer.status == 202)
            #expect(answer.json?["status"] == "canceled")
        }
    }

    @Test("cancelling a running job tells its worker")
    func cancelRunning() throws {
        let claimed = try #require(try service.store.claim(owner: "worker", leaseSeconds: 30))
        #expect(service.send("POST", "/v1/jobs/\(id)/cancel").status == 202)
        #expect(service.signals.cancellations.withLock { $0 } == [id])
        #expect(try service.store.status(of: claimed.lease) == .cancelRequested)
    }

    @Test("a job that has ended cannot be canceled any more")
    func cancelEnded() throws {
        try service.finish(id, lines: [])
        expectProblem(service.send("POST", "/v1/jobs/\(id)/cancel"), 409, saying: "succeeded")
    }

    @Test("deleting removes the row and every blob, whatever the state", arguments: JobStatus.allCases)
    func delete(status: JobStatus) throws {
        switch status {
        case .queued: break
        case .running:
            let claimed = try #require(try service.store.claim(owner: "worker", leaseSeconds: 30))
            let writer = try service.blobs.create(id.resultKey(attempt: claimed.job.attempt))
            try Array("{}\n".utf8).withUnsafeBytes(writer.write)
            try writer.flush()
        case .succeeded, .failed, .canceled: try service.finish(id, as: status, lines: [Lines.frame(0)])
        }
        let answer = service.send("DELETE", "/v1/jobs/\(id)")
        #expect(answer.status == 204)
        #expect(answer.body.isEmpty)
        #expect(try service.isEmpty(), "\(service.files)")
        expectProblem(service.send("DELETE", "/v1/jobs/\(id)"), 404)
        #expect(service.signals.cancellations.withLock { $0 } == (status.isFinal ? [] : [id]))
    }

    @Test("a text that is no id names no job", arguments: ["1", "..", "0197", "0197aaaa-0000-7000-8000-00000000000G"])
    func malformedID(text: String) {
        expectProblem(service.send("GET", "/v1/jobs/\(text)"), 404)
    }

    @Test("another tenant's job does not exist, on any route")
    func otherTenant() throws {
        let foreign = try service.submit(tenant: TenantID("somebody-else"))
        let routes = [
            ("GET", ""), ("GET", "/results"), ("GET", "/results?partial=true"), ("GET", "/video"), ("GET", "/source"),
            ("GET", "/frames/0"), ("POST", "/cancel"), ("DELETE", ""),
        ]
        for (method, path) in routes {
            let answer = service.send(method, "/v1/jobs/\(foreign)\(path)")
            expectProblem(answer, 404)
            let missing = service.send(method, "/v1/jobs/0197aaaa-0000-7000-8000-000000000000\(path)")
            #expect(answer.body == missing.body, "\(method) \(path)")
        }
        let body = Array(#"{"source": {"job": "\#(foreign)"}, "targets": [{"box": [1, 2, 30, 40]}]}"#.utf8)
        let again = service.send("POST", "/v1/jobs", [("Content-Type", "application/json")], body: body)
        expectProblem(again, 422, pointer: "#/source/job")
        #expect(service.send("GET", "/v1/jobs").json?["jobs"]?.arrayValue?.map { $0["id"] } == [.string("\(id)")])
        #expect(try service.store.job(foreign, tenant: TenantID("somebody-else")) != nil)
    }
}
