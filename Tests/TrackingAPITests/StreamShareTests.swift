import HTTPServer
import Jobs
import Synchronization
import Testing

@testable import TrackingAPI

@Suite("Shares of the connections that are held", .timeLimit(.minutes(10)))
struct StreamShareTests {
    private static let follow = "/results?format=ndjson&partial=true&follow=true"
    private static let (acme, other, third) = (TenantID("acme"), TenantID("other"), TenantID("third"))
    private static let wait = ("Prefer", "wait=30")
    private typealias Field = (name: String, value: String)

    /// With places for five, and for three of a tenant.
    private func service(keys: Service.Keys = .required) throws -> Service {
        try Service(keys: keys) { configuration in
            configuration.streams = 5
            configuration.streamsPerTenant = 3
        }
    }

    private func expectRefusal(_ answer: Answer, sourceLocation: SourceLocation = #_sourceLocation) {
        expectProblem(answer, 429, saying: "3 event streams", sourceLocation: sourceLocation)
        #expect(answer.json?["type"] == "urn:lktrack:problem:too-many-streams", sourceLocation: sourceLocation)
        #expect(answer.fields["Retry-After"] == "5", sourceLocation: sourceLocation)
        #expect(answer.fields["RateLimit-Policy"] == "\"open-streams\";q=3", sourceLocation: sourceLocation)
    }

    @Test("a tenant has its share of events, followed results and held answers together, and another its own")
    func share() throws {
        let service = try service()
        let (key, otherKey) = (try service.key(Self.acme, id: "k1"), try service.key(Self.other, id: "k2"))
        let path = "/v1/jobs/\(try service.submit(tenant: Self.acme))"
        let otherPath = "/v1/jobs/\(try service.submit(tenant: Self.other))"
        let events = try service.open(path + "/events", [key])
        let followed = try service.open(path + Self.follow, [key])
        let held = try service.hold(path, [key, Self.wait])
        #expect(!held.isAnswered)

        expectRefusal(service.send("GET", path + "/events", [key]))
        expectRefusal(service.send("GET", path + Self.follow, [key]))
        // Others keep theirs, and what is answered at once is answered.
        #expect(service.send("GET", path, [key]).status == 200)
        let others = try service.open(otherPath + "/events", [otherKey])
        let otherHeld = try service.hold(otherPath, [otherKey, Self.wait])
        #expect(!otherHeld.isAnswered)
        withExtendedLifetime((events, followed, others)) {}
    }

    @Test("beyond the share, who would wait is answered at once, and the answer does not say that it waited")
    func waitBeyond() throws {
        let service = try service()
        let key = try service.key(Self.acme)
        let path = "/v1/jobs/\(try service.submit(tenant: Self.acme))"
        let held = try (0..<3).map { _ in try service.hold(path, [key, Self.wait]) }
        let more = Answer(try #require(try service.hold(path, [key, Self.wait]).wait()))
        #expect(more.status == 200)
        #expect(more.json?["status"] == "queued")
        #expect(more.fields["Preference-Applied"] == nil)
        #expect(held.allSatisfy { !$0.isAnswered })
    }

    @Test("all tenants together leave connections for the rest, and the anonymous tenant does")
    func all() throws {
        let service = try service()
        let keys = [
            try service.key(Self.acme, id: "k1"), try service.key(Self.other, id: "k2"),
            try service.key(Self.third, id: "k3"),
        ]
        let paths = try [Self.acme, Self.other, Self.third].map { "/v1/jobs/\(try service.submit(tenant: $0))" }
        let clients = try [0, 0, 0, 1, 1].map { try service.open(paths[$0] + "/events", [keys[$0]]) }
        for (path, key) in zip(paths, keys).dropFirst() {
            let refused = service.send("GET", path + "/events", [key])
            expectProblem(refused, 503)
            #expect(refused.fields["Retry-After"] == "5")
            #expect(service.send("GET", path, [key, Self.wait]).status == 200)
        }
        withExtendedLifetime(clients) {}

        let open = try self.service(keys: .none)
        let path = "/v1/jobs/\(try open.submit())"
        let five = try (0..<5).map { _ in try open.open(path + "/events") }
        expectProblem(open.send("GET", path + "/events"), 503)
        #expect(open.send("GET", path).status == 200)
        withExtendedLifetime(five) {}
    }

    /// How a stream ends.
    enum End: CaseIterable { case clientLeaves, jobEnds, jobIsDeleted, keyIsRevoked }

    @Test("a stream's place is given back, however it ends", arguments: End.allCases)
    func ends(by end: End) throws {
        let service = try service()
        let (key, second) = (try service.key(Self.acme, id: "k1"), try service.key(Self.acme, id: "k2"))
        let id = try service.submit(tenant: Self.acme)
        let other = "/v1/jobs/\(try service.submit(tenant: Self.acme))"
        let worker = try service.claim()
        #expect(worker.id == id)
        let path = "/v1/jobs/\(id)"
        do {
            let clients = [
                try service.open(path + "/events?frames=true", [key]), try service.open(path + Self.follow, [key]),
            ]
            let held = try service.hold(path, [key, Self.wait])
            for client in clients { client.take() }
            expectRefusal(service.send("GET", other + "/events", [second]))
            switch end {
            case .clientLeaves: break
            case .jobEnds: try worker.end()
            case .jobIsDeleted: #expect(service.send("DELETE", path, [second]).status == 204)
            case .keyIsRevoked:
                _ = try service.store.revokeKey("k1")
                service.ring?.refresh()
            }
            if end != .clientLeaves {
                for client in clients { #expect(client.take { $0.isOver || $0.isCut }) }
                _ = try #require(held.wait())
                service.settle()
            }
        }
        // One who waits is known to have left by its connection only, which this one has not.
        let free = end == .clientLeaves ? 2 : 3
        let again = try (0..<free).map { _ in try service.open(other + "/events", [second]) }
        expectRefusal(service.send("GET", other + "/events", [second]))
        withExtendedLifetime(again) {}
    }

    @Test("who is held and leaves gives its place back within a second")
    func heldLeaves() throws {
        let service = try service()
        let key = try service.key(Self.acme)
        let id = try service.submit(tenant: Self.acme)
        let hasLeft = Mutex(false)
        let held = try (0..<3).map { _ in
            let request = HTTPRequest(
                method: "GET", target: "/v1/jobs/\(id)", path: ["v1", "jobs", "\(id)"],
                fields: HTTPFields([key, Self.wait]), id: "request-1",
                hasClientLeft: { hasLeft.withLock { $0 } })
            guard case .later(let start) = service.api.begin(request) else { throw LiveClient.NoLiveBody(status: 0) }
            return HeldRequest(start)
        }
        service.settle()
        service.timer.advance(.seconds(1))
        expectRefusal(service.send("GET", "/v1/jobs/\(id)/events", [key]))
        hasLeft.withLock { $0 = true }
        service.timer.advance(.seconds(1))
        for request in held { _ = try #require(request.wait()) }
        let clients = try (0..<3).map { _ in try service.open("/v1/jobs/\(id)/events", [key]) }
        expectRefusal(service.send("GET", "/v1/jobs/\(id)/events", [key]))
        withExtendedLifetime(clients) {}
    }

    @Test("what is refused for another reason takes no place")
    func refused() throws {
        let service = try service()
        let key = try service.key(Self.acme)
        let id = try service.submit(tenant: Self.acme)
        for _ in 0..<4 {
            let path = "/v1/jobs/\(id)"
            expectProblem(service.send("GET", path + "/events?frames=1", [key]), 422)
            expectProblem(service.send("GET", path + "/events", [key, ("Accept", "text/html")]), 406)
            expectProblem(service.send("GET", "/v1/jobs/x/events", [key]), 404)
            expectProblem(service.send("GET", path + Self.follow + "&target=none", [key]), 422)
        }
        let clients = try (0..<3).map { _ in try service.open("/v1/jobs/\(id)/events", [key]) }
        withExtendedLifetime(clients) {}
    }
}
