import Foundation
import ServiceHarness

/// Several nodes lose nothing, whatever happens to them, their database and the way to it.
struct ClusterProof: Proof {
    let name = "cluster"
    let claim = "3 nodes on PostgreSQL and S3, killed, their database restarted and cut off: each job ends once"

    /// The argument by which this program runs the proof, in a network namespace of its own.
    static let inside = "inside-cluster"

    private static let nodes = 3

    private struct Scale {
        var jobs: Int
        var jobsPerSecond: Double
        /// Shorter than the database is cut off.
        var leaseSeconds: Int
        var plan: ClusterFaults.Plan
    }

    private static let full = Scale(
        jobs: 1000, jobsPerSecond: 5, leaseSeconds: 10,
        plan: .init(
            faults: [
                (20, .killNode), (40, .killNode), (50, .restartDatabase), (60, .killNode), (80, .killNode),
                (90, .cutOffDatabase(seconds: 15)), (115, .killNode), (125, .crashDatabase), (135, .killNode),
                (150, .cutOffNode(seconds: 15)), (170, .killNode), (190, .killNode),
            ], killSeconds: 20))
    private static let quick = Scale(
        jobs: 100, jobsPerSecond: 4, leaseSeconds: 4,
        plan: .init(
            faults: [
                (4, .killNode), (7, .restartDatabase), (10, .cutOffDatabase(seconds: 6)), (20, .crashDatabase),
                (24, .killNode),
            ], killSeconds: 20))

    /// Starts this program again where nothing of the machine's own network is, and takes its result.
    func run(_ options: ProofOptions) throws -> ProofResult {
        if let reason = ClusterNetwork.problem() {
            throw NotProvable(reason: "no network namespaces (they need root and iproute2): \(reason)")
        }
        let folder = try TemporaryFolder()
        let file = folder.path("result.json")
        let program = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().path
        let process = Process()
        // It does not outlive this process.
        let command =
            ["/usr/bin/setpriv", "--pdeathsig", "KILL", "--"]
            + ClusterNetwork.apart([program, Self.inside, file] + (options.isQuick ? ["--quick"] : []))
        process.executableURL = URL(fileURLWithPath: command[0])
        process.arguments = Array(command.dropFirst())
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw ProofError("the proof ended without a result") }
        let report = try JSONDecoder().decode(Report.self, from: try Data(contentsOf: URL(fileURLWithPath: file)))
        if let reason = report.failure { throw ProofError(reason) }
        var result = ProofResult(tried: report.tried, losses: report.losses, figure: report.figure)
        let left = report.namespaces.intersection(ClusterNetwork.inodesInUse())
        result.expect(left.isEmpty, "processes are left in \(left.count) network namespaces")
        return result
    }

    /// What the program that runs the proof hands back.
    private struct Report: Codable {
        var tried = ""
        var losses: [String] = []
        var figure = ""
        var namespaces: Set<UInt64> = []
        var failure: String?
    }

    /// The program in its namespace.
    static func runInside(_ arguments: [String]) throws -> Never {
        var report = Report()
        do {
            var namespaces: Set<UInt64> = []
            let result = try run(arguments.contains("--quick") ? quick : full, &namespaces)
            report = Report(
                tried: result.tried, losses: result.losses, figure: result.figure, namespaces: namespaces)
        } catch {
            report.failure = "\(error)"
        }
        try JSONEncoder().encode(report).write(to: URL(fileURLWithPath: arguments[0]))
        exit(0)
    }

    private static func run(_ scale: Scale, _ namespaces: inout Set<UInt64>) throws -> ProofResult {
        let works = try works()
        let cluster = try Cluster(nodes: nodes, leaseSeconds: scale.leaseSeconds)
        defer { cluster.close() }
        namespaces = cluster.namespaces
        let audit = try ClusterAudit(cluster.database)
        guard let witness = try cluster.nodes[0].wire.submit(works[0].clip) else {
            throw ProofError("a job is not accepted")
        }
        var result = ProofResult(tried: "")
        let clients = ClusterClients(
            works, to: cluster.nodes, count: scale.jobs, perSecond: scale.jobsPerSecond)
        var faults = ClusterFaults(cluster, job: witness)
        do {
            defer { clients.stop() }
            let deadline = ContinuousClock.now + .seconds(1800)
            try faults.run(
                scale.plan,
                isEnough: {
                    guard ContinuousClock.now < deadline else {
                        throw ProofError("\(try audit.open()) jobs have not ended after half an hour")
                    }
                    return try clients.isDone && audit.open() == 0
                }, &result)
        }
        result.tried =
            "\(clients.all.count) jobs on \(nodes) nodes, \(faults.text); "
            + "\(clients.repeats) submissions were sent again"
        let others = clients.otherAnswers
        result.expect(others.isEmpty, "submissions were answered with \(Set(others).sorted())")
        let books = ClusterBooks(
            cluster: cluster, audit: audit, works: works, witness: witness, interruptions: faults.interruptions)
        try books.close(clients.all, &result)
        return result
    }

    /// Short and long ones, and what one node alone makes of them.
    private static func works() throws -> [Work] {
        let server = try Server("--workers", "2")
        let short = try (1...4).map { seed in
            try Work(
                Clip.make(frames: 40 + 20 * seed, size: "320x240", seed: seed), query: "&tracker=template",
                undisturbedOn: server)
        }
        let clip = try Clip.make(frames: 600, size: "320x240", seed: 5)
        let long = try Work(
            clip, query: String(repeating: "&roi=\(clip.box)", count: 3), undisturbedOn: server)
        // One job in forty has so much to do that it is met by whatever happens.
        return Array(repeating: short, count: 10).flatMap { $0 }.dropLast() + [long]
    }
}
