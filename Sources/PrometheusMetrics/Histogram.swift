/// How durations are distributed over fixed buckets. Observing is two relaxed atomic instructions.
public final class Histogram: Sendable {
    /// The buckets' upper bounds in seconds, ascending; one without a bound follows.
    private let bounds: [Double]
    private let buckets: [Counter]
    private let sum = Counter(divisor: Counter.nanoseconds)

    /// From a millisecond to a minute.
    public static let requestBounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]
    /// From a tenth of a second to an hour.
    public static let jobBounds = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600]

    public init(bounds: [Double]) {
        self.bounds = bounds
        buckets = (0...bounds.count).map { _ in Counter() }
    }

    public func observe(_ duration: Duration) {
        let nanoseconds = duration.nanoseconds
        let seconds = Double(nanoseconds) / Counter.nanoseconds
        buckets[bounds.firstIndex { seconds <= $0 } ?? bounds.count].add()
        sum.add(nanoseconds)
    }

    /// The count is that of the buckets, so that the two agree while others observe.
    public var snapshot: HistogramSnapshot {
        var total = 0.0
        let cumulative = buckets.map { bucket -> Double in
            total += bucket.value
            return total
        }
        return HistogramSnapshot(
            buckets: zip(bounds + [.infinity], cumulative).map { ($0, $1) }, count: total, sum: sum.value)
    }
}

/// A histogram at one moment.
public struct HistogramSnapshot: Sendable {
    /// Upper bounds, the last one infinite, and how many observations are not above each.
    public var buckets: [(bound: Double, count: Double)]
    public var count: Double
    public var sum: Double
}
