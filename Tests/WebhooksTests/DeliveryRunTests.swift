import Foundation
import Jobs
import JobStoreContract
import ServiceHarness
import Testing

@testable import Webhooks

@Suite("An attempt to deliver a webhook")
struct DeliveryRunTests {
    let clock = ManualEnvironment()

    private func run(
        _ transport: ScriptedTransport, names: any NameResolver = ListedNames(["93.184.216.34"]),
        url: String = "https://a.example/hook", secret: WebhookSecret? = Sample.secret, attempt: Int = 1,
        age: Double = 0, configure: (inout WebhookConfiguration) -> Void = { _ in }
    ) throws -> DeliveryRun.Result {
        var configuration = WebhookConfiguration()
        configure(&configuration)
        let run = DeliveryRun(
            transport: transport, resolver: names, configuration: configuration, environment: clock)
        let delivery = Sample.delivery(
            try WebhookURL(url), attempt: attempt, secret: secret, ids: JobIDGenerator(environment: clock),
            now: clock.now().addingTimeInterval(-age))
        return run.run(delivery) { false }
    }

    /// What was written down of the attempt, and the seconds to the next: 0 is delivered, -1 given up.
    private func outcome(_ result: DeliveryRun.Result) throws -> (attempt: DeliveryAttempt, wait: Double) {
        guard case .done(let attempt, let state) = result else {
            throw NameResolverError("there was no attempt")
        }
        switch state {
        case .delivered: return (attempt, 0)
        case .failed: return (attempt, -1)
        case .pending(let due): return (attempt, due.timeIntervalSince(clock.now()))
        }
    }

    @Test("goes to the addresses of the name, signed, with the body as it is stored")
    func request() throws {
        let transport = ScriptedTransport(.status(204, retryAfter: nil))
        let names = ListedNames(["93.184.216.34", "2606:4700::1111"])
        let (attempt, wait) = try outcome(try run(transport, names: names, attempt: 3))
        #expect(wait == 0)
        #expect(attempt == DeliveryAttempt(number: 3, startedAt: clock.now(), milliseconds: 0, status: 204))
        let sent = try #require(transport.sent.first)
        #expect(sent.addresses.map(\.description) == ["93.184.216.34", "2606:4700::1111"])
        #expect(sent.request.body == Array(#"{"type":"job.succeeded"}"#.utf8))
        #expect(sent.request.fields.map(\.name) == ["webhook-id", "webhook-timestamp", "webhook-signature"])
        #expect(sent.request.fields[1].value == "1750000000")
        #expect(names.lookups == 1)
    }

    @Test("is a success for every 2xx", arguments: [200, 201, 202, 204, 299])
    func success(_ status: Int) throws {
        #expect(try outcome(try run(ScriptedTransport(.status(status, retryAfter: nil)))).wait == 0)
    }

    @Test(
        "is repeated later after a failure that may pass",
        arguments: [
            .status(500, retryAfter: nil), .status(502, retryAfter: nil), .status(503, retryAfter: nil),
            .status(599, retryAfter: nil), .status(429, retryAfter: nil), .status(408, retryAfter: nil),
            .unreachable("refused"),
        ] as [WebhookAnswer])
    func passingFailure(_ answer: WebhookAnswer) throws {
        let (attempt, wait) = try outcome(try run(ScriptedTransport(answer)))
        #expect((2.5...5).contains(wait))
        #expect(attempt.error != nil)
        if case .status(let status, _) = answer { #expect(attempt.status == status) }
    }

    @Test("keeps to Retry-After, for 429 and for 503")
    func retryAfter() throws {
        for status in [429, 503] {
            #expect(try outcome(try run(ScriptedTransport(.status(status, retryAfter: 77)))).wait == 77)
        }
    }

    @Test(
        "is not repeated after an answer that will not change, redirects among them",
        arguments: [400, 401, 403, 404, 405, 410, 413, 422, 300, 301, 302, 303, 307, 308])
    func finalFailure(_ status: Int) throws {
        let transport = ScriptedTransport(.status(status, retryAfter: 10))
        let (attempt, wait) = try outcome(try run(transport))
        #expect(wait == -1)
        #expect(attempt.status == status && attempt.error?.contains("\(status)") == true)
        #expect(transport.sent.count == 1)
    }

    @Test("is the last one a day after the job's end")
    func end() throws {
        let answer = WebhookAnswer.status(500, retryAfter: nil)
        #expect(try outcome(try run(ScriptedTransport(answer), attempt: 30, age: 86_399)).wait == 1)
        let (attempt, wait) = try outcome(try run(ScriptedTransport(answer), attempt: 31, age: 86_400))
        #expect(wait == -1 && attempt.status == 500)
    }

    @Test("sends nothing where the name leads to an address that is refused, also beside a public one")
    func refused() throws {
        for addresses in [["127.0.0.1"], ["93.184.216.34", "10.0.0.1"], ["2606:4700::1111", "::1"]] {
            let transport = ScriptedTransport(.status(200, retryAfter: nil))
            let names = ListedNames(addresses)
            let (attempt, wait) = try outcome(try run(transport, names: names))
            #expect(wait == -1 && transport.sent.isEmpty && attempt.status == nil)
            // The owner of the job learns what kind of address it is, not which.
            #expect(attempt.error?.contains(addresses.last ?? "") == false)
        }
    }

    @Test("sends nothing to an address in the URL that is refused, whatever a resolver would make of it")
    func refusedLiteral() throws {
        let transport = ScriptedTransport(.status(200, retryAfter: nil))
        let names = ListedNames(["93.184.216.34"])
        #expect(try outcome(try run(transport, names: names, url: "https://[::ffff:10.0.0.1]/")).wait == -1)
        #expect(transport.sent.isEmpty && names.lookups == 0)
    }

    @Test("is repeated where the name cannot be resolved now")
    func unresolved() throws {
        let transport = ScriptedTransport(.status(200, retryAfter: nil))
        let (attempt, wait) = try outcome(try run(transport, names: ListedNames()))
        #expect(wait > 0 && transport.sent.isEmpty)
        #expect(attempt.error == "the name a.example cannot be resolved: not found")
    }

    @Test("is made over http only where that is allowed")
    func http() throws {
        let transport = ScriptedTransport(.status(200, retryAfter: nil))
        #expect(try outcome(try run(transport, url: "http://a.example/")).wait == -1)
        #expect(transport.sent.isEmpty)
        #expect(try outcome(try run(transport, url: "http://a.example/") { $0.allowsHTTP = true }).wait == 0)
    }

    @Test("is signed with the service's secret where the job has none, and waits where there is none at all")
    func secrets() throws {
        let transport = ScriptedTransport(.status(200, retryAfter: nil))
        let none = try outcome(try run(transport, secret: nil))
        #expect(none.wait > 0 && none.attempt.error != nil && transport.sent.isEmpty)
        #expect(try outcome(try run(transport, secret: nil) { $0.secret = Sample.secret }).wait == 0)
        #expect(try outcome(try run(transport) { $0.secret = nil }).wait == 0)
    }

    @Test("does not count where it was interrupted")
    func interrupted() throws {
        #expect(try run(ScriptedTransport(.interrupted)) == .interrupted)
    }
}
