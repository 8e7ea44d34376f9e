import Foundation
import JobStoreContract
import Jobs
import Testing

@testable import TrackingAPI

/// Sample.video() is what each submission keeps.
@Suite("Quotas of stored bytes")
struct StoredQuotaTests {
    private static let tenant = TenantID("acme")
    private static let bytes = Int64(Sample.video().count)
    private typealias Field = (name: String, value: String)

    private static func post(_ service: Service, _ fields: Field..., body: [UInt8] = Sample.video()) -> Answer {
        service.send("POST", "/v1/jobs?roi=1,2,30,40", fields + [("Content-Type", "video/mp4")], body: body)
    }

    private static func expectRefusal(
        _ answer: Answer, sourceLocation: SourceLocation = #_sourceLocation
    ) {
        expectProblem(answer, 507, sourceLocation: sourceLocation)
        #expect(
            answer.json?["type"] == "urn:lktrack:problem:stored-quota-exceeded", sourceLocation: sourceLocation)
    }

    @Test("a submission over it is a 507 of its own, others' are not, and deleting a job frees what it kept")
    func submission() throws {
        let service = try Service(keys: .required)
        let key = try service.key(Self.tenant, id: "k1")
        let other = try service.key(TenantID("other"), id: "k2")
        try service.store.setQuota(TenantQuota(stored: 2 * Self.bytes + 10), of: Self.tenant)
        let first = Self.post(service, key)
        #expect(first.status == 202)
        #expect(Self.post(service, key).status == 202)
        let files = service.files
        let refused = Self.post(service, key)
        Self.expectRefusal(refused)
        #expect(refused.text.contains("\(2 * Self.bytes) bytes of the \(2 * Self.bytes + 10)"), "\(refused.text)")
        #expect(refused.text.contains("Delete jobs"))
        #expect(refused.fields["RateLimit-Policy"] == "\"stored-bytes\";q=\(2 * Self.bytes + 10)")
        #expect(refused.fields["RateLimit"] == "\"stored-bytes\";r=10")
        #expect(refused.json?["violated-policies"] == ["stored-bytes"])
        #expect(service.files == files)
        #expect(Self.post(service, other).status == 202)
        #expect(service.send("DELETE", try #require(first.fields["Location"]), [key]).status == 204)
        #expect(Self.post(service, key).status == 202)
        Self.expectRefusal(Self.post(service, key))
    }

    @Test("it is refused before the body where that tells its length, else when it is as long")
    func early() throws {
        let service = try Service(keys: .required)
        let key = try service.key(Self.tenant)
        try service.store.setQuota(TenantQuota(stored: 20 << 20), of: Self.tenant)
        let long = Sample.video(bytes: 40 << 20)
        func taken(_ field: Field) throws -> Int {
            let request = Service.request(
                "POST", "/v1/jobs?roi=1,2,30,40", .init([key, ("Content-Type", "video/mp4"), field]))
            guard case .receive(let sink, _, _) = service.api.begin(request) else {
                Issue.record("the body is not taken")
                return 0
            }
            var sent = 0
            while sent < long.count {
                let response = long[sent..<min(sent + 1_000_000, long.count)].withUnsafeBytes { sink.receive($0) }
                if let response {
                    Self.expectRefusal(Answer(response))
                    break
                }
                sent += 1_000_000
            }
            sink.abort()
            return sent
        }
        #expect(try taken(("Content-Length", String(long.count))) == 0)
        #expect(try taken(("Transfer-Encoding", "chunked")) < 40_000_000)
        #expect(try service.isEmpty(), "\(service.files)")
        let short = Sample.video(bytes: 15 << 20)
        #expect(Self.post(service, key, body: short).status == 202, "what was refused is on its way no more")
    }

    @Test("bodies that come at the same time do not pass it together")
    func together() throws {
        let service = try Service(keys: .required) { $0.storedBytesPerTenant = 3 * Self.bytes }
        let key = try service.key(Self.tenant)
        let sinks = try (0..<4).map { _ in
            let request = Service.request(
                "POST", "/v1/jobs?roi=1,2,30,40",
                .init([key, ("Content-Type", "video/mp4"), ("Content-Length", String(Self.bytes))]))
            guard case .receive(let sink, _, _) = service.api.begin(request) else { throw CancellationError() }
            return sink
        }
        let body = Sample.video()
        let refusals = sinks.map { sink in body[..<10].withUnsafeBytes { sink.receive($0) } }
        #expect(refusals.map { $0?.status } == [nil, nil, nil, 507])
        sinks[3].abort()
        sinks[0].abort()
        service.api.finishUploads()
        Self.expectRefusal(Answer(try #require(refusals[3])))
        for sink in sinks[1...2] {
            #expect(body[10...].withUnsafeBytes { sink.receive($0) } == nil)
            #expect(sink.finish().status == 202)
        }
        #expect(Self.post(service, key).status == 202, "the one that was cut off counts no more")
        Self.expectRefusal(Self.post(service, key))
    }

    @Test("without a quota of its own a tenant with keys has the configuration's; without keys there is none")
    func configured() throws {
        let service = try Service(keys: .required) { $0.storedBytesPerTenant = Self.bytes }
        let key = try service.key(Self.tenant)
        #expect(Self.post(service, key).status == 202)
        Self.expectRefusal(Self.post(service, key))
        try service.store.setQuota(TenantQuota(stored: 2 * Self.bytes), of: Self.tenant)
        #expect(Self.post(service, key).status == 202)
        Self.expectRefusal(Self.post(service, key))
        let anonymous = try Service { $0.storedBytesPerTenant = Self.bytes }
        for _ in 1...3 { #expect(Self.post(anonymous).status == 202) }
    }

    @Test("a retry is answered although its tenant may store no more by now")
    func retry() throws {
        let service = try Service()
        let key = ("Idempotency-Key", "\"a-1\"")
        #expect(Self.post(service, key).status == 202)
        try service.store.setQuota(TenantQuota(stored: 1), of: .anonymous)
        let retry = Self.post(service, key)
        #expect(retry.status == 202 && retry.fields["Idempotency-Replayed"] == "true")
        Self.expectRefusal(Self.post(service, ("Idempotency-Key", "\"a-2\"")))
    }

    @Test("an upload over it is refused when it is announced, and a job takes one that fits exactly")
    func uploads() throws {
        let service = try Service()
        let video = Sample.video()
        try service.store.setQuota(TenantQuota(stored: Self.bytes), of: .anonymous)
        Self.expectRefusal(
            service.send("POST", "/v1/uploads", Service.tus + [("Upload-Length", String(Self.bytes + 1))]))
        let path = try service.create(video.count)
        Self.expectRefusal(service.send("POST", "/v1/uploads", Service.tus + [("Upload-Length", "1")]))
        Self.expectRefusal(Self.post(service))
        #expect(service.patch(path, at: 0, video).status == 204)
        let id = try #require(path.split(separator: "/").last)
        let spec = #"{"source":{"upload":"\#(id)"},"targets":[{"id":"car","box":[1,2,30,40]}]}"#
        let answer = service.send("POST", "/v1/jobs", [("Content-Type", "application/json")], body: Array(spec.utf8))
        #expect(answer.status == 202, "\(answer.text)")
        #expect(try service.store.usage(of: .anonymous).stored == Self.bytes)
        let job = try #require(answer.json?["id"]?.stringValue)
        let again = #"{"source":{"job":"\#(job)"},"targets":[{"id":"car","box":[1,2,30,40]}]}"#
        let files = service.files
        Self.expectRefusal(
            service.send("POST", "/v1/jobs", [("Content-Type", "application/json")], body: Array(again.utf8)))
        #expect(service.files == files)
    }

    @Test("an upload that did not tell its length is stopped when it is as long, and goes on after a deletion")
    func deferredLength() throws {
        let service = try Service()
        try service.store.setQuota(TenantQuota(stored: Self.bytes + 100), of: .anonymous)
        let job = Self.post(service)
        let path = try service.create(nil)
        #expect(service.patch(path, at: 0, [UInt8](repeating: 1, count: 100)).status == 204)
        Self.expectRefusal(service.patch(path, at: 100, [1]))
        Self.expectRefusal(service.patch(path, at: 100, [], [("Upload-Length", "101")]))
        #expect(service.send("DELETE", try #require(job.fields["Location"])).status == 204)
        #expect(service.patch(path, at: 100, [1], [("Upload-Length", "101")]).status == 204)
    }

    @Test(
        "uploads that tell their length late, or never, do not pass it together",
        arguments: ["Upload-Length", "Content-Length", "Transfer-Encoding"])
    func deferredTogether(_ name: String) throws {
        let service = try Service()
        try service.store.setQuota(TenantQuota(stored: 300), of: .anonymous)
        let field = (name, name == "Transfer-Encoding" ? "chunked" : "200")
        let sinks = try (0..<2).map { _ in
            let head = Service.chunk + [("Upload-Offset", "0"), field]
            let request = Service.request("PATCH", try service.create(nil), .init(head))
            guard case .receive(let sink, _, _) = service.api.begin(request) else { throw CancellationError() }
            return sink
        }
        let bytes = [UInt8](repeating: 1, count: 200)
        let refusals = sinks.map { sink in bytes.withUnsafeBytes { sink.receive($0) } }
        #expect(refusals.map { $0?.status } == [nil, 507])
        Self.expectRefusal(Answer(try #require(refusals[1])))
        sinks[1].abort()
        #expect(sinks[0].finish().status == 204)
        #expect(try service.store.usage(of: .anonymous).stored == 200)
        let last = try service.create(nil)
        #expect(service.patch(last, at: 0, bytes.prefix(100)).status == 204, "what was refused counts no more")
        Self.expectRefusal(service.patch(last, at: 100, [1]))
    }

    @Test("a body that does not tell its length may have what is left, and no byte more")
    func chunked() throws {
        let service = try Service(keys: .required) { $0.storedBytesPerTenant = Self.bytes + 100 }
        let key = try service.key(Self.tenant)
        let chunked = ("Transfer-Encoding", "chunked")
        func body(_ more: Int) -> [UInt8] { Sample.video() + [UInt8](repeating: 0, count: more) }
        Self.expectRefusal(Self.post(service, key, chunked, body: body(101)))
        #expect(try service.isEmpty(), "\(service.files)")
        #expect(Self.post(service, key, chunked, body: body(100)).status == 202)
        Self.expectRefusal(Self.post(service, key, chunked))
    }

    @Test("other forms of a result count, and are sent all the same where they cannot be kept")
    func exports() throws {
        let service = try Service()
        let ids = try (0..<2).map { _ in
            let id = try service.submit()
            try service.finish(id, lines: (0..<5).map { Lines.frame($0) })
            return id
        }
        func csv(_ id: JobID) -> Answer { service.send("GET", "/v1/jobs/\(id)/results?format=csv") }
        let before = try service.store.usage(of: .anonymous).stored
        let kept = csv(ids[0])
        #expect(kept.status == 200)
        let after = try service.store.usage(of: .anonymous).stored
        #expect(after == before + Int64(kept.body.count))
        #expect(csv(ids[0]).status == 200)
        #expect(try service.store.usage(of: .anonymous).stored == after, "it is kept already")
        try service.store.setQuota(TenantQuota(stored: after), of: .anonymous)
        let files = service.files
        #expect(csv(ids[1]).status == 200)
        #expect(service.files == files)
        #expect(try service.store.usage(of: .anonymous).stored == after)
    }
}
