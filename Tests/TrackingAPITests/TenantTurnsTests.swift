import HTTPServer
import Jobs
import Testing

@testable import TrackingAPI

@Suite("Turns and shares of tenants")
struct TenantTurnsTests {
    private static let (a, b) = (TenantID("a"), TenantID("b"))

    @Test("tenants take turns, however much one of them has waiting")
    func turns() {
        var turns = TenantTurns<String>()
        for name in ["a1", "a2", "a3"] { turns.add(name, of: Self.a) }
        for name in ["b1", "b2"] { turns.add(name, of: Self.b) }
        #expect(turns.count == 5 && turns.count(of: Self.a) == 3)
        var order: [String] = []
        while let (name, tenant) = turns.next(limit: 1) {
            order.append(name)
            #expect(turns.next(limit: 1) == nil)
            turns.ended(tenant)
        }
        #expect(order == ["a1", "b1", "a2", "b2", "a3"])
        #expect(turns.count == 0)
    }

    @Test("a tenant runs no more than its share, and the anonymous one, which is alone, all")
    func shares() {
        var turns = TenantTurns<Int>()
        for number in 0..<4 { turns.add(number, of: Self.a) }
        #expect(turns.next(limit: 4)?.element == 0 && turns.next(limit: 4)?.element == 1)
        #expect(turns.next(limit: 4) == nil)
        turns.add(9, of: Self.b)
        #expect(turns.next(limit: 4)?.element == 9)
        turns.ended(Self.a)
        #expect(turns.next(limit: 4)?.element == 2)
        var alone = TenantTurns<Int>()
        for number in 0..<5 { alone.add(number, of: .anonymous) }
        for number in 0..<4 { #expect(alone.next(limit: 4)?.element == number) }
        #expect(alone.next(limit: 4) == nil)
    }

    @Test("what is forgotten has no turn")
    func forgotten() {
        var turns = TenantTurns<Int>()
        for number in 0..<3 { turns.add(number, of: Self.a) }
        turns.add(7, of: Self.b)
        turns.removeAll { $0 < 2 || $0 == 7 }
        #expect(turns.count == 1 && turns.count(of: Self.b) == 0)
        turns.add(8, of: Self.b)
        #expect(turns.next(limit: 9)?.element == 2 && turns.next(limit: 9)?.element == 8)
        #expect(turns.next(limit: 9) == nil)
    }

    @Test("what was taken is let go of, though others of its tenant wait still")
    func lettingGo() {
        final class Work {}
        var turns = TenantTurns<Work>()
        for _ in 0..<3 { turns.add(Work(), of: Self.a) }
        var taken = turns.next(limit: 1)?.element
        let isHeldElsewhere = !isKnownUniquelyReferenced(&taken)
        #expect(taken != nil && !isHeldElsewhere)
        #expect(turns.count(of: Self.a) == 2)
    }

    @Test("a limit leaves room for another tenant, and takes back what is given back")
    func limit() {
        let limit = ConcurrencyLimit(3)
        #expect(limit.enter(Self.a))
        #expect(!limit.enter(Self.a))
        #expect(limit.enter(Self.b))
        #expect(limit.enter(TenantID("c")))
        #expect(!limit.enter(TenantID("d")))
        limit.leave(Self.a)
        #expect(limit.run(Self.a) { 1 } == 1)
        #expect(limit.run(Self.b) { 1 } == nil)
        #expect(limit.enter(Self.a))
        let alone = ConcurrencyLimit(2)
        #expect(alone.enter(.anonymous) && alone.enter(.anonymous) && !alone.enter(.anonymous))
    }

    @Test("conversions and decodes together leave threads for what is over in no time")
    func handlerThreads() throws {
        let threads = HTTPServerConfiguration().handlerThreads
        var configuration = APIConfiguration()
        try configuration.validate()
        #expect(configuration.exports + configuration.frameDecodes <= threads / 2)
        configuration.exports = threads - configuration.frameDecodes
        #expect(throws: APIConfigurationError.self) { try configuration.validate() }
    }

    @Test("renderings of two tenants take turns, and one does not take every place")
    func renderings() throws {
        let service = try Service(isRendererHeld: true, keys: .required) {
            ($0.renderings, $0.waitingRenderings) = (1, 4)
        }
        let keys = [Self.a: try service.key(Self.a, id: "k1"), Self.b: try service.key(Self.b, id: "k2")]
        func request(_ tenant: TenantID) throws -> Answer {
            let id = try service.submit(tenant: tenant)
            try service.finish(id, lines: [Lines.frame(0)])
            return service.send("GET", "/v1/jobs/\(id)/video", [try #require(keys[tenant])])
        }
        #expect(try request(Self.a).status == 202)
        #expect(service.renderer.awaitStart())
        for _ in 0..<2 { #expect(try request(Self.a).status == 202) }
        expectProblem(try request(Self.a), 503)
        #expect(try request(Self.b).status == 202)
        for _ in 0..<3 {
            service.renderer.release()
            #expect(service.renderer.awaitStart())
        }
        service.renderer.release()
        let tenants = service.renderer.begun.withLock { $0.map(\.job.tenant) }
        #expect(tenants == [Self.a, Self.a, Self.b, Self.a])
    }
}
