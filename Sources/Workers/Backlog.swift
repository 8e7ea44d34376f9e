import Jobs
import Synchronization

/// Which jobs stand back where there is no processor for all, with the process that decodes and the thread that follows
/// targets: those of a tenant that has more of them waiting, as long as others use this process's workers, too. Nobody
/// watches one of a hundred. A tenant that is alone has all there is.
final class Backlog: Sendable {
    private struct State {
        /// Jobs, by tenants that have any.
        var running: [TenantID: Int] = [:]
        /// When tenants' last jobs ended, as long as that counts.
        var ended: [TenantID: ContinuousClock.Instant] = [:]

        func hasNeighbour(_ tenant: TenantID, _ now: ContinuousClock.Instant) -> Bool {
            running.keys.contains { $0 != tenant }
                || ended.contains { $0.key != tenant && Backlog.counts($0.value, now) }
        }
    }

    /// How long a tenant counts as one that uses the workers after its last job ended.
    private static let neighbourTime = Duration.seconds(60)

    private static func counts(_ end: ContinuousClock.Instant, _ now: ContinuousClock.Instant) -> Bool {
        now - end < neighbourTime
    }

    private let state = Mutex(State())
    private let store: any JobStore

    init(_ store: any JobStore) { self.store = store }

    /// A job begins, until ``end(_:now:)``.
    ///
    /// - Returns: whether it is to stand back.
    func begin(_ job: Job, now: ContinuousClock.Instant = .now) -> Bool {
        let hasNeighbour = state.withLock { state in
            state.running[job.tenant, default: 0] += 1
            return state.hasNeighbour(job.tenant, now)
        }
        guard hasNeighbour else { return false }
        // Where the store does not answer, the job's first write tells so.
        return ((try? store.usage(of: job.tenant))?.queued ?? 0) > 0
    }

    func end(_ job: Job, now: ContinuousClock.Instant = .now) {
        state.withLock { state in
            let left = state.running[job.tenant, default: 0] - 1
            state.running[job.tenant] = left > 0 ? left : nil
            state.ended = state.ended.filter { Self.counts($0.value, now) }
            state.ended[job.tenant] = now
        }
    }
}

extension WorkerConfiguration {
    /// What is added to the niceness; see setpriority(2). With 5, three quarters of a processor go to who does not stand
    /// back, and a quarter stays.
    private static let backlogNiceness: Int32 = 5

    /// For jobs that stand back. They leave the decoder that is kept ready to others.
    var standingBack: WorkerConfiguration {
        var configuration = self
        configuration.niceness = Self.backlogNiceness
        configuration.decoder.niceness = Self.backlogNiceness
        configuration.decoder.reserve = nil
        return configuration
    }
}
