import Foundation
import Jobs
import JobStoreContract
import Synchronization
import ServiceHarness
import Testing

@testable import Webhooks

@Suite("The way a webhook takes")
struct CurlTransportTests {
    private func configuration(_ configure: (inout WebhookConfiguration) -> Void = { _ in }) -> WebhookConfiguration {
        var configuration = WebhookConfiguration()
        configuration.allowsHTTP = true
        configuration.version = "1.2.3"
        configure(&configuration)
        return configuration
    }

    private func send(
        _ url: WebhookURL, to addresses: [String] = ["127.0.0.1"], body: String = "{}",
        configuration: WebhookConfiguration? = nil, isInterrupted: @escaping @Sendable () -> Bool = { false }
    ) -> WebhookAnswer {
        let request = WebhookRequest(url: url, fields: [("webhook-id", "7")], body: Array(body.utf8))
        return CurlTransport(configuration ?? self.configuration()).send(
            request, to: addresses.compactMap { IPAddress($0) }, isInterrupted: isInterrupted)
    }

    @Test("is one POST with its fields and its body")
    func request() throws {
        let listener = try Listener(answer: "HTTP/1.1 204 No Content\r\n\r\n")
        let body = String(repeating: "é", count: 3000)
        #expect(send(try listener.url(path: "/a?b=c"), body: body) == .status(204, retryAfter: nil))
        let received = try #require(listener.received.first)
        #expect(received.hasPrefix("POST /a?b=c HTTP/1.1\r\nHost: 127.0.0.1:\(listener.port)\r\n"))
        #expect(received.contains("\r\nUser-Agent: lktrack/1.2.3\r\n"))
        #expect(received.contains("\r\nContent-Type: application/json\r\n"))
        #expect(received.contains("\r\nwebhook-id: 7\r\n"))
        #expect(received.contains("\r\nContent-Length: 6000\r\n"))
        #expect(!received.contains("Expect:"))
        #expect(received.hasSuffix("\r\n\r\n" + body))
    }

    @Test("does not follow a redirect")
    func redirect() throws {
        let target = try Listener(answer: "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        for status in [301, 302, 303, 307, 308] {
            let place = try target.url().text
            let listener = try Listener(
                answer: "HTTP/1.1 \(status) Elsewhere\r\nLocation: \(place)\r\nContent-Length: 0\r\n\r\n")
            #expect(send(try listener.url()) == .status(status, retryAfter: nil))
        }
        #expect(target.connections == 0)
    }

    @Test("brings back Retry-After, in seconds")
    func retryAfter() throws {
        let listener = try Listener(answer: "HTTP/1.1 429 Slow\r\nRetry-After: 120\r\nContent-Length: 0\r\n\r\n")
        #expect(send(try listener.url()) == .status(429, retryAfter: 120))
    }

    @Test("ends at an answer's head, however long its body or its head")
    func longAnswers() throws {
        let long = String(repeating: "x", count: 1 << 20)
        let body = try Listener(answer: "HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n" + long)
        #expect(send(try body.url()) == .status(200, retryAfter: nil))
        let head = String(repeating: "a: \(String(repeating: "x", count: 1000))\r\n", count: 1000)
        let fields = try Listener(answer: "HTTP/1.1 200 OK\r\n" + head + "\r\n")
        guard case .unreachable = send(try fields.url()) else {
            Issue.record("a head of a megabyte is taken")
            return
        }
    }

    @Test("is given up where there is no answer in time, or none in HTTP/1")
    func noAnswer() throws {
        let silent = try Listener(answer: "")
        let hasty = configuration { $0.totalSeconds = 0.2 }
        guard case .unreachable(let late) = send(try silent.url(), configuration: hasty) else {
            Issue.record("there is an answer")
            return
        }
        #expect(late.contains("timed out"))
        for text in ["220 mail.example ESMTP\r\n", "HTTP/1.1 100 Continue\r\n\r\n", "HTTP/0.9"] {
            let other = try Listener(answer: text)
            guard case .unreachable = send(try other.url()) else {
                Issue.record("\(text) is taken for an answer")
                return
            }
        }
    }

    @Test("ends when the service does")
    func interruption() throws {
        let silent = try Listener(answer: "")
        let start = ContinuousClock.now
        #expect(send(try silent.url()) { silent.received.count == 1 } == .interrupted)
        #expect(ContinuousClock.now - start < .seconds(5))
    }

    @Test("speaks no http where only https is allowed")
    func protocols() throws {
        let listener = try Listener(answer: "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        guard case .unreachable(let error) = send(try listener.url(), configuration: WebhookConfiguration()) else {
            Issue.record("there is an answer")
            return
        }
        #expect(error.contains("http"))
        #expect(listener.connections == 0)
    }

    // MARK: Where it leads

    @Test("a name goes to the addresses that were checked, whatever it stands for elsewhere")
    func pinning() throws {
        let listener = try Listener(answer: "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        #expect(send(try listener.url("nowhere.example")) == .status(200, retryAfter: nil))
        #expect(listener.received.first?.contains("\r\nHost: nowhere.example:\(listener.port)\r\n") == true)
    }

    @Test("a socket is opened to no address but these, even where libcurl finds another")
    func secondLook() throws {
        let listener = try Listener(answer: "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        let answer = send(try listener.url(), to: ["93.184.216.34", "::1"])
        #expect(answer == .unreachable("the connection would have gone to an address that was not checked"))
        #expect(listener.connections == 0)
    }

    @Test("a name that is bound anew between two looks is looked at once, and only what was checked is reached")
    func rebinding() throws {
        let clock = ManualEnvironment()
        let ids = JobIDGenerator(environment: clock)
        // 127.0.0.1 stands for the public address here, 127.0.0.2 for the one inside.
        let outside = try Listener("127.0.0.1", answer: "HTTP/1.1 500 Later\r\nContent-Length: 0\r\n\r\n")
        let inside = try Listener(
            "127.0.0.2", port: outside.port, answer: "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        let names = ListedNames(["127.0.0.1"], ["127.0.0.2"])
        let run = DeliveryRun(
            transport: CurlTransport(configuration()), resolver: names, configuration: configuration(),
            environment: clock, refusal: { $0.description == "127.0.0.1" ? nil : "private" })
        let delivery = Sample.delivery(try outside.url("rebind.example"), ids: ids, now: clock.now())
        guard case .done(let first, .pending) = run.run(delivery, isInterrupted: { false }) else {
            Issue.record("the first attempt is not to be repeated")
            return
        }
        #expect(first.status == 500 && names.lookups == 1)
        guard case .done(let second, .failed) = run.run(delivery, isInterrupted: { false }) else {
            Issue.record("the second attempt is not refused")
            return
        }
        #expect(second.status == nil && names.lookups == 2)
        #expect(outside.connections == 1)
        #expect(inside.connections == 0)
    }

    @Test("no class of refused addresses is ever connected to, in a URL or behind a name")
    func refusedAddresses() throws {
        let clock = ManualEnvironment()
        let ids = JobIDGenerator(environment: clock)
        // Every address of this machine at this port.
        let listener = try Listener("0.0.0.0", answer: "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        let addresses = [
            "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.0.1", "100.64.0.1",
            "169.254.169.254", "192.0.2.1", "198.18.0.1", "224.0.0.1", "255.255.255.255", "::1", "::",
            "::ffff:127.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::1", "2001::1", "fd00::1", "fe80::1",
            "ff02::1",
        ]
        for text in addresses {
            let literal = text.contains(":") ? "[\(text)]" : text
            for (host, names) in [(literal, ListedNames()), ("inside.example", ListedNames([text]))] {
                let run = DeliveryRun(
                    transport: CurlTransport(configuration()), resolver: names, configuration: configuration(),
                    environment: clock)
                let delivery = Sample.delivery(try listener.url(host), ids: ids, now: clock.now())
                guard case .done(let attempt, .failed) = run.run(delivery, isInterrupted: { false }) else {
                    Issue.record("\(host) is tried")
                    continue
                }
                #expect(attempt.error?.contains("must not go to") == true)
            }
        }
        #expect(listener.connections == 0)
        // The listener would have seen it.
        #expect(send(try listener.url("127.0.0.1")) == .status(200, retryAfter: nil))
        #expect(listener.connections == 1)
    }

    @Test("the system's resolver finds localhost, and says of a name that is not there that it is not")
    func systemResolver() throws {
        let found = try SystemNameResolver().addresses(of: "localhost")
        #expect(!found.isEmpty)
        #expect(found.allSatisfy { AddressPolicy().refusal(of: $0) == "loopback" })
        let error = try #require(throws: NameResolverError.self) {
            try SystemNameResolver().addresses(of: "nowhere.invalid")
        }
        #expect(error.message.hasPrefix("the name nowhere.invalid cannot be resolved"))
    }
}
