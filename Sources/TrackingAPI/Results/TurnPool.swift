import Dispatch
import Jobs
import Synchronization

/// Threads for work that must not hold up a connection's or a handler's: a few at a time, tenants in turn.
final class TurnPool: Sendable {
    typealias Work = @Sendable () -> Void

    private let threads: Int
    private let turns = Mutex(TenantTurns<Work>())
    /// All that was submitted and is not done.
    let unfinished = DispatchGroup()

    /// - Parameter threads: as many work at a time.
    init(threads: Int) { self.threads = threads }

    /// Does the work when its turn comes.
    func submit(_ tenant: TenantID, _ work: @escaping Work) {
        unfinished.enter()
        turns.withLock { $0.add(work, of: tenant) }
        startNext()
    }

    private func startNext() {
        guard let (work, tenant) = turns.withLock({ $0.next(limit: threads) }) else { return }
        // A queue of its own each: a concurrent one waits for a processor that is free, which those that track may not leave
        // for minutes.
        DispatchQueue(label: "turn").async { [self] in
            work()
            turns.withLock { $0.ended(tenant) }
            unfinished.leave()
            startNext()
        }
    }
}
