/// An installation: machines that share one database, or several such shards side by side.
public struct Installation: Sendable {
    public var name: String
    public var nodes = 1
    public var workersPerNode = 2
    /// Independent databases with an equal share of the nodes and of the jobs each.
    public var shards = 1

    /// Of each database.
    public var processors = 16
    /// Connections that a database has room for: each is a process of its own.
    public var connections = 1000
    public var connectionsPerNode = 9.0

    /// Whether claims wait for each other, as they do where all jobs are of one tenant with a limit of running ones.
    public var claimsOneByOne = false

    /// While a job runs, a second.
    public var heartbeatsPerJob = 1.0
    public var looksPerJob = 3.0
    /// Of each node, a second.
    public var sweepsPerNode = 4.0
    public var pollsPerIdleWorker = 1.0
    /// Messages to the others: of a job's life, and a heartbeat's.
    public var messagesPerJob = 4.0
    public var messagesPerHeartbeat = 1.0
    /// Nodes that are told of them; `nil`: all.
    public var listeners: Int?

    public init(name: String) { self.name = name }

    /// Of one shard; nodes that do not go round are in the first.
    var nodesOfShard: Int { (nodes + shards - 1) / shards }
    var workersOfShard: Int { nodesOfShard * workersPerNode }
    var connectionsOfShard: Double { Double(nodesOfShard) * connectionsPerNode }

    /// What a shard's processors are asked for beside the jobs' own operations, by what asks: 1 is one processor's time.
    ///
    /// - Parameters:
    ///   - running: jobs that run at a time, on average.
    ///   - rate: jobs a second.
    func background(_ costs: DatabaseCosts, running: Double, rate: Double) -> [(cause: Limit, processors: Double)] {
        let idle = max(Double(workersOfShard) - running, 0)
        let messages = rate * messagesPerJob + running * heartbeatsPerJob * messagesPerHeartbeat
        let told = Double(min(listeners ?? nodesOfShard, nodesOfShard))
        return [
            (.heartbeats, running * (heartbeatsPerJob * costs[.heartbeat] + looksPerJob * costs[.look])),
            (
                .sweeps,
                Double(nodesOfShard) * sweepsPerNode * costs[.sweep] + idle * pollsPerIdleWorker * costs[.poll]
            ),
            (.notifications, messages * told * costs[.delivery]),
        ]
    }
}

/// What an installation cannot have more of.
public enum Limit: String, Sendable {
    /// The database has no room for more.
    case connections
    /// The lease's renewals, and the looks at what clients have canceled.
    case heartbeats
    /// What idle workers and processes ask.
    case sweeps
    /// LISTEN and NOTIFY: each process is told of each change.
    case notifications
    /// Where they go one after another.
    case claims
    /// The jobs' own transactions.
    case transactions
    /// There is as much work as workers can do.
    case workers
}
