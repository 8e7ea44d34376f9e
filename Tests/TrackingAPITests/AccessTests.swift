import Foundation
import HTTPServer
import JobStoreContract
import Jobs
import Logging
import Synchronization
import Testing

@testable import TrackingAPI

@Suite("Keys")
struct AccessTests {
    private static let tenant = TenantID("acme")

    @Test("with a key every route of /v1 needs one, and the service's own pages do not")
    func everyRoute() throws {
        let service = try Service(keys: .required)
        _ = try service.key(Self.tenant)
        #expect(service.routes.contains { $0.pattern == "/v1/jobs/{id}" })
        for (method, pattern) in service.routes {
            let path = pattern.replacing("{", with: "").replacing("}", with: "")
            let answer = service.send(method, path, Service.tus, body: method == "GET" ? nil : [1])
            if pattern.hasPrefix("/v1/") {
                expectProblem(answer, 401)
                #expect(answer.fields["WWW-Authenticate"] == "Bearer realm=\"lktrack\"", "\(method) \(pattern)")
                #expect(answer.route == pattern)
            } else {
                // Open, but what a made-up name stands for is not there.
                #expect(answer.status == (pattern.contains("{") ? 404 : 200), "\(method) \(pattern)")
            }
        }
    }

    @Test("a key opens the routes and shows its tenant's jobs")
    func goodKey() throws {
        let service = try Service(keys: .required)
        let key = try service.key(Self.tenant)
        let own = try service.submit(tenant: Self.tenant)
        _ = try service.submit()
        let answer = service.send("GET", "/v1/jobs", [key])
        #expect(answer.status == 200, "\(answer.text)")
        #expect(answer.json?["jobs"]?.arrayValue?.compactMap { $0["id"]?.stringValue } == [own.description])
        let bare = key.value.dropFirst("Bearer ".count)
        for value in ["bearer \(bare)", "BEARER  \(bare)"] {
            #expect(service.send("GET", "/v1/jobs/\(own)", [("Authorization", value)]).status == 200, "\(value)")
        }
        let created = service.send(
            "POST", "/v1/jobs?roi=1,2,30,40", [key, ("Content-Type", "video/mp4")], body: Sample.video())
        #expect(created.status == 202, "\(created.text)")
        #expect(try service.store.job(try #require(created.jobID), tenant: Self.tenant) != nil)
    }

    @Test("whatever is no key that is known is 401, with the challenge of RFC 6750, and says no more than that")
    func badKeys() throws {
        let service = try Service(keys: .required)
        let key = try service.key(Self.tenant).value
        let swapped = String(key.dropLast()) + (key.hasSuffix("A") ? "B" : "A")
        let malformed = [
            "Bearer lkt_", "Bearer abc", key + "A", String(key.dropLast()), key + " x", key + "\"", "Bearer ü",
        ]
        for value in [swapped] + malformed {
            let answer = service.send("GET", "/v1/jobs", [("Authorization", value)])
            expectProblem(answer, 401)
            #expect(
                answer.fields["WWW-Authenticate"] == "Bearer realm=\"lktrack\", error=\"invalid_token\"", "\(value)")
            #expect(!answer.text.contains("lkt_\(value.suffix(8))"))
        }
        for value in ["", "Bearer", "Basic YTpi", "lkt_\(key.suffix(43))"] {
            let answer = service.send("GET", "/v1/jobs", [("Authorization", value)])
            expectProblem(answer, 401)
            #expect(answer.fields["WWW-Authenticate"] == "Bearer realm=\"lktrack\"", "\(value)")
        }
        expectProblem(service.send("GET", "/v1/jobs", [("Authorization", key), ("Authorization", key)]), 401)
    }

    @Test("a body that comes without a key is not read")
    func bodyUnread() throws {
        let service = try Service(keys: .required)
        let request = Service.request(
            "POST", "/v1/jobs?roi=1,2,30,40", HTTPFields([("Content-Type", "video/mp4"), ("Content-Length", "9")]))
        guard case .respond(let response) = service.api.begin(request) else {
            Issue.record("the body is taken")
            return
        }
        expectProblem(Answer(response), 401)
    }

    @Test("a revoked key opens nothing, from the next look at the store on; other keys do")
    func revocation() throws {
        let service = try Service(keys: .required)
        let first = try service.key(Self.tenant, id: "k1")
        let second = try service.key(Self.tenant, id: "k2")
        #expect(try service.store.revokeKey("k1") != nil)
        #expect(service.send("GET", "/v1/jobs", [first]).status == 200)
        service.ring?.refresh()
        expectProblem(service.send("GET", "/v1/jobs", [first]), 401)
        #expect(service.send("GET", "/v1/jobs", [second]).status == 200)
    }

    @Test("what a revoked key has open ends with it, also what it was let in for just before; other keys' goes on")
    func openStreams() throws {
        let service = try Service(keys: .required)
        let first = try service.key(Self.tenant, id: "k1")
        let second = try service.key(Self.tenant, id: "k2")
        let path = "/v1/jobs/\(try service.submit(tenant: Self.tenant))"
        let events = try service.open("\(path)/events", [first])
        let lines = try service.open("\(path)/results?format=ndjson&partial=true&follow=true", [first])
        let held = try service.hold(path, [first, ("Prefer", "wait=60")])
        let others = try service.open("\(path)/events", [second])
        guard case .work(let late) = service.api.begin(Service.request("GET", "\(path)/events", HTTPFields([first])))
        else {
            Issue.record("no stream")
            return
        }
        for client in [events, lines, others] {
            client.take()
            #expect(!client.isOver && !client.isCut)
        }
        _ = try service.store.revokeKey("k1")
        service.ring?.refresh()
        #expect(events.takeAll())
        #expect(lines.take { $0.isCut || $0.isOver } && lines.isCut)
        expectProblem(Answer(try #require(held.wait())), 401)
        #expect(try LiveClient(late()).takeAll())
        others.take()
        #expect(!others.isOver && !others.isCut)
    }

    @Test("on a loopback address everybody may come in until the first key is made, and not again when it is revoked")
    func firstKey() throws {
        let service = try Service(keys: .loopback)
        let id = try service.submit()
        #expect(service.send("GET", "/v1/jobs/\(id)").status == 200)
        #expect(service.send("GET", "/v1/jobs/\(id)", [("Authorization", "Basic YTpi")]).status == 200)
        // Not known yet, a key is refused rather than taken for nobody's.
        expectProblem(service.send("GET", "/v1/jobs", [("Authorization", "Bearer \(KeySecret().text)")]), 401)
        let key = try service.key(.anonymous)
        expectProblem(service.send("GET", "/v1/jobs/\(id)"), 401)
        #expect(service.send("GET", "/v1/jobs/\(id)", [key]).status == 200)
        _ = try service.store.revokeKey("k1")
        service.ring?.refresh()
        expectProblem(service.send("GET", "/v1/jobs/\(id)"), 401)
        expectProblem(service.send("GET", "/v1/jobs/\(id)", [key]), 401)
    }

    @Test("on any other address nobody comes in without a key, also while there are none")
    func noKeys() throws {
        expectProblem(try Service(keys: .required).send("GET", "/v1/jobs"), 401)
    }

    @Test("keys are 256 random bits after lkt_, never twice the same, and what is stored does not hold them")
    func secrets() throws {
        let texts = (0..<100).map { _ in KeySecret().text }
        #expect(Set(texts).count == 100)
        for text in texts {
            #expect(text.count == 47 && text.hasPrefix("lkt_"))
            #expect(KeySecret(text[...])?.text == text)
        }
        // SHA-256 of the ASCII text, as any other tool computes it.
        let zero = KeySecret(environment: ZeroEnvironment())
        #expect(zero.text == "lkt_" + String(repeating: "A", count: 43))
        let hex = Hexadecimal.text(zero.digest)
        #expect(hex == "aec0fcde2f41ffb73a5606fdfcea071f17227cc7de2fcbf52cf507582c0f4e6e")
    }

    @Test("a request is let in or not without a look at the store")
    func storeUntouched() throws {
        let store = CountingKeys()
        let secret = KeySecret()
        store.all.withLock {
            $0 = [APIKey(id: "k", tenant: Self.tenant, digest: secret.digest, createdAt: SystemEnvironment().now())]
        }
        let ring = try KeyRing(store, allowsAnonymous: true, logger: Logger(label: "test"))
        let before = store.calls.withLock { $0 }
        for _ in 0..<100 {
            #expect(try ring.caller(["Bearer \(secret.text)"]).tenant == Self.tenant)
            #expect(throws: Problem.self) { try ring.caller([]) }
        }
        #expect(store.calls.withLock { $0 } == before)
    }

    @Test("while the store does not answer, the keys are those known last")
    func storeFails() throws {
        let store = CountingKeys()
        let secret = KeySecret()
        store.all.withLock {
            $0 = [APIKey(id: "k", tenant: Self.tenant, digest: secret.digest, createdAt: SystemEnvironment().now())]
        }
        let ring = try KeyRing(store, allowsAnonymous: false, logger: Logger(label: "test"))
        store.fails.withLock { $0 = true }
        ring.refresh()
        #expect(try ring.caller(["Bearer \(secret.text)"]).tenant == Self.tenant)
        store.fails.withLock { $0 = false }
        store.all.withLock { $0 = [] }
        ring.refresh()
        #expect(throws: Problem.self) { try ring.caller(["Bearer \(secret.text)"]) }
    }

    @Test("the last use of a key is noted once a minute, not with every request")
    func lastUse() throws {
        let clock = ManualEnvironment()
        let service = try Service(environment: clock, keys: .required)
        let key = try service.key(Self.tenant)
        func used() throws -> [Double?] {
            service.ring?.refresh()
            return try service.store.keys().map { $0.lastUsedAt?.timeIntervalSince1970 }
        }
        #expect(try used() == [nil])
        let first = clock.now().timeIntervalSince1970
        _ = service.send("GET", "/v1/jobs", [key])
        #expect(try used() == [first])
        clock.advance(59)
        _ = service.send("GET", "/v1/jobs", [key])
        #expect(try used() == [first])
        clock.advance(1)
        _ = service.send("GET", "/v1/jobs", [key])
        #expect(try used() == [first + 60])
    }
}

/// Keys in memory that count who looks, and can fail.
private final class CountingKeys: KeyStore {
    let all = Mutex<[APIKey]>([])
    let calls = Mutex(0)
    let fails = Mutex(false)

    private func look() throws {
        calls.withLock { $0 += 1 }
        if fails.withLock({ $0 }) { throw JobsError(.io, "the test's disk fails") }
    }

    func addKey(_ key: APIKey) throws { try look() }
    func keys() throws -> [APIKey] {
        try look()
        return all.withLock { $0 }
    }
    func keysRevision() throws -> Int64 {
        try look()
        return Int64(all.withLock { $0.count })
    }
    func revokeKey(_ id: String) throws -> APIKey? {
        try look()
        return nil
    }
    func noteUse(_ times: [String: Date]) throws { try look() }
}

private struct ZeroEnvironment: Environment {
    func now() -> Date { Date(timeIntervalSince1970: 0) }
    func randomBytes(_ count: Int) -> [UInt8] { Array(repeating: 0, count: count) }
}
