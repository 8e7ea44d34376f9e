import Synchronization

/// All metrics of a process. What is counted is kept in counters and histograms, which are made once; what can be looked
/// up (a queue's length, the free disk) is collected when somebody asks.
public final class MetricsRegistry: Sendable {
    public typealias Collector = @Sendable () -> [MetricFamily]

    /// Held while collectors are added and listed, never while one runs or something is counted.
    private let collectors = Mutex<[Collector]>([])

    public init() {}

    /// - Parameter collector: called for each exposition, from any thread; may block.
    public func register(_ collector: @escaping Collector) {
        collectors.withLock { $0.append(collector) }
    }

    /// A new counter. Several of one name differ by their labels.
    ///
    /// - Parameter name: without `_total`.
    public func counter(_ name: String, _ help: String, labels: MetricLabels = [], divisor: Double = 1) -> Counter {
        let counter = Counter(divisor: divisor)
        register { [.counter(name, help, counter.value, labels)] }
        return counter
    }

    /// A new histogram of seconds.
    public func histogram(_ name: String, _ help: String, bounds: [Double]) -> Histogram {
        let histogram = Histogram(bounds: bounds)
        register { [MetricFamily(name, help, .histogram, [([], .histogram(histogram.snapshot))])] }
        return histogram
    }

    /// What there is now, samples of one name together, as both text formats ask for.
    public func families() -> [MetricFamily] {
        var families: [MetricFamily] = []
        var places: [String: Int] = [:]
        for family in collectors.withLock({ $0 }).flatMap({ $0() }) {
            if let place = places[family.name] {
                families[place].samples += family.samples
            } else {
                places[family.name] = families.count
                families.append(family)
            }
        }
        return families
    }
}
