import Foundation
import Jobs
import Logging
import Synchronization

/// Keeps the leases of all running jobs on a thread of its own, so that neither a slow decoder nor a slow tracker lets
/// one run out. The same thread brings cancellations to the jobs; a ``LeaseClock`` stops those whose leases cannot be kept.
final class LeaseKeeper: Sendable {
    private let store: any JobStore
    private let configuration: WorkerConfiguration
    private let logger: Logger
    private let onEvent: @Sendable (WorkerEvent) -> Void

    private let jobs = ActiveJobs()
    private let clock: LeaseClock
    private let steps: ClockSteps
    private let hasStarted = Atomic(false)
    private let isStopping = Atomic(false)
    private let signal = WakeSignal()
    private let ended = DispatchSemaphore(value: 0)

    init(
        store: any JobStore, configuration: WorkerConfiguration, environment: any Environment, logger: Logger,
        onEvent: @escaping @Sendable (WorkerEvent) -> Void
    ) {
        self.store = store
        self.configuration = configuration
        self.logger = logger
        self.onEvent = onEvent
        clock = LeaseClock(configuration: configuration, logger: logger) { [jobs] in jobs.all }
        steps = ClockSteps(environment: environment, leaseSeconds: configuration.leaseSeconds)
    }

    var active: [ActiveJob] { jobs.all }

    func add(_ job: ActiveJob) { jobs.add(job) }

    func remove(_ job: ActiveJob) { jobs.remove(job) }

    /// Looks at all jobs at once rather than at the next turn.
    func wake() { signal.notify() }

    func start() {
        hasStarted.store(true, ordering: .releasing)
        clock.start()
        let thread = Thread { [self] in
            while true {
                // Before the stop is looked at, so that none is missed in between.
                let seen = signal.seen
                guard !isStopping.load(ordering: .acquiring) else { break }
                let hasStepped = steps.hasStepped()
                for job in active { watch(job, renews: hasStepped) }
                signal.wait(since: seen, seconds: configuration.watchSeconds)
            }
            ended.signal()
        }
        thread.name = "lease-keeper"
        thread.start()
    }

    /// Ends the threads, after their turns. Does nothing where there are none.
    func stop() {
        guard hasStarted.exchange(false, ordering: .acquiringAndReleasing) else { return }
        isStopping.store(true, ordering: .releasing)
        signal.notify()
        ended.wait()
        clock.stop()
    }

    /// - Parameter renews: also where that is not due.
    private func watch(_ job: ActiveJob, renews: Bool) {
        // One that was given up is not renewed: nobody works under that lease any more.
        guard job.interruption != .leaseLost else { return }
        let now = ContinuousClock.now
        clock.ask(at: now)
        do {
            let status =
                try renews || isRenewalDue(job, now - job.renewed) ? renew(job, now) : store.status(of: job.lease)
            clock.answered()
            switch status {
            case .held: break
            case .cancelRequested: job.interrupt(.canceled)
            case .lost: job.interrupt(.leaseLost)
            }
        } catch {
            logger.error(
                "lease could not be looked at",
                metadata: ["job": .string(job.job.id.description), "error": .string("\(error)")])
        }
    }

    private func isRenewalDue(_ job: ActiveJob, _ age: Duration) -> Bool {
        age >= .seconds(configuration.leaseSeconds / WorkerConfiguration.renewalsPerLease)
            || (age >= .seconds(WorkerConfiguration.progressSeconds) && job.hasNewProgress())
    }

    private func renew(_ job: ActiveJob, _ now: ContinuousClock.Instant) throws -> LeaseStatus {
        let status = try job.renew(in: store, seconds: configuration.leaseSeconds, at: now)
        if status != .lost && job.lease.part == nil { onEvent(.progressed(job.job.id)) }
        return status
    }
}

/// The jobs, and parts of jobs, that run here, by their leases' tokens: a job may be led here, and a part of it followed
/// here, too.
private final class ActiveJobs: Sendable {
    private let byToken = Mutex<[String: ActiveJob]>([:])

    var all: [ActiveJob] { byToken.withLock { Array($0.values) } }

    func add(_ job: ActiveJob) { byToken.withLock { $0[job.lease.token] = job } }

    func remove(_ job: ActiveJob) { byToken.withLock { $0[job.lease.token] = nil } }
}
