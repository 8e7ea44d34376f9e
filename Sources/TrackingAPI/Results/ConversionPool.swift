import Dispatch
import Jobs
import Synchronization

/// The threads that make results in other forms while they are sent, look through long ones for what is wanted, and read
/// and write jobs for those who wait for them: not the server's, on which one such body would hold up every other
/// connection. Tenants take turns.
final class ConversionPool: Sendable {
    typealias Work = @Sendable () -> Void

    private let threads: Int
    private let bodies: ConcurrencyLimit
    private let turns = Mutex(TenantTurns<Work>())
    let queue = DispatchQueue(label: "conversions", attributes: .concurrent)

    /// - Parameters:
    ///   - threads: pieces that are made at a time.
    ///   - bodies: that are being sent.
    init(threads: Int, bodies: Int) {
        self.threads = threads
        self.bodies = ConcurrencyLimit(bodies)
    }

    /// A body's place among those that are sent; `nil` where there are too many.
    func place(for tenant: TenantID) -> ConcurrencyLimit.Place? { bodies.place(for: tenant) }

    /// Makes a piece, or looks for one, when its turn comes.
    func submit(_ tenant: TenantID, _ work: @escaping Work) {
        turns.withLock { $0.add(work, of: tenant) }
        startNext()
    }

    private func startNext() {
        guard let (work, tenant) = turns.withLock({ $0.next(limit: threads) }) else { return }
        queue.async { [self] in
            work()
            turns.withLock { $0.ended(tenant) }
            startNext()
        }
    }
}
