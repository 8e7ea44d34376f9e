import Jobs
import Synchronization

/// Lets so many at a time do something, and no tenant more than its share of them, and turns the others away rather than
/// keeping them waiting.
final class ConcurrencyLimit: Sendable {
    private let limit: Int
    private let running = Mutex<[TenantID: Int]>([:])

    init(_ limit: Int) { self.limit = limit }

    /// - Returns: `nil` where as many as may run do so already; `body` is not called then.
    func run<Result, Failure: Error>(
        _ tenant: TenantID, _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result? {
        guard enter(tenant) else { return nil }
        defer { leave(tenant) }
        return try body()
    }

    /// To be followed by ``leave(_:)`` where it is true.
    func enter(_ tenant: TenantID) -> Bool {
        running.withLock { running in
            guard running.values.reduce(0, +) < limit,
                running[tenant, default: 0] < TenantShare.of(limit, for: tenant)
            else { return false }
            running[tenant, default: 0] += 1
            return true
        }
    }

    func leave(_ tenant: TenantID) {
        running.withLock { running in
            let left = running[tenant, default: 0] - 1
            running[tenant] = left > 0 ? left : nil
        }
    }
}
