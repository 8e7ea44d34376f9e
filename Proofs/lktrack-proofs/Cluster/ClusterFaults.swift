import Foundation
import ServiceHarness

/// What is done to a cluster, and when.
struct ClusterFaults {
    enum Fault {
        case killNode
        /// As an update of the database does.
        case restartDatabase
        /// As a crash does.
        case crashDatabase
        case cutOffDatabase(seconds: Double)
        case cutOffNode(seconds: Double)
    }

    struct Plan {
        var faults: [(second: Double, fault: Fault)]
        /// Between two kills after the last of these, until all jobs have ended.
        var killSeconds: Double
    }

    private let cluster: Cluster
    /// A job that all nodes have to answer for.
    private let job: String
    private var kills = 0
    /// How often a worker was met, at most: each node has one.
    private(set) var interruptions = 0
    private let share = MachineShare()
    /// From the database's return to a node's first answers, in seconds: the slowest node's, each time.
    private(set) var returns: [(what: String, seconds: Double)] = []

    /// How long a node may take to answer again, in seconds.
    private static let answerSeconds = 5.0
    private static let patience = 60.0

    init(_ cluster: Cluster, job: String) {
        self.cluster = cluster
        self.job = job
    }

    /// Does all of it, one after another, and goes on with kills until it is enough.
    mutating func run(_ plan: Plan, isEnough: () throws -> Bool, _ result: inout ProofResult) throws {
        let begin = ContinuousClock.now
        for (second, fault) in plan.faults {
            pause(max(0, second - (ContinuousClock.now - begin) / .seconds(1)))
            try bringAbout(fault, &result)
        }
        var next = ContinuousClock.now + .seconds(plan.killSeconds)
        while try !isEnough() {
            if ContinuousClock.now >= next {
                try bringAbout(.killNode, &result)
                next += .seconds(plan.killSeconds)
            }
            pause(0.2)
        }
        share.end()
        let allowed = share.allowed(Self.answerSeconds)
        for (what, seconds) in returns {
            result.expect(seconds <= allowed, "a node answered only \(seconds.text(1)) s after the database \(what)")
        }
    }

    var text: String {
        let worst = returns.map { "\($0.what) \($0.seconds.text(1)) s" }.joined(separator: ", ")
        return "\(kills) kills of nodes; all nodes answer after the database \(worst)\(share.text)"
    }

    private mutating func bringAbout(_ fault: Fault, _ result: inout ProofResult) throws {
        switch fault {
        case .killNode, .cutOffNode: interruptions += 1
        case .restartDatabase, .crashDatabase, .cutOffDatabase: interruptions += cluster.nodes.count
        }
        switch fault {
        case .killNode:
            let node = cluster.nodes[kills % cluster.nodes.count]
            let decoders = node.server.children()
            try node.killAndStart()
            result.expect(!decoders.contains { Processes.isAlive($0) }, "a decoder outlived its node")
            kills += 1
        case .restartDatabase:
            cluster.database.stop()
            try cluster.database.start()
            awaitAnswers("was restarted", &result)
        case .crashDatabase:
            cluster.database.crash()
            try cluster.database.start()
            awaitAnswers("crashed and was restarted", &result)
        case .cutOffDatabase(let seconds):
            try cluster.network.cutOff(cluster.databaseHost)
            pause(seconds)
            try cluster.network.mend(cluster.databaseHost)
            awaitAnswers("was cut off for \(seconds.text()) s", &result)
        case .cutOffNode(let seconds):
            let node = cluster.nodes[kills % cluster.nodes.count]
            try cluster.network.cutOff(node.host)
            pause(seconds)
            try cluster.network.mend(node.host)
        }
    }

    /// Asks all nodes at once, each again and again.
    private mutating func awaitAnswers(_ what: String, _ result: inout ProofResult) {
        let begin = ContinuousClock.now
        let slowest = Tally<Double>()
        let (nodes, job) = (cluster.nodes, job)
        DispatchQueue.concurrentPerform(iterations: nodes.count) { index in
            while !nodes[index].answers(for: job), ContinuousClock.now - begin < .seconds(Self.patience) { pause(0.05) }
            slowest.add((ContinuousClock.now - begin) / .seconds(1))
        }
        returns.append((what, slowest.all.max() ?? 0))
    }
}
