import Jobs
import Synchronization

/// Lets so many at a time do something, and no tenant more than its share of them, and turns the others away rather than
/// keeping them waiting.
final class ConcurrencyLimit: Sendable {
    private let limit: Int
    private let share: Int?
    private let running = Mutex<[TenantID: Int]>([:])

    /// - Parameter share: of a tenant with keys; `nil`: as ``TenantShare`` has it.
    init(_ limit: Int, share: Int? = nil) {
        self.limit = limit
        self.share = share
    }

    /// How many of a tenant's may run at a time.
    func share(of tenant: TenantID) -> Int {
        guard let share, tenant != .anonymous else { return TenantShare.of(limit, for: tenant) }
        return min(share, limit)
    }

    /// How many of a tenant's run now.
    func count(of tenant: TenantID) -> Int { running.withLock { $0[tenant, default: 0] } }

    /// Something's place among those that run; given back when it is let go of.
    final class Place: Sendable {
        let tenant: TenantID
        private let limit: ConcurrencyLimit

        fileprivate init(_ tenant: TenantID, _ limit: ConcurrencyLimit) {
            self.tenant = tenant
            self.limit = limit
        }

        deinit { limit.leave(tenant) }
    }

    /// `nil` where as many as may run do so already.
    func place(for tenant: TenantID) -> Place? { enter(tenant) ? Place(tenant, self) : nil }

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
                running[tenant, default: 0] < share(of: tenant)
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
