/// A discrete-event simulation of an installation: jobs come, are written to the database, wait for a worker, are
/// claimed, tracked, and published. The same seed gives the same figures.
///
/// What a database is asked for all the time (heartbeats, sweeps, messages) is not simulated call by call: it makes what
/// is simulated slower, as much as it takes of the processors.
public struct Simulation: Sendable {
    public enum Arrivals: Sendable {
        /// One by one, a Poisson process: so many a second.
        case poisson(Double)
        /// All at the start.
        case together
    }

    public let installation: Installation
    public let costs: DatabaseCosts
    public let lengths: JobLength
    public let arrivals: Arrivals
    /// Of one shard.
    public let jobs: Int
    public let seed: UInt64

    /// Jobs that come before the queue is as long as it will be are not counted: this share of them.
    private static let warmUp = 0.3
    /// Of the offered jobs; who does fewer has a queue that grows without end.
    private static let keepsUp = 0.97

    /// - Parameters:
    ///   - arrivals: at one shard.
    ///   - jobs: how many come, at least 1.
    public init(
        _ installation: Installation, costs: DatabaseCosts, lengths: JobLength, arrivals: Arrivals, jobs: Int,
        seed: UInt64
    ) {
        self.installation = installation
        self.costs = costs
        self.lengths = lengths
        self.arrivals = arrivals
        self.jobs = jobs
        self.seed = seed
    }

    /// With Poisson arrivals of as much work as a share of the workers can do.
    public init(
        _ installation: Installation, costs: DatabaseCosts, lengths: JobLength, load: Double, jobs: Int, seed: UInt64
    ) {
        let rate = load * Double(installation.workersOfShard) / lengths.mean
        self.init(
            installation, costs: costs, lengths: lengths, arrivals: .poisson(rate), jobs: jobs, seed: seed)
    }

    public func run() -> SimulationResult {
        let offered: Double
        if case .poisson(let rate) = arrivals { offered = rate } else { offered = 0 }
        let workers = Double(installation.workersOfShard)
        let background = installation.background(
            costs, running: offered > 0 ? min(offered * lengths.mean, workers) : workers, rate: offered)
        let taken = background.reduce(0) { $0 + $1.processors } / Double(installation.processors)
        var result = SimulationResult(offered: offered * Double(installation.shards), database: taken)
        guard installation.connectionsOfShard <= Double(installation.connections) else {
            result.limit = .connections
            return result
        }
        guard taken < 1 else {
            result.limit = background.max { $0.processors < $1.processors }?.cause
            return result
        }
        var run = SimulationRun(self, slowness: 1 / (1 - taken))
        run.run()
        fill(&result, run, taken)
        return result
    }

    private func fill(_ result: inout SimulationResult, _ run: SimulationRun, _ taken: Double) {
        let seconds = run.now
        result.submitted = run.submitted
        result.finished = run.finished.count
        result.running = run.running
        result.waiting = run.waiting.count
        result.onTheirWay = run.onTheirWay
        let own = run.database.work / run.slowness / (seconds * Double(installation.processors))
        // More was asked for than could be done by now where either is what all wait for.
        result.database = min(taken + own, 1)
        result.claims = min(run.claims.work / seconds, 1)
        guard case .poisson(let rate) = arrivals else {
            result.throughput = Double(run.finished.count) / seconds * Double(installation.shards)
            result.waits = run.waits
            return
        }
        let start = seconds * Self.warmUp
        let counted = run.finished.count { $0 >= start }
        let throughput = Double(counted) / (seconds - start)
        result.throughput = throughput * Double(installation.shards)
        result.waits = Array(run.waits.dropFirst(Int(Double(run.waits.count) * Self.warmUp)))
        guard throughput < Self.keepsUp * rate else { return }
        // Whoever works all the time is what the others wait for.
        result.limit =
            result.claims > Self.keepsUp ? .claims : result.database > Self.keepsUp ? .transactions : .workers
    }
}

/// What came out, of all shards together unless said otherwise.
public struct SimulationResult: Hashable, Sendable {
    /// Jobs a second: that came, and that were done.
    public var offered: Double
    public var throughput = 0.0
    /// From being queued to being started, in seconds, of one shard's jobs in the order of their starts.
    public var waits: [Double] = []
    /// What the database's processors are asked for, of what they have.
    public var database: Double
    /// The share of the time in which a claim is under way.
    public var claims = 0.0
    /// What stops it from keeping up; `nil`: it keeps up.
    public var limit: Limit?
    /// Of one shard: where its jobs are at the end.
    public var submitted = 0
    public var finished = 0
    public var running = 0
    public var waiting = 0
    /// Being written to the database for the first time.
    public var onTheirWay = 0

    /// The wait that a share of the jobs does not exceed.
    public func wait(_ share: Double) -> Double {
        let sorted = waits.sorted()
        return sorted.isEmpty ? 0 : sorted[min(sorted.count - 1, Int(share * Double(sorted.count)))]
    }

    public var meanWait: Double { waits.isEmpty ? 0 : waits.reduce(0, +) / Double(waits.count) }
}
