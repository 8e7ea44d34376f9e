import Dispatch
import Foundation
import Jobs
import Logging
import Synchronization

/// Stops jobs by this process's clock alone: at their deadlines, and where the store does not answer while their leases
/// come to an end. On a thread of its own that asks nobody, so that nothing holds it up.
final class LeaseClock: Sendable {
    /// The share of a lease after which nobody works under it any more without an answer: the rest is for letting go.
    private static let workShare = 0.9

    private let configuration: WorkerConfiguration
    private let logger: Logger
    private let jobs: @Sendable () -> [ActiveJob]
    /// Since when the store has been asked in vain.
    private let unanswered = Mutex<ContinuousClock.Instant?>(nil)
    private let isStopping = Atomic(false)
    private let signal = WakeSignal()
    private let ended = DispatchSemaphore(value: 0)

    /// - Parameter jobs: those that run now.
    init(configuration: WorkerConfiguration, logger: Logger, jobs: @escaping @Sendable () -> [ActiveJob]) {
        self.configuration = configuration
        self.logger = logger
        self.jobs = jobs
    }

    func start() {
        let thread = Thread { [self] in
            while true {
                // Before the stop is looked at, so that none is missed in between.
                let seen = signal.seen
                guard !isStopping.load(ordering: .acquiring) else { break }
                look(.now)
                signal.wait(since: seen, seconds: configuration.watchSeconds)
            }
            ended.signal()
        }
        thread.name = "lease-clock"
        thread.start()
    }

    /// Ends the thread, once, after ``start()``.
    func stop() {
        isStopping.store(true, ordering: .releasing)
        signal.notify()
        ended.wait()
    }

    /// The store is asked about a lease from now on.
    func ask(at now: ContinuousClock.Instant) { unanswered.withLock { $0 = $0 ?? now } }

    /// The store has answered.
    func answered() { unanswered.withLock { $0 = nil } }

    private func look(_ now: ContinuousClock.Instant) {
        // A process that stood still itself finds old leases, too, but has not asked yet whether they are its own.
        let isCutOff = unanswered.withLock { $0 }.map { now - $0 >= .seconds(configuration.watchSeconds) } ?? false
        for job in jobs() {
            if job.isOverdue(now) { job.interrupt(.deadline) }
            guard isCutOff, job.interruption != .leaseLost,
                now - job.renewed >= .seconds(configuration.leaseSeconds * Self.workShare)
            else { continue }
            logger.warning(
                "job given up before its lease ends: the store does not answer",
                metadata: ["job": .string(job.job.id.description)])
            job.interrupt(.leaseLost)
        }
    }
}
