import Jobs
import Testing
import TrackingAPI

@Suite("Admission and health")
struct AdmissionTests {
    private static let form = Form().spec(SubmissionTests.spec).file("video", Sample.video())

    @Test("a full queue answers 503 with Retry-After, and takes jobs again when there is room")
    func fullQueue() throws {
        let service = try Service { $0.queuedJobs = 2 }
        for _ in 1...2 { #expect(service.post(Self.form).status == 202) }
        let refused = service.post(Self.form)
        expectProblem(refused, 503)
        #expect(refused.fields["Retry-After"] != nil)
        #expect(try service.store.counts()[.queued] == 2)
        #expect(try service.blobs.children(of: "jobs").count == 2)
        _ = try service.store.claim(owner: "worker", leaseSeconds: 30)
        #expect(service.post(Self.form).status == 202)
    }

    @Test("a stopping service takes no job, and says so before the body is sent")
    func stopping() throws {
        let service = try Service(health: ServiceHealth(workersExpected: 2, workersAlive: 2, isStopping: true))
        let request = Service.request(
            "POST", "/v1/jobs", .init([("Content-Type", Form.contentType), ("Content-Length", "9")]))
        guard case .respond(let response) = service.api.begin(request) else {
            Issue.record("the body is taken")
            return
        }
        let answer = Answer(response)
        expectProblem(answer, 503)
        #expect(answer.fields["Retry-After"] != nil)
        expectProblem(service.send("GET", "/readyz"), 503, saying: "stopping")
    }

    @Test("an upload that would touch the disk's reserve is 507, and leaves nothing behind")
    func reserve() throws {
        let service = try Service { $0.diskReserveBytes = .max / 2 }
        let answer = service.post(Self.form)
        expectProblem(answer, 507)
        #expect(try service.isEmpty(), "\(service.files)")
        expectProblem(service.send("GET", "/readyz"), 503, saying: "reserve")
    }

    @Test("a body of unknown length that grows into the reserve is 507, and leaves nothing behind")
    func reserveReached() throws {
        let service = try Service { $0.diskReserveBytes = 1_000 }
        let body = Form().spec(SubmissionTests.spec).file("video", Sample.video(bytes: 17 << 20)).body
        let request = Service.request(
            "POST", "/v1/jobs", .init([("Content-Type", Form.contentType), ("Transfer-Encoding", "chunked")]))
        guard case .receive(let sink, _, _) = service.api.begin(request) else {
            Issue.record("the body is not taken")
            return
        }
        #expect(body[..<1_000_000].withUnsafeBytes { sink.receive($0) } == nil)
        service.blobs.free.withLock { $0 = 999 }
        let refusals = stride(from: 1_000_000, to: body.count, by: 1_000_000).lazy.compactMap { start in
            body[start..<min(start + 1_000_000, body.count)].withUnsafeBytes { sink.receive($0) }
        }
        let answer = Answer(try #require(refusals.first { _ in true }))
        sink.abort()
        expectProblem(answer, 507)
        #expect(answer.fields["Retry-After"] != nil)
        #expect(try service.isEmpty(), "\(service.files)")
    }

    @Test(
        "a disk that is full in the middle of an upload is 507, and leaves nothing behind",
        arguments: [0, 4_096, 9_000])
    func fullDisk(bytes: Int64) throws {
        let service = try Service()
        service.blobs.fullAfter.withLock { $0 = bytes }
        let frames = Form().spec(SubmissionTests.spec).file("frame", Sample.image(bytes: 9_500), fileName: "1.png")
        for form in [Self.form, frames] {
            let answer = service.post(form)
            expectProblem(answer, 507)
            #expect(answer.note?.contains("test's disk") == true)
            #expect(!answer.text.contains("test's disk"))
            #expect(try service.isEmpty(), "\(service.files)")
        }
        service.blobs.fullAfter.withLock { $0 = .max }
        #expect(service.post(Self.form).status == 202)
    }

    @Test("a body that has neither a length nor chunks is 411")
    func lengthRequired() throws {
        expectProblem(try Service().send("POST", "/v1/jobs", [("Content-Type", "video/mp4")]), 411)
    }

    @Test(
        "a content type that is not taken is 415, and the answer says which are",
        arguments: ["text/plain", "image/png", "multipart/mixed; boundary=a", "nonsense", ""])
    func unsupported(type: String) throws {
        let answer = try Service().send("POST", "/v1/jobs", [("Content-Type", type)], body: [1])
        expectProblem(answer, 415)
        #expect(answer.fields["Accept"]?.contains("multipart/form-data") == true)
    }

    @Test("a form without a boundary is malformed")
    func noBoundary() throws {
        expectProblem(try Service().send("POST", "/v1/jobs", [("Content-Type", "multipart/form-data")], body: [1]), 400)
    }

    @Test(
        "a bare body that is wrong is refused",
        arguments: [
            ("/v1/jobs", "video/mp4", Sample.video(), 422, "#/targets"),
            ("/v1/jobs?roi=1,2,30,40", "video/mp4", [], 422, "#"),
            ("/v1/jobs?roi=1,2,30,40", "video/mp4", Sample.zip(), 415, "#"),
            ("/v1/jobs?roi=1,2,30,40", "application/zip", Sample.video(), 415, "#"),
            ("/v1/jobs?roi=1,2,30,40", "application/octet-stream", Sample.text, 415, "#"),
            ("/v1/jobs?roi=1,2,30,40", "application/octet-stream", Sample.image(), 415, "#"),
            ("/v1/jobs?roi=1,2,30,40&fps=3", "video/mp4", Sample.video(), 422, "#/fps"),
            ("/v1/jobs?roi=NaN,2,30,40", "video/mp4", Sample.video(), 422, "#/roi"),
        ] as [(String, String, [UInt8], Int, String)])
    func wrongRawBody(target: String, type: String, body: [UInt8], status: Int, pointer: String) throws {
        let service = try Service()
        let answer = service.send("POST", target, [("Content-Type", type)], body: body)
        expectProblem(answer, status, pointer: pointer)
        #expect(try service.isEmpty(), "\(service.files)")
    }

    @Test(
        "a JSON body that is wrong is refused",
        arguments: [
            ("", 400, nil), ("{", 400, nil), ("[]", 422, "#"), ("{}", 422, "#/source"),
            (#"{"source": 3}"#, 422, "#/source"),
            (#"{"source": {"upload": "x"}}"#, 422, "#/source/upload"),
            (#"{"source": {"url": "http://x"}}"#, 422, "#/source/url"),
            (#"{"source": {}}"#, 422, "#/source/job"), (#"{"source": {"job": "x"}}"#, 422, "#/source/job"),
            (#"{"source": {"job": "0197aaaa-0000-7000-8000-000000000000"}}"#, 422, "#/source/job"),
            (#"{"source": {"job": "0197aaaa-0000-7000-8000-000000000000"}}"#, 422, "#/targets"),
        ] as [(String, Int, String?)])
    func wrongJSONBody(body: String, status: Int, pointer: String?) throws {
        let service = try Service()
        let answer = service.send(
            "POST", "/v1/jobs", [("Content-Type", "application/json")], body: Array(body.utf8))
        expectProblem(answer, status, pointer: pointer)
        #expect(try service.isEmpty(), "\(service.files)")
    }

    @Test("a JSON body over 2 MiB is 413")
    func largeJSONBody() throws {
        let body = [UInt8](repeating: UInt8(ascii: " "), count: (2 << 20) + 1)
        expectProblem(try Service().send("POST", "/v1/jobs", [("Content-Type", "application/json")], body: body), 413)
    }

    @Test("a healthy service is alive and ready")
    func healthy() throws {
        let service = try Service()
        #expect(service.send("GET", "/healthz").json?["status"] == "ok")
        let ready = service.send("GET", "/readyz")
        #expect(ready.status == 200)
        #expect(ready.json?["checks"]?.arrayValue?.allSatisfy { $0["ok"] == true } == true)
    }

    @Test("without workers, or without its store, the service is not ready, but alive")
    func notReady() throws {
        let service = try Service(health: ServiceHealth(workersExpected: 2, workersAlive: 0))
        expectProblem(service.send("GET", "/readyz"), 503, saying: "0 of 2 workers")
        try service.store.close()
        let answer = service.send("GET", "/readyz")
        expectProblem(answer, 503, saying: "store")
        let failed = answer.json?["checks"]?.arrayValue?.filter { $0["ok"] == false }.compactMap {
            $0["name"]?.stringValue
        }
        #expect(failed == ["store", "workers"])
        #expect(service.send("GET", "/healthz").status == 200)
    }

    @Test("what the system refuses to restrict decoders in is shown, and no reason to send jobs elsewhere")
    func lessRestricted() throws {
        let service = try Service(
            health: ServiceHealth(workersExpected: 1, workersAlive: 1, missingRestrictions: ["system call filter"]))
        let answer = service.send("GET", "/readyz")
        #expect(answer.status == 200)
        let check = answer.json?["checks"]?.arrayValue?.first { $0["name"] == "sandbox" }
        #expect(check?["ok"] == false)
        #expect(check?["detail"]?.stringValue?.contains("system call filter") == true)
    }

    @Test("a node that is to run no workers is ready without any")
    func apiNode() throws {
        let service = try Service(health: ServiceHealth(workersExpected: 0, workersAlive: 0))
        #expect(service.send("GET", "/readyz").status == 200)
    }

    @Test("a configuration value that cannot be is named by its key")
    func configuration() {
        var configuration = APIConfiguration()
        configuration.uploadBytes = 0
        #expect(throws: APIConfigurationError.self) { try configuration.validate() }
        do {
            try configuration.validate()
        } catch {
            #expect(error.description.contains("limits.upload_bytes"))
        }
    }
}
