import Jobs
import Synchronization

/// Which jobs stand back where there is no processor for all, with the process that decodes and the thread that follows
/// targets: those of a tenant that has more of them waiting, as long as others use the service, too. Nobody watches one of
/// a hundred. A tenant that is alone has all there is.
final class Backlog: Sendable {
    /// How long a tenant counts as one that uses the service, after a job of its own began.
    private static let neighbourSeconds = 60.0

    private struct Seen {
        var tenant: TenantID
        var at: ContinuousClock.Instant
    }

    /// The tenant of the last job, and the last other one.
    private let last = Mutex<(newest: Seen?, other: Seen?)>((nil, nil))
    private let store: any JobStore

    init(_ store: any JobStore) { self.store = store }

    /// Whether a job that was just claimed is to stand back.
    func holds(_ job: Job, now: ContinuousClock.Instant = .now) -> Bool {
        guard hasNeighbour(job.tenant, now) else { return false }
        // Where the store does not answer, the job's first write tells so.
        return ((try? store.usage(of: job.tenant))?.queued ?? 0) > 0
    }

    private func hasNeighbour(_ tenant: TenantID, _ now: ContinuousClock.Instant) -> Bool {
        last.withLock { last in
            if let newest = last.newest, newest.tenant != tenant { last.other = newest }
            last.newest = Seen(tenant: tenant, at: now)
            return last.other.map { now - $0.at < .seconds(Self.neighbourSeconds) } ?? false
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
