import Jobs
import Synchronization

/// Tells other processes what this one has changed, and hears what they did: LISTEN and NOTIFY on a connection of its own.
/// Ends with the last reference.
final class ChangeFeed: Sendable {
    private let loop: ChangeLoop
    private let isClosed = Atomic(false)

    /// - Parameter sender: names this store among those that listen.
    /// - Throws: ``JobsError/Code/unreachable`` where the database cannot be reached.
    init(_ configuration: PostgresConfiguration, pool: ConnectionPool, sender: String) throws(JobsError) {
        loop = try ChangeLoop(configuration, pool: pool, sender: sender)
    }

    deinit { loop.stop() }

    /// See ``ChangeCount/changeCount()``.
    func count() -> Int64? { loop.count() }

    /// Called with what others tell, on the feed's thread. Replaces the one before.
    func onChange(_ handler: @escaping @Sendable (StoreChange) -> Void) { loop.onChange(handler) }

    /// This process has changed something, durably.
    func note(_ change: StoreChange) { loop.note(change) }

    /// Tells what is left to be told. Waits for that.
    func close() {
        guard !isClosed.exchange(true, ordering: .acquiringAndReleasing) else { return }
        loop.stop()
        loop.waitForEnd()
    }
}
