import Foundation
import JobStoreContract
import Jobs
import Synchronization

/// A store to which the way breaks off: whoever asks about a lease, or publishes, gets no answer until it is back.
///
/// `@unchecked Sendable`: its properties guard themselves.
final class SilentStore: PassingStore, @unchecked Sendable {
    private let silence = Silence()
    private let publications = Mutex(0)

    /// Outcomes that workers wanted to publish.
    var published: Int { publications.withLock { $0 } }

    func fallSilent() { silence.begin() }

    func speak() { silence.end() }

    override func heartbeat(_ lease: Lease, progress: JobProgress, leaseSeconds: Double) throws -> LeaseStatus {
        silence.wait()
        return try base.heartbeat(lease, progress: progress, leaseSeconds: leaseSeconds)
    }

    override func status(of lease: Lease) throws -> LeaseStatus {
        silence.wait()
        return try base.status(of: lease)
    }

    override func publish(_ outcome: JobOutcome, lease: Lease) throws -> Bool {
        publications.withLock { $0 += 1 }
        silence.wait()
        return try base.publish(outcome, lease: lease)
    }
}

/// A gate that stands open until it is shut.
///
/// `@unchecked Sendable`: `isSilent` is guarded by `condition`.
private final class Silence: @unchecked Sendable {
    private let condition = NSCondition()
    private var isSilent = false

    func begin() { condition.withLock { isSilent = true } }

    func end() {
        condition.withLock { isSilent = false }
        condition.broadcast()
    }

    func wait() {
        condition.withLock { while isSilent { condition.wait() } }
    }
}
