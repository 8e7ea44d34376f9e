import Foundation
import Jobs
import Testing

@Suite("Asking to be called back")
struct DeliveryTests {
    private static let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

    private func post(_ service: Service, _ webhook: String) -> Answer {
        let spec = #"{"targets": [{"box": [70, 51, 107, 87]}], "webhook": \#(webhook)}"#
        return service.post(Form().spec(spec).file("video", Sample.video()))
    }

    @Test("a webhook is kept with the job, whose secret is shown nowhere")
    func accepted() throws {
        let service = try Service()
        let answer = post(service, #"{"url": "https://a.example/hook", "secret": "\#(Self.secret)"}"#)
        #expect(answer.status == 202, "\(answer.text)")
        let job = try service.kept(answer)
        #expect(job.spec.webhook?.secret?.text == Self.secret)
        let events: JSONValue = ["job.succeeded", "job.failed", "job.canceled"]
        #expect(answer.json?["spec"]?["webhook"] == ["url": "https://a.example/hook", "events": events])
        try service.finish(job.id, lines: [Lines.frame(0)])
        for path in ["", "/results", "/deliveries"] {
            let answer = service.send("GET", "/v1/jobs/\(job.id)\(path)")
            #expect(answer.status == 200)
            #expect(!answer.text.contains("whsec_"))
        }
        #expect(!service.send("GET", "/v1/jobs").text.contains("whsec_"))
    }

    @Test("what is wrong with a webhook is told by its place, and nothing is kept")
    func refused() throws {
        for (webhook, pointers) in [
            (#"{"url": "http://a.example", "secret": "\#(Self.secret)"}"#, ["#/webhook/url"]),
            (#"{"url": "https://127.0.0.1/x", "secret": "\#(Self.secret)"}"#, ["#/webhook/url"]),
            (#"{"url": "https://u:p@a.example", "secret": "\#(Self.secret)"}"#, ["#/webhook/url"]),
            (#"{"url": "https://a.example#x", "secret": "\#(Self.secret)"}"#, ["#/webhook/url"]),
            (#"{"url": "https://a.example", "secret": "short"}"#, ["#/webhook/secret"]),
            (#"{"url": "https://a.example"}"#, ["#/webhook/secret"]),
            (#"{"url": "https://a.example", "events": ["job.done"]}"#, ["#/webhook/events/0"]),
        ] {
            let service = try Service()
            let answer = post(service, webhook)
            #expect(answer.status == 422, "\(webhook)")
            #expect(answer.json?["errors"]?.arrayValue?.compactMap { $0["pointer"]?.stringValue } == pointers)
            #expect(try service.isEmpty())
        }
    }

    @Test("what the operator allows is taken: a secret of the service's, http, private addresses")
    func allowed() throws {
        let service = try Service {
            $0.webhooks = WebhookPolicy(
                allowsHTTP: true, addresses: AddressPolicy(allowsPrivate: true), hasSecret: true)
        }
        #expect(post(service, #"{"url": "http://127.0.0.1:9/x"}"#).status == 202)
        let metadata = post(service, #"{"url": "http://169.254.169.254/latest"}"#)
        #expect(metadata.status == 422)
        #expect(metadata.text.contains("link-local"))
    }

    @Test("the attempts of a delivery are shown, with what came of them and when the next is")
    func deliveries() throws {
        let service = try Service()
        let id = try service.kept(post(service, #"{"url": "https://a.example/x", "secret": "\#(Self.secret)"}"#)).id
        let path = "/v1/jobs/\(id)/deliveries"
        #expect(service.send("GET", "/v1/jobs/\(id)").json?["links"]?["deliveries"]?.stringValue == path)
        #expect(service.send("GET", path).json == ["deliveries": []])
        _ = service.send("POST", "/v1/jobs/\(id)/cancel")
        let made = try #require(service.send("GET", path).json?["deliveries"]?.arrayValue?.first)
        #expect(made["event"] == "job.canceled" && made["state"] == "pending" && made["attempts"] == [])
        #expect(made["next_attempt_at"] == made["created_at"] && made["finished_at"] == .null)

        let claim = try #require(try service.store.claimDelivery(leaseSeconds: 60, exceptHosts: []))
        #expect(made["id"]?.stringValue == claim.message.id.description)
        let time = Date(timeIntervalSince1970: 1_750_000_000)
        let first = DeliveryAttempt(
            number: 1, startedAt: time, milliseconds: 31, status: 500, error: "the receiver answered 500")
        let due = service.environment.now().addingTimeInterval(-1)
        #expect(try service.store.record(first, then: .pending(due: due), lease: claim.lease))
        let again = try #require(try service.store.claimDelivery(leaseSeconds: 60, exceptHosts: []))
        let second = DeliveryAttempt(number: 2, startedAt: time.addingTimeInterval(5), milliseconds: 7, status: 204)
        #expect(try service.store.record(second, then: .delivered(time.addingTimeInterval(6)), lease: again.lease))

        let shown = try #require(service.send("GET", path).json?["deliveries"]?.arrayValue?.first)
        #expect(shown["state"] == "delivered" && shown["next_attempt_at"] == .null)
        #expect(shown["finished_at"] == "2025-06-15T15:06:46.000Z")
        let attempts: JSONValue = [
            [
                "number": 1, "started_at": "2025-06-15T15:06:40.000Z", "duration_ms": 31, "status": 500,
                "error": "the receiver answered 500",
            ],
            ["number": 2, "started_at": "2025-06-15T15:06:45.000Z", "duration_ms": 7, "status": 204, "error": nil],
        ]
        #expect(shown["attempts"] == attempts)
    }

    @Test("deliveries of a job that is not there, or somebody else's, are not there either")
    func noJob() throws {
        let service = try Service()
        let other = try service.submit(tenant: TenantID("other"))
        for id in ["\(other)", "\(service.ids.next())", "x"] {
            #expect(service.send("GET", "/v1/jobs/\(id)/deliveries").status == 404)
        }
    }
}
