import Dispatch
import GRDB
import Jobs
import Synchronization

/// Lets the writes of several threads share a transaction, and so one synchronisation of the disk, which is nearly all
/// that a commit costs.
///
/// The thread that finds nobody writing leads: it runs what has gathered, each write in a savepoint of its own, commits,
/// and hands the lead to a thread whose write came meanwhile. The others wait. A write returns when its transaction is on
/// the disk.
final class GroupCommit: Sendable {
    private struct State {
        var pending: [Entry] = []
        var isLed = false
    }

    /// One write, and how it went.
    private final class Entry: Sendable {
        let body: @Sendable (Database) throws -> Void
        let error = Mutex<(any Error)?>(nil)
        /// Signaled when the write is done, or its thread is to lead.
        let turn = DispatchSemaphore(value: 0)
        let leads = Atomic(false)

        init(_ body: @escaping @Sendable (Database) throws -> Void) { self.body = body }

        func fail(_ cause: any Error) { error.withLock { $0 = $0 ?? cause } }
    }

    /// Writes in one transaction; more wait for the next, so that no write waits for long.
    private static let batchSize = 100

    private let pool: DatabasePool
    private let lock: WriterLock
    private let state = Mutex(State())

    init(_ pool: DatabasePool, _ lock: WriterLock) {
        self.pool = pool
        self.lock = lock
    }

    /// Runs a write and returns once it is durable. Blocks. Throws what `body` throws, which undoes it alone, or the
    /// error of the transaction, which undoes everything in it.
    func write<T: Sendable>(_ body: @escaping @Sendable (Database) throws -> T) throws -> T {
        let result = Slot<T>()
        let entry = Entry { db in
            let value = try body(db)
            result.value.withLock { $0 = value }
        }
        let isLeader = state.withLock { state in
            state.pending.append(entry)
            defer { state.isLed = true }
            return !state.isLed
        }
        if !isLeader { entry.turn.wait() }
        if isLeader || entry.leads.load(ordering: .acquiring) { lead() }
        if let error = entry.error.withLock({ $0 }) { throw error }
        guard let value = result.value.withLock({ $0 }) else {
            throw JobsError(.io, "a transaction ended without a result")
        }
        return value
    }

    private final class Slot<T: Sendable>: Sendable {
        let value = Mutex<T?>(nil)
    }

    private func lead() {
        let batch = state.withLock { state in
            let batch = Array(state.pending.prefix(Self.batchSize))
            state.pending.removeFirst(batch.count)
            return batch
        }
        do {
            try commit(batch)
        } catch {
            for entry in batch { entry.fail(error) }
        }
        for entry in batch { entry.turn.signal() }
        let next = state.withLock { state in
            state.isLed = !state.pending.isEmpty
            return state.pending.first
        }
        next?.leads.store(true, ordering: .releasing)
        next?.turn.signal()
    }

    /// The transaction takes SQLite's write lock at its start: one that upgrades later fails when another program writes,
    /// in the middle of what it does. A commit may bring the log over, so the process's lock is held beyond it.
    private func commit(_ batch: [Entry]) throws {
        try pool.writeWithoutTransaction { db in
            try lock.hold {
                try db.inTransaction(.immediate) {
                    try Self.run(batch, db)
                    return .commit
                }
            }
        }
    }

    private static func run(_ batch: [Entry], _ db: Database) throws {
        for entry in batch {
            do {
                try db.inSavepoint {
                    try entry.body(db)
                    return .commit
                }
            } catch {
                entry.fail(error)
                // SQLite has undone everything by itself (a full disk); nothing may run outside.
                if !db.isInsideTransaction { throw error }
            }
        }
    }
}
