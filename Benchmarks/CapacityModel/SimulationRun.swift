/// One shard while it is simulated.
struct SimulationRun {
    private enum Event {
        case arrival
        /// The job is in the database.
        case queued
        /// A worker has it, which was queued then.
        case claimed(queued: Double)
        case tracked
        case published
    }

    private let simulation: Simulation
    /// How much longer everything takes at the database than on an idle one.
    let slowness: Double
    private var random: RandomNumbers
    private var events = EventQueue<Event>()
    private(set) var database: Station
    /// Where claims hold a lock from their beginning to their end.
    private(set) var claims = Station(servers: 1)
    private var idle: Int

    private(set) var now = 0.0
    private(set) var submitted = 0
    private(set) var onTheirWay = 0
    /// When each was queued.
    private(set) var waiting = FIFO<Double>()
    private(set) var running = 0
    private(set) var waits: [Double] = []
    /// When each was published.
    private(set) var finished: [Double] = []

    init(_ simulation: Simulation, slowness: Double) {
        self.simulation = simulation
        self.slowness = slowness
        random = RandomNumbers(seed: simulation.seed)
        database = Station(servers: simulation.installation.processors)
        idle = simulation.installation.workersOfShard
    }

    /// Until the last job has come; where all come at the start, until the last is done.
    mutating func run() {
        switch simulation.arrivals {
        case .poisson: events.plan(.arrival, at: 0)
        case .together: for _ in 0..<simulation.jobs { events.plan(.arrival, at: 0) }
        }
        while let (time, event) = events.next() {
            now = time
            handle(event)
            if case .poisson = simulation.arrivals, submitted >= simulation.jobs { return }
        }
    }

    private mutating func handle(_ event: Event) {
        switch event {
        case .arrival:
            submitted += 1
            onTheirWay += 1
            events.plan(.queued, at: serve(.submit))
            if case .poisson(let rate) = simulation.arrivals {
                events.plan(.arrival, at: now + random.exponential(mean: 1 / rate))
            }
        case .queued:
            onTheirWay -= 1
            waiting.append(now)
            claimNext()
        case .claimed(let queued):
            waits.append(now - queued)
            _ = serve(.describe)
            events.plan(.tracked, at: now + simulation.lengths.sample(&random))
        case .tracked: events.plan(.published, at: serve(.publish))
        case .published:
            finished.append(now)
            running -= 1
            idle += 1
            claimNext()
        }
    }

    private mutating func claimNext() {
        guard idle > 0, let queued = waiting.popFirst() else { return }
        idle -= 1
        running += 1
        let seconds = simulation.costs[.claim] * slowness
        var end = database.serve(at: now, for: seconds)
        if simulation.installation.claimsOneByOne { end = max(end, claims.serve(at: now, for: seconds)) }
        events.plan(.claimed(queued: queued), at: end)
    }

    private mutating func serve(_ operation: DatabaseOperation) -> Double {
        database.serve(at: now, for: simulation.costs[operation] * slowness)
    }
}

/// First in, first out.
struct FIFO<Element> {
    private var elements: [Element] = []
    private var first = 0

    var count: Int { elements.count - first }

    mutating func append(_ element: Element) { elements.append(element) }

    mutating func popFirst() -> Element? {
        guard first < elements.count else { return nil }
        defer {
            first += 1
            if first > 1000, first * 2 > elements.count {
                elements.removeFirst(first)
                first = 0
            }
        }
        return elements[first]
    }
}
