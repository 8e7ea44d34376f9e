import Foundation
import Jobs
import Logging
import Synchronization

/// Keeps the leases of all running jobs on a thread of its own, so that neither a slow decoder nor a slow tracker lets
/// one run out. The same thread brings cancellations to the jobs, and takes jobs from dead workers; a ``LeaseClock`` stops
/// those whose leases cannot be kept.
final class LeaseKeeper: Sendable {
    private let store: any JobStore
    private let canceled: CanceledJobs
    private let configuration: WorkerConfiguration
    private let logger: Logger
    private let onEvent: @Sendable (WorkerEvent) -> Void
    /// Told of jobs that went back to the queue.
    private let onRequeue: @Sendable () -> Void

    private let jobs = ActiveJobs()
    private let clock: LeaseClock
    private let hasStarted = Atomic(false)
    private let isStopping = Atomic(false)
    private let signal = WakeSignal()
    private let ended = DispatchSemaphore(value: 0)

    init(
        store: any JobStore, blobs: any BlobStore, configuration: WorkerConfiguration, logger: Logger,
        onEvent: @escaping @Sendable (WorkerEvent) -> Void, onRequeue: @escaping @Sendable () -> Void
    ) {
        self.store = store
        canceled = CanceledJobs(store: store, blobs: blobs, logger: logger)
        self.configuration = configuration
        self.logger = logger
        self.onEvent = onEvent
        self.onRequeue = onRequeue
        clock = LeaseClock(configuration: configuration, logger: logger) { [jobs] in jobs.all }
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
            var swept = ContinuousClock.now
            while !isStopping.load(ordering: .acquiring) {
                let seen = signal.seen
                for job in active { watch(job) }
                if ContinuousClock.now - swept >= .seconds(WorkerConfiguration.sweepSeconds) {
                    swept = .now
                    expireLeases()
                    failOverdue()
                }
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

    private func watch(_ job: ActiveJob) {
        // One that was given up is not renewed: nobody works under that lease any more.
        guard job.interruption != .leaseLost else { return }
        let now = ContinuousClock.now
        clock.ask(at: now)
        do {
            let status = try isRenewalDue(job, now - job.renewed) ? renew(job, now) : store.status(of: job.lease)
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
        let progress = job.progress
        let status = try store.heartbeat(job.lease, progress: progress, leaseSeconds: configuration.leaseSeconds)
        job.didRenew(progress, at: now)
        if status != .lost && job.lease.part == nil { onEvent(.progressed(job.job.id)) }
        return status
    }

    private func expireLeases() {
        clock.ask(at: .now)
        do {
            for job in try canceled.endThose(ofOwner: nil) { onEvent(.ended(job, .canceled)) }
            let expired = try store.expireLeases()
            clock.answered()
            guard !expired.isEmpty else { return }
            logger.warning(
                "leases ran out", metadata: ["jobs": .array(expired.map { .string($0.description) })])
            onRequeue()
        } catch {
            logger.error("leases could not be looked through", metadata: ["error": .string("\(error)")])
        }
    }

    private func failOverdue() {
        clock.ask(at: .now)
        do {
            let overdue = try store.failOverdue()
            clock.answered()
            guard !overdue.isEmpty else { return }
            logger.warning(
                "queued jobs failed at their deadlines",
                metadata: ["jobs": .array(overdue.map { .string($0.description) })])
            for job in overdue { onEvent(.ended(job, .failed)) }
        } catch {
            logger.error("deadlines could not be looked through", metadata: ["error": .string("\(error)")])
        }
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
