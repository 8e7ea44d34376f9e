import Synchronization

/// Lets so many at a time do something, and turns the others away rather than keeping them waiting.
final class ConcurrencyLimit: Sendable {
    private let limit: Int
    private let running = Mutex(0)

    init(_ limit: Int) { self.limit = limit }

    /// - Returns: `nil` where as many as may run do so already; `body` is not called then.
    func run<Result, Failure: Error>(_ body: () throws(Failure) -> Result) throws(Failure) -> Result? {
        guard enter() else { return nil }
        defer { running.withLock { $0 -= 1 } }
        return try body()
    }

    private func enter() -> Bool {
        running.withLock { running in
            guard running < limit else { return false }
            running += 1
            return true
        }
    }
}
