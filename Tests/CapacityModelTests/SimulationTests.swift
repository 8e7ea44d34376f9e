import CapacityModel
import Foundation
import Testing

@Suite("The simulation of an installation")
struct SimulationTests {
    private static func installation(workers: Int) -> Installation {
        var installation = Installation(name: "test")
        installation.workersPerNode = workers
        return installation
    }

    private static let costs = DatabaseCosts([
        .submit: 400e-6, .claim: 700e-6, .describe: 200e-6, .publish: 400e-6, .heartbeat: 100e-6, .look: 30e-6,
        .sweep: 30e-6, .poll: 30e-6, .delivery: 3e-6,
    ])

    private static func typical(_ installation: Installation, seed: UInt64 = 1, load: Double = 0.8) -> Simulation {
        Simulation(
            installation, costs: costs, lengths: .boundedPareto(shape: 1.5, least: 0.5, greatest: 200), load: load,
            jobs: 20_000, seed: seed)
    }

    /// The mean wait in M/M/c: Erlang's formula C (https://en.wikipedia.org/wiki/M/M/c_queue), for mean service 1.
    private static func meanWait(servers: Int, load: Double) -> Double {
        let offered = load * Double(servers)
        // The recursion of formula B, from which C follows: no factorials.
        var blocking = 1.0
        for count in 1...servers { blocking = offered * blocking / (Double(count) + offered * blocking) }
        let waiting = blocking / (1 - load * (1 - blocking))
        return waiting / (Double(servers) * (1 - load))
    }

    @Test(
        "waits as long as Erlang's formula says, where jobs are exponential and the database costs nothing",
        arguments: [(1, 0.5, 20_000), (1, 0.8, 40_000), (4, 0.8, 40_000), (16, 0.8, 80_000)])
    func erlang(servers: Int, load: Double, jobs: Int) {
        let means = (1...20).map { seed in
            Simulation(
                Self.installation(workers: servers), costs: DatabaseCosts(), lengths: .exponential(mean: 1), load: load,
                jobs: jobs, seed: UInt64(seed)
            ).run().meanWait
        }
        let mean = means.reduce(0, +) / Double(means.count)
        let variance = means.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(means.count - 1)
        // Student's t with 19 degrees of freedom, 99.9 %; the seeds are fixed, so that it holds or does not.
        let confidence = 3.88 * (variance / Double(means.count)).squareRoot()
        let expected = Self.meanWait(servers: servers, load: load)
        #expect(abs(mean - expected) <= confidence, "\(mean) ± \(confidence), and not \(expected)")
        #expect(confidence < 0.1 * expected)
    }

    @Test("gives the same figures for the same seed, and others for another")
    func deterministic() {
        let installation = Self.installation(workers: 8)
        #expect(Self.typical(installation).run() == Self.typical(installation).run())
        #expect(Self.typical(installation).run() != Self.typical(installation, seed: 2).run())
    }

    @Test("loses no job and makes none", arguments: [0.3, 0.8, 1.5])
    func conserving(load: Double) {
        let result = Self.typical(Self.installation(workers: 8), load: load).run()
        #expect(result.submitted == 20_000)
        #expect(result.submitted == result.onTheirWay + result.waiting + result.running + result.finished)
        #expect(result.running <= 8)
    }

    @Test("does all jobs that come together, as fast as its workers can")
    func together() {
        let result = Simulation(
            Self.installation(workers: 4), costs: DatabaseCosts(), lengths: .fixed(2), arrivals: .together, jobs: 40,
            seed: 1
        ).run()
        #expect(result.finished == 40)
        #expect(abs(result.throughput - 2) < 1e-9)
        #expect(result.wait(1) == 18)
    }

    @Test("does as many jobs a second as come, where the workers have the time")
    func keepsUp() {
        let result = Self.typical(Self.installation(workers: 100), load: 0.7).run()
        #expect(result.limit == nil)
        #expect(abs(result.throughput / result.offered - 1) < 0.03)
    }

    @Test("names the workers where more comes than they can do")
    func tooMuchWork() {
        #expect(Self.typical(Self.installation(workers: 8), load: 1.3).run().limit == .workers)
    }

    @Test("names the claims where they go one by one and jobs are short, and does no more than those allow")
    func tooManyClaims() {
        var installation = Self.installation(workers: 400)
        installation.claimsOneByOne = true
        let result = Simulation(
            installation, costs: DatabaseCosts([.claim: 1e-3]), lengths: .fixed(0.2), load: 0.8,
            jobs: 20_000, seed: 1
        ).run()
        #expect(result.limit == .claims)
        #expect(result.throughput > 950 && result.throughput <= 1001, "\(result.throughput)")
    }

    @Test("names the connections, the messages and the heartbeats where there are too many of them")
    func background() {
        var installation = Self.installation(workers: 2)
        installation.nodes = 200
        #expect(Self.typical(installation).run().limit == .connections)
        installation.connectionsPerNode = 0
        installation.nodes = 5000
        #expect(Self.typical(installation).run().limit == .notifications)
        installation.listeners = 0
        installation.nodes = 100_000
        #expect(Self.typical(installation).run().limit == .heartbeats)
    }

    @Test("lets 10,000 nodes keep up at the end of the plan and wherever there are shards, but not as it is installed")
    func plan() {
        func keepsUp(_ step: Installation) -> Bool { Self.typical(step).run().limit == nil }
        let steps = Plan.steps(nodes: 10_000)
        #expect(keepsUp(steps[steps.count - 1]))
        #expect(steps.filter { $0.shards > 1 }.allSatisfy(keepsUp))
        #expect(!keepsUp(steps[0]))
        for count in [1, 4, 16] { #expect(Plan.steps(nodes: count).allSatisfy(keepsUp), "\(count) nodes") }
    }
}
