import HTTPServer
import JobStoreContract
import Jobs
import Testing

@testable import TrackingAPI

@Suite("Idempotency-Key")
struct IdempotencyTests {
    private static let key = (name: "Idempotency-Key", value: "\"8e03978e-40d5-43dd-bc93-6894a57f9324\"")

    private static func form(_ video: [UInt8] = Sample.video(), box: String = "70,51,107,87") -> Form {
        Form().file("video", video).field("roi", box)
    }

    private static func post(
        _ form: Form, to service: Service, _ fields: [(name: String, value: String)] = [key]
    ) -> Answer {
        service.send("POST", "/v1/jobs", [("Content-Type", Form.contentType)] + fields, body: form.body)
    }

    @Test("a retry gets the first answer again, and leaves neither a job nor a file")
    func replay() throws {
        let service = try Service()
        let first = Self.post(Self.form(), to: service)
        #expect(first.status == 202, "\(first.text)")
        #expect(first.fields["Idempotency-Replayed"] == nil)
        let tag = try #require(first.fields["ETag"])
        #expect(service.send("GET", "/v1/jobs/\(try #require(first.jobID))", [("If-None-Match", tag)]).status == 304)
        let files = service.files
        // What became of the job meanwhile makes no difference.
        try service.finish(try #require(first.jobID), as: .failed, lines: nil)
        for _ in 0..<3 {
            let retry = Self.post(Self.form(), to: service)
            #expect(retry.status == 202)
            #expect(retry.body == first.body)
            #expect(retry.fields["Location"] == first.fields["Location"])
            #expect(retry.fields["ETag"] == tag)
            #expect(retry.fields["Idempotency-Replayed"] == "true")
            #expect(retry.route == "/v1/jobs")
        }
        #expect(service.files == files)
        #expect(try service.store.jobs(JobQuery(tenant: .anonymous)).jobs.count == 1)
        #expect(service.signals.submissions.withLock { $0 } == 1)
    }

    @Test("without the field, and with other keys, the same request is another job each time")
    func otherKeys() throws {
        let service = try Service()
        let ids = [[], [], [("Idempotency-Key", "a")], [("Idempotency-Key", "b")]].map { fields in
            Self.post(Self.form(), to: service, fields).jobID
        }
        #expect(Set(ids.compactMap { $0 }).count == 4)
    }

    @Test("a retry with another boundary, order of parts, file name or spelling of the spec is the same request")
    func sameMeaning() throws {
        let service = try Service()
        let first = Self.post(Self.form(), to: service)
        let same = [
            Self.form().reordered([1, 0]),
            Form().file("video", Sample.video(), fileName: "other.mp4").field("roi", " 70.0, 51,107,87"),
            Form().file("video", Sample.video()).spec(#"{"targets": [{"box": [70, 51, 107, 87]}], "priority": 0}"#),
        ]
        for form in same {
            let retry = Self.post(form, to: service)
            #expect(retry.body == first.body, "\(retry.text)")
        }
        let text = String(decoding: Self.form(Array(Sample.video().prefix(12))).body, as: UTF8.self)
        let other = try Service()
        let boundary = (name: "Content-Type", value: "multipart/form-data; boundary=another")
        let one = other.send(
            "POST", "/v1/jobs", [("Content-Type", Form.contentType), Self.key], body: Array(text.utf8))
        let two = other.send(
            "POST", "/v1/jobs", [boundary, Self.key], body: Array(text.replacing(Form.boundary, with: "another").utf8))
        #expect(one.status == 202, "\(one.text)")
        #expect(two.body == one.body)
        #expect(two.fields["Idempotency-Replayed"] == "true")
    }

    @Test("another spec, another video and another form under the same key are 422, and leave nothing")
    func otherPayload() throws {
        let service = try Service()
        let first = Self.post(Self.form(), to: service)
        let files = service.files
        var answers = [Self.form(box: "70,51,107,88"), Self.form(Sample.video(seed: 9))].map {
            Self.post($0, to: service)
        }
        answers.append(
            service.send(
                "POST", "/v1/jobs?roi=70,51,107,87", [("Content-Type", "video/mp4"), Self.key], body: Sample.video()))
        for answer in answers {
            expectProblem(answer, 422)
            #expect(answer.json?["type"] == "urn:lktrack:problem:idempotency-key-reused")
        }
        #expect(service.files == files)
        #expect(try service.store.counts()[.queued] == 1)
        #expect(Self.post(Self.form(), to: service).body == first.body)
    }

    @Test("while the first is on its way, a second is 409 before its body is read; when it is over, it is answered")
    func inFlight() throws {
        let service = try Service()
        let body = Self.form().body
        func begin() -> HTTPDisposition {
            service.api.begin(
                Service.request(
                    "POST", "/v1/jobs",
                    HTTPFields([
                        ("Content-Type", Form.contentType), ("Content-Length", String(body.count)), Self.key,
                    ])))
        }
        guard case .receive(let sink, _, _) = begin() else {
            Issue.record("the body is not taken")
            return
        }
        #expect(body.prefix(1_000).withUnsafeBytes { sink.receive($0) } == nil)
        guard case .respond(let refused) = begin() else {
            Issue.record("a second body is taken")
            return
        }
        expectProblem(Answer(refused), 409)
        #expect(refused.fields["Retry-After"] == "1")
        #expect(Self.post(Self.form(), to: service, [("Idempotency-Key", "another")]).status == 202)
        #expect(body.dropFirst(1_000).withUnsafeBytes { sink.receive($0) } == nil)
        let first = Answer(sink.finish())
        #expect(first.status == 202)
        #expect(Self.post(Self.form(), to: service).body == first.body)
    }

    @Test("a first request that fails or is given up frees the key", arguments: ["refused", "cut off", "given up"])
    func freed(how: String) throws {
        let service = try Service()
        let body = Self.form().body
        let fields = [(name: "Content-Type", value: Form.contentType), Self.key]
        switch how {
        case "refused": expectProblem(Self.post(Self.form(Sample.text), to: service), 415)
        case "cut off":
            expectProblem(service.send("POST", "/v1/jobs", fields, body: Array(body.prefix(2_000))), 400)
        default:
            let request = Service.request("POST", "/v1/jobs", HTTPFields(fields + [("Content-Length", "9")]))
            guard case .receive(let sink, _, _) = service.api.begin(request) else {
                Issue.record("the body is not taken")
                return
            }
            sink.abort()
        }
        #expect(try service.isEmpty(), "\(service.files)")
        let second = Self.post(Self.form(box: "1,2,30,40"), to: service)
        #expect(second.status == 202, "\(second.text)")
        #expect(second.fields["Idempotency-Replayed"] == nil)
    }

    @Test("where it is not known whether a job was kept its source stays, and a retry is answered with it")
    func unsettled() throws {
        let service = try Service(through: { UnsettledStore($0) })
        let first = Self.post(Self.form(), to: service)
        expectProblem(first, 503, saying: "not known")
        #expect(first.fields["Retry-After"] != nil)
        let retry = Self.post(Self.form(), to: service)
        #expect(retry.status == 202, "\(retry.text)")
        #expect(retry.fields["Idempotency-Replayed"] == "true")
        let job = try service.kept(retry)
        let source = try #require(try service.blobs.open(job.source.blobKey))
        #expect(source.count == job.source.bytes)
    }

    @Test("a first request that is dropped without a word frees the key")
    func dropped() throws {
        let service = try Service()
        let fields = [("Content-Type", Form.contentType), ("Content-Length", "9"), Self.key]
        do { _ = service.api.begin(Service.request("POST", "/v1/jobs", HTTPFields(fields))) }
        #expect(Self.post(Self.form(), to: service).status == 202)
    }

    @Test("a retry of JSON is answered although its source is gone, and another source is another request")
    func json() throws {
        let service = try Service()
        let original = try service.submit()
        let fields = [(name: "Content-Type", value: "application/json"), Self.key]
        func body(_ id: JobID) -> [UInt8] {
            Array(#"{"targets": [{"box": [1, 2, 30, 40]}], "source": {"job": "\#(id)"}}"#.utf8)
        }
        let first = service.send("POST", "/v1/jobs", fields, body: body(original))
        #expect(first.status == 202, "\(first.text)")
        #expect(service.send("DELETE", "/v1/jobs/\(original)").status == 204)
        let retry = service.send("POST", "/v1/jobs", fields, body: body(original))
        #expect(retry.body == first.body, "\(retry.text)")
        #expect(retry.fields["Idempotency-Replayed"] == "true")
        expectProblem(service.send("POST", "/v1/jobs", fields, body: body(try service.submit())), 422)
    }

    @Test("a retry of an upload's job is answered although the upload is the job's by now")
    func upload() throws {
        let service = try Service()
        let id = try service.upload(Sample.video()).split(separator: "/").last ?? ""
        let fields = [(name: "Content-Type", value: "application/json"), Self.key]
        let body = Array(#"{"targets": [{"box": [1, 2, 30, 40]}], "source": {"upload": "\#(id)"}}"#.utf8)
        let first = service.send("POST", "/v1/jobs", fields, body: body)
        #expect(first.status == 202, "\(first.text)")
        let files = service.files
        let retry = service.send("POST", "/v1/jobs", fields, body: body)
        #expect(retry.body == first.body, "\(retry.text)")
        #expect(retry.fields["Idempotency-Replayed"] == "true")
        #expect(service.files == files)
        let unnamed = service.send("POST", "/v1/jobs", [("Content-Type", "application/json")], body: body)
        expectProblem(unnamed, 409, pointer: "#/source/upload")
    }

    @Test("what is kept of a submission does not grow with its spec, and answers a retry also when the job is deleted")
    func longSpec() throws {
        let service = try Service()
        let keyframes = (1...1_000).map { #"{"frame": \#($0), "box": [1, 2, 30.5, 40]}"# }.joined(separator: ",")
        let form = Form().spec(
            #"{"targets": [{"box": [1, 2, 30, 40], "keyframes": [\#(keyframes)]}], "labels": {"b": "1", "a": "2"}}"#
        ).file("video", Sample.video())
        let first = Self.post(form, to: service)
        #expect(first.status == 202, "\(first.text)")
        #expect(first.body.count > 30_000)
        let key = "8e03978e-40d5-43dd-bc93-6894a57f9324"
        let kept = try #require(try service.store.attempt(key: key, tenant: .anonymous))
        #expect(kept.answer.count < 2_000)
        #expect(Self.post(form, to: service).body == first.body)
        #expect(service.send("DELETE", "/v1/jobs/\(try #require(first.jobID))").status == 204)
        let retry = Self.post(form, to: service)
        #expect(retry.status == 202)
        #expect(retry.body == first.body)
        #expect(retry.fields["Location"] == first.fields["Location"])
        #expect(try service.isEmpty(), "\(service.files)")
    }

    @Test("a whole answer that a version before has kept is given as it is")
    func keptBefore() throws {
        let old = IdempotentAttempt(key: "k", fingerprint: "", answer: Array(#"{"id":"x","spec":{"old":1}}"#.utf8))
        let spec = try SpecReader.read(SpecForm.json(fields: [("roi", "1,2,30,40")], base: nil))
        let fingerprint = PayloadFingerprint(form: "raw", spec: spec, source: .null)
        var attempt = old
        attempt.fingerprint = fingerprint.text
        guard case .replayed(let text, id: "x") = try attempt.outcome(for: fingerprint, spec) else {
            Issue.record("it is a new job")
            return
        }
        #expect(text == old.answer)
    }

    @Test("a retry is answered although the queue, or the tenant's quota, is full by now")
    func fullQueue() throws {
        let service = try Service { $0.queuedJobs = 1 }
        let first = Self.post(Self.form(), to: service)
        expectProblem(Self.post(Self.form(), to: service, []), 503)
        #expect(Self.post(Self.form(), to: service).body == first.body)
        try service.store.setQuota(TenantQuota(queued: 0), of: .anonymous)
        #expect(Self.post(Self.form(), to: service).body == first.body)
    }

    @Test("each tenant has its own keys")
    func tenants() throws {
        let service = try Service(keys: .required)
        let keys = [try service.key(TenantID("a"), id: "k1"), try service.key(TenantID("b"), id: "k2")]
        let ids = keys.map { Self.post(Self.form(), to: service, [$0, Self.key]).jobID }
        #expect(ids[0] != nil && ids[1] != nil && ids[0] != ids[1])
    }

    @Test("a key is forgotten after a day")
    func age() throws {
        let clock = ManualEnvironment()
        let service = try Service(environment: clock)
        let first = Self.post(Self.form(), to: service)
        clock.advance(IdempotencyLimits.seconds - 1)
        #expect(Self.post(Self.form(), to: service).jobID == first.jobID)
        clock.advance(2)
        let second = Self.post(Self.form(), to: service)
        #expect(second.status == 202)
        #expect(second.jobID != first.jobID)
    }

    @Test(
        "a quoted string and its bare text are the same key",
        arguments: [
            ("\"abc\"", "abc"), ("abc", "abc"), ("  \"abc\"\t", "abc"), (#""a\"b\\c""#, #"a"b\c"#),
            ("a b;c", "a b;c"), (String(repeating: "k", count: 255), String(repeating: "k", count: 255)),
        ])
    func syntax(value: String, text: String) throws {
        let request = Service.request("POST", "/v1/jobs", HTTPFields([("idempotency-key", value)]))
        #expect(try IdempotencyKey.of(request)?.text == text)
    }

    @Test(
        "what is no key is 400, before the body is read",
        arguments: [
            "", "  ", "\"\"", "\"abc", "\"a\"b\"", "\"abc\";p=1", #""a\b""#, "\"", "ü", "a\u{7F}b",
            String(repeating: "k", count: 256),
        ])
    func wrongSyntax(value: String) throws {
        let service = try Service()
        let fields = [("Content-Type", Form.contentType), ("Content-Length", "9"), ("Idempotency-Key", value)]
        guard case .respond(let response) = service.api.begin(Service.request("POST", "/v1/jobs", HTTPFields(fields)))
        else {
            Issue.record("the body is taken")
            return
        }
        expectProblem(Answer(response), 400, saying: "Idempotency-Key")
        let twice = fields.dropLast() + [("Idempotency-Key", "a"), ("Idempotency-Key", "a")]
        expectProblem(service.send("POST", "/v1/jobs", Array(twice), body: [1]), 400)
    }
}
