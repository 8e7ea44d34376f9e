import Synchronization

/// A number that only grows. Adding is one relaxed atomic instruction, from any thread: no lock, and at the rate of
/// requests and frames no contention that sharding would be worth.
public final class Counter: Sendable {
    private let count = Atomic<Int64>(0)
    private let divisor: Double

    /// - Parameter divisor: how many of the counted are one of what is shown: 1e9 for nanoseconds shown as seconds.
    public init(divisor: Double = 1) { self.divisor = divisor }

    /// Nanoseconds, shown as seconds.
    public static let nanoseconds = 1e9

    /// - Parameter amount: not negative.
    public func add(_ amount: Int64 = 1) { count.wrappingAdd(amount, ordering: .relaxed) }

    /// For a counter of ``nanoseconds``.
    public func add(_ duration: Duration) { add(duration.nanoseconds) }

    public var value: Double { Double(count.load(ordering: .relaxed)) / divisor }
}

extension Duration {
    /// Those of a process's life fit into 63 bits.
    var nanoseconds: Int64 {
        let (seconds, attoseconds) = components
        return seconds * 1_000_000_000 + attoseconds / 1_000_000_000
    }
}
