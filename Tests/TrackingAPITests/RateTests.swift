import Foundation
import HTTPServer
import JobStoreContract
import Jobs
import Testing

@testable import TrackingAPI

@Suite("Rates and quotas")
struct RateTests {
    private static let tenant = TenantID("acme")

    @Test("a bucket lets a burst through, then as much as comes in, and each answer says what is left")
    func bucket() throws {
        let clock = ManualEnvironment()
        let service = try Service(environment: clock, keys: .required)
        let key = try service.key(Self.tenant, rate: RequestRate(perSecond: 2, burst: 5))
        for left in [4, 3, 2, 1, 0] {
            let answer = service.send("GET", "/v1/jobs", [key])
            #expect(answer.status == 200)
            #expect(answer.fields["RateLimit-Policy"] == "\"requests\";q=5;w=3")
            #expect(answer.fields["RateLimit"] == "\"requests\";r=\(left);t=\((5 - left + 1) / 2)")
            #expect(answer.fields["Retry-After"] == nil)
        }
        let refused = service.send("GET", "/v1/jobs", [key])
        expectProblem(refused, 429, saying: "Try again in 1 s")
        #expect(refused.json?["type"] == "urn:lktrack:problem:rate-limited")
        #expect(refused.json?["violated-policies"] == ["requests"])
        #expect(refused.fields["Retry-After"] == "1")
        #expect(refused.fields["RateLimit"] == "\"requests\";r=0;t=3")
        #expect(refused.fields["RateLimit-Policy"] == "\"requests\";q=5;w=3")
        clock.advance(0.5)
        #expect(service.send("GET", "/v1/jobs", [key]).status == 200)
        expectProblem(service.send("GET", "/v1/jobs", [key]), 429)
        clock.advance(1_000)
        #expect(service.send("GET", "/v1/jobs", [key]).fields["RateLimit"] == "\"requests\";r=4;t=1")
    }

    @Test("errors and accepted bodies say what is left too, and a refused body is not read")
    func everyAnswer() throws {
        let service = try Service(environment: ManualEnvironment(), keys: .required)
        let key = try service.key(Self.tenant, rate: RequestRate(perSecond: 1, burst: 5))
        #expect(service.send("GET", "/v1/jobs/x", [key]).fields["RateLimit"]?.contains("r=4") == true)
        #expect(service.send("PUT", "/v1/jobs", [key]).fields["RateLimit"]?.contains("r=3") == true)
        #expect(service.send("GET", "/v1/jobs?x=1", [key]).fields["RateLimit"]?.contains("r=2") == true)
        let posted = service.send(
            "POST", "/v1/jobs?roi=1,2,30,40", [key, ("Content-Type", "video/mp4")], body: Sample.video())
        #expect(posted.status == 202)
        #expect(posted.fields["RateLimit"]?.contains("r=1") == true)
        let wrong = service.send(
            "POST", "/v1/jobs?roi=1,2,30,40", [key, ("Content-Type", "video/mp4")], body: Sample.text)
        expectProblem(wrong, 415)
        #expect(wrong.fields["RateLimit"]?.contains("r=0") == true)
        let request = Service.request(
            "POST", "/v1/jobs", .init([key, ("Content-Type", Form.contentType), ("Content-Length", "9")]))
        guard case .respond(let response) = service.api.begin(request) else {
            Issue.record("the body is taken")
            return
        }
        expectProblem(Answer(response), 429)
    }

    @Test(
        "a refusal tells the rate in a unit that people count in",
        arguments: [
            (10, 1, "10 a second"), (1, 1, "1 a second"), (5, 2, "2.5 a second"), (1, 2, "30 a minute"),
            (1, 30, "2 a minute"), (1, 60, "1 a minute"), (1, 90, "40 an hour"), (1, 86400, "1 a day"),
            (1_000_000_000, 1, "1000000000 a second"),
        ] as [(Int, Int, String)])
    func wording(count: Int, seconds: Int, text: String) {
        let rate = RequestRate(perSecond: Double(count) / Double(seconds), burst: 3)
        let verdict = RateVerdict(isAllowed: false, tokens: 0, rate: rate)
        #expect(verdict.problem.detail.contains("3 may come at once, then \(text). Try again in "))
    }

    @Test("each key has its own bucket, and one without a rate has the configuration's")
    func buckets() throws {
        let service = try Service(environment: ManualEnvironment(), keys: .required) {
            $0.requestRate = RequestRate(perSecond: 0.5, burst: 1)
        }
        let slow = try service.key(Self.tenant, id: "k1", rate: RequestRate(perSecond: 1, burst: 2))
        let usual = try service.key(Self.tenant, id: "k2")
        #expect([1, 2, 3].map { _ in service.send("GET", "/v1/jobs", [slow]).status } == [200, 200, 429])
        #expect([1, 2].map { _ in service.send("GET", "/v1/jobs", [usual]).status } == [200, 429])
        #expect(service.send("GET", "/v1/jobs", [usual]).fields["Retry-After"] == "2")
        #expect(service.send("GET", "/healthz").status == 200)
    }

    @Test("without keys the configuration's rate holds for everybody together; without a rate nothing is said of one")
    func anonymous() throws {
        let limited = try Service(environment: ManualEnvironment()) {
            $0.requestRate = RequestRate(perSecond: 1, burst: 2)
        }
        #expect([1, 2, 3].map { _ in limited.send("GET", "/v1/jobs").status } == [200, 200, 429])
        #expect(limited.send("GET", "/").fields["RateLimit"] == nil)
        let free = try Service().send("GET", "/v1/jobs")
        #expect(free.fields["RateLimit"] == nil && free.fields["RateLimit-Policy"] == nil)
    }

    @Test("a clock that is set back takes nothing away and gives nothing")
    func clockSetBack() {
        let clock = ManualEnvironment()
        let limiter = RateLimiter()
        let rate = RequestRate(perSecond: 1, burst: 2)
        #expect(limiter.take(from: "a", rate, at: clock.now()).isAllowed)
        #expect(limiter.take(from: "a", rate, at: clock.now().addingTimeInterval(-1_000)).isAllowed)
        #expect(!limiter.take(from: "a", rate, at: clock.now().addingTimeInterval(-1_000)).isAllowed)
    }

    @Test("a tenant's quota of queued jobs is a 429 of its own, before the upload, and leaves others alone")
    func queueQuota() throws {
        let service = try Service(keys: .required)
        let key = try service.key(Self.tenant, id: "k1")
        let other = try service.key(TenantID("other"), id: "k2")
        try service.store.setQuota(TenantQuota(queued: 2), of: Self.tenant)
        func post(_ key: (name: String, value: String), pieces: Int = .max) -> Answer {
            service.send(
                "POST", "/v1/jobs?roi=1,2,30,40", [key, ("Content-Type", "video/mp4")], body: Sample.video(),
                pieces: [pieces])
        }
        for _ in 1...2 { #expect(post(key).status == 202) }
        let files = service.files
        let refused = post(key, pieces: 16)
        expectProblem(refused, 429, saying: "(2)")
        #expect(refused.json?["type"] == "urn:lktrack:problem:queue-quota-exceeded")
        #expect(refused.fields["Retry-After"] == "10")
        #expect(refused.fields["RateLimit-Policy"] == "\"queued-jobs\";q=2")
        #expect(refused.fields["RateLimit"] == "\"queued-jobs\";r=0")
        #expect(refused.json?["violated-policies"] == ["queued-jobs"])
        #expect(service.files == files)
        #expect(post(other).status == 202)
        _ = try service.store.claim(owner: "worker", leaseSeconds: 30)
        _ = try service.store.claim(owner: "worker", leaseSeconds: 30)
        #expect(post(key).status == 202)
    }

    @Test("a refusal for a quota says what is left of the bucket as well")
    func quotaAndRate() throws {
        let service = try Service(environment: ManualEnvironment(), keys: .required)
        let key = try service.key(Self.tenant, rate: RequestRate(perSecond: 1, burst: 5))
        try service.store.setQuota(TenantQuota(queued: 1), of: Self.tenant)
        #expect(Self.post(service, key).fields["RateLimit"] == "\"requests\";r=4;t=1")
        let refused = Self.post(service, key)
        expectProblem(refused, 429)
        #expect(refused.fields["RateLimit-Policy"] == "\"requests\";q=5;w=5, \"queued-jobs\";q=1")
        #expect(refused.fields["RateLimit"] == "\"requests\";r=3;t=2, \"queued-jobs\";r=0")
    }

    private static func post(_ service: Service, _ fields: (name: String, value: String)...) -> Answer {
        service.send(
            "POST", "/v1/jobs?roi=1,2,30,40", fields + [("Content-Type", "video/mp4")], body: Sample.video())
    }

    @Test("a tenant without a quota that floods the queue is 429, and leaves the others their part of it")
    func flood() throws {
        let service = try Service(keys: .required) {
            $0.queuedJobs = 6
            $0.queuedJobsPerTenant = 3
        }
        let key = try service.key(Self.tenant, id: "k1")
        let other = try service.key(TenantID("other"), id: "k2")
        let answers = (1...9).map { _ in Self.post(service, key) }
        #expect(answers.map(\.status) == [202, 202, 202] + [Int](repeating: 429, count: 6))
        expectProblem(answers[8], 429, saying: "(3)")
        #expect(answers[8].json?["type"] == "urn:lktrack:problem:queue-quota-exceeded")
        #expect(answers[8].fields["Retry-After"] == "10")
        for _ in 1...3 { #expect(Self.post(service, other).status == 202) }
        // The queue is full now; who has too much in it is told of that first.
        #expect(Self.post(service, key).status == 429)
        #expect(Self.post(service, try service.key(TenantID("third"), id: "k3")).status == 503)
    }

    @Test("bodies that are held and end together do not pass the queue's limits; what is refused leaves nothing behind")
    func heldBodies() throws {
        let service = try Service(keys: .required) {
            $0.queuedJobs = 3
            $0.queuedJobsPerTenant = 2
        }
        let keys = [try service.key(Self.tenant, id: "k1"), try service.key(TenantID("other"), id: "k2")]
        // All are let in while nothing waits.
        let sinks = try [keys[0], keys[0], keys[0], keys[1], keys[1]].map { key -> any HTTPBodySink in
            let sink = try service.sink(
                "POST", "/v1/jobs?roi=1,2,30,40", [key, ("Content-Type", "video/mp4")], count: Sample.video().count)
            #expect(sink.take(Sample.video()) == nil)
            return sink
        }
        let answers = sinks.map { Answer($0.finish()) }
        #expect(answers.map(\.status) == [202, 202, 429, 202, 503])
        #expect(answers[2].json?["type"] == "urn:lktrack:problem:queue-quota-exceeded")
        #expect(answers[2].fields["RateLimit-Policy"] == "\"queued-jobs\";q=2")
        #expect(answers[4].json?["type"] == "urn:lktrack:problem:queue-full")
        #expect(answers[4].fields["Retry-After"] == "10")
        #expect(try service.blobs.children(of: "jobs").count == 3)
    }

    @Test("a quota of a tenant's own counts in place of the configuration's, in both directions")
    func ownQuota() throws {
        let service = try Service(keys: .required) { $0.queuedJobsPerTenant = 2 }
        let key = try service.key(Self.tenant, id: "k1")
        for (quota, statuses) in [(1, [202, 429]), (3, [202, 202, 429])] {
            try service.store.setQuota(TenantQuota(queued: quota), of: Self.tenant)
            #expect(statuses.map { _ in Self.post(service, key).status } == statuses)
        }
    }

    @Test("without keys, and with a limit of 0, a tenant has the whole queue")
    func wholeQueue() throws {
        let anonymous = try Service { $0.queuedJobsPerTenant = 1 }
        for _ in 1...3 { #expect(Self.post(anonymous).status == 202) }
        let free = try Service(keys: .required) { $0.queuedJobsPerTenant = nil }
        let key = try free.key(Self.tenant, id: "k1")
        for _ in 1...3 { #expect(Self.post(free, key).status == 202) }
    }
}
