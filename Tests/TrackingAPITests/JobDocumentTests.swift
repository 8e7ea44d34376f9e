import HTTPServer
import Jobs
import Testing
import TrackingAPI

@Suite("A job that is asked for again and again")
struct JobDocumentTests {
    /// Whether it was answered on the connection's own thread, without a look at the store.
    private func isAnsweredAtOnce(_ service: Service, _ path: String) -> Bool {
        if case .respond = service.api.begin(Service.request("GET", path)) { true } else { false }
    }

    @Test("nothing is looked up while nothing has changed, and the answer is the same to the byte")
    func again() throws {
        let service = try Service()
        let path = "/v1/jobs/\(try service.submit())"
        #expect(!isAnsweredAtOnce(service, path))
        let first = service.send("GET", path)
        #expect(isAnsweredAtOnce(service, path))
        let second = service.send("GET", path)
        #expect(second.status == 200 && second.body == first.body && second.fields == first.fields)
        #expect(second.route == "/v1/jobs/{id}")
        let tag = try #require(first.fields["ETag"])
        #expect(service.send("GET", path, [("If-None-Match", tag)]).status == 304)
        #expect(service.send("GET", path, [("If-Match", "\"x\"")]).status == 412)
    }

    @Test("every change is seen by the next who asks, whoever made it")
    func changes() throws {
        let service = try Service()
        let id = try service.submit()
        let path = "/v1/jobs/\(id)"
        func status() -> String? {
            _ = service.send("GET", path)
            return service.send("GET", path).json?["status"]?.stringValue
        }
        #expect(status() == "queued")
        // A worker in another process.
        let other = try service.restarted()
        let claimed = try #require(try other.store.claim(owner: "other", leaseSeconds: 30))
        #expect(status() == "running")
        _ = try other.store.heartbeat(claimed.lease, progress: JobProgress(framesDone: 7), leaseSeconds: 30)
        #expect(service.send("GET", path).json?["progress"]?["frames_done"]?.intValue == 7)
        #expect(service.send("POST", path + "/cancel").status == 202)
        _ = try other.store.publish(
            JobOutcome(status: .canceled, progress: JobProgress(framesDone: 7)), lease: claimed.lease)
        #expect(status() == "canceled")
        #expect(service.send("DELETE", path).status == 204)
        expectProblem(service.send("GET", path), 404)
        expectProblem(service.send("GET", path), 404)
    }

    @Test("what one tenant has read, no other gets")
    func tenants() throws {
        let service = try Service(keys: .required)
        let mine = try service.key(TenantID("mine"), id: "k1")
        let other = try service.key(TenantID("other"), id: "k2")
        let job = service.send(
            "POST", "/v1/jobs?roi=1,2,30,40", [mine, ("Content-Type", "video/mp4")], body: Sample.video())
        let path = "/v1/jobs/\(try #require(job.jobID))"
        for _ in 0..<3 {
            #expect(service.send("GET", path, [mine]).status == 200)
            expectProblem(service.send("GET", path, [other]), 404)
            expectProblem(service.send("GET", path), 401)
        }
    }
}
