import Dispatch
import Foundation
import Jobs
import Logging
import Synchronization

/// Claims jobs and runs them, a few at a time, each on a Dispatch queue of its own.
public final class WorkerPool: Sendable {
    private let store: any JobStore
    private let configuration: WorkerConfiguration
    private let logger: Logger
    private let runner: JobRunner
    private let backlog: Backlog
    private let recovery: Recovery
    private let owners: OwnerRegistry
    private let keeper: LeaseKeeper
    private let sweeper: QueueSweeper
    private let queued: WakeSignal
    private let meter: any WorkerMeter
    private let onEvent: @Sendable (WorkerEvent) -> Void
    private let isStopping = Atomic(false)
    /// Running jobs must end now.
    private let isInterrupting = Atomic(false)
    private let alive = Atomic(0)
    private let running = DispatchGroup()

    /// How long jobs may take to stop once they are told to, at the deadline of ``stop(by:)``: a decoder, a disk or a
    /// database may hang. In seconds.
    private static let interruptionSeconds = 10.0

    /// - Parameters:
    ///   - owners: this process among those that work on the same data; its maker closes it, after ``stop(by:)``.
    ///   - environment: gives the time of day.
    ///   - meter: told of what takes how long.
    ///   - onEvent: told of what happens to jobs, on the workers' threads.
    public init(
        store: any JobStore, blobs: any BlobStore, owners: OwnerRegistry,
        configuration: WorkerConfiguration = WorkerConfiguration(), environment: any Environment = SystemEnvironment(),
        logger: Logger, meter: any WorkerMeter = NoWorkerMeter(),
        onEvent: @escaping @Sendable (WorkerEvent) -> Void = { _ in }
    ) {
        let queued = WakeSignal()
        self.store = store
        self.configuration = configuration
        self.logger = logger
        self.owners = owners
        self.queued = queued
        self.meter = meter
        self.onEvent = onEvent
        runner = JobRunner(
            store: store, blobs: blobs, configuration: configuration, logger: logger, meter: meter
        ) { event in
            onEvent(event)
            if case .offered = event { queued.notify() }
        }
        backlog = Backlog(store)
        recovery = Recovery(
            store: store, blobs: blobs, owners: owners, sharesBlobs: configuration.sharesBlobs,
            environment: environment, logger: logger)
        keeper = LeaseKeeper(
            store: store, configuration: configuration, environment: environment, logger: logger, onEvent: onEvent)
        sweeper = QueueSweeper(
            store: store, blobs: blobs, leaseSeconds: configuration.leaseSeconds, environment: environment,
            logger: logger, onEvent: onEvent
        ) { queued.notify() }
    }

    /// Puts in order what dead processes left behind, then starts the workers.
    public func start() throws {
        try recovery.run()
        keeper.start()
        sweeper.start()
        for number in 1...max(configuration.workers, 1) {
            running.enter()
            alive.wrappingAdd(1, ordering: .relaxed)
            DispatchQueue(label: "worker-\(number)").async { [self] in
                work()
                alive.wrappingSubtract(1, ordering: .relaxed)
                running.leave()
            }
        }
    }

    /// Wakes idle workers, who otherwise look once a second.
    public func notifyJobQueued() { queued.notify() }

    /// Brings a cancellation or a deletion to the job's worker at once, where it runs here.
    public func notifyCancel(_: JobID) { keeper.wake() }

    /// Workers that take jobs, or are running one.
    public var workersAlive: Int { alive.load(ordering: .relaxed) }

    /// Takes no more jobs, nor parts of any; what runs goes on. From any thread, any number of times.
    public func stopClaiming() {
        isStopping.store(true, ordering: .releasing)
        sweeper.requestStop()
        queued.notify()
    }

    /// Ends the wait of ``stop(by:)``: what still runs is given back to the queue at once. From any thread.
    public func hurry() {
        isInterrupting.store(true, ordering: .sequentiallyConsistent)
        for job in keeper.active { job.interrupt(.stopping) }
    }

    /// Takes no more jobs, lets those that run finish, and gives back to the queue those that are not done by the deadline.
    /// Blocks until then: not to be called on Swift's cooperative threads. Once; a pool does not start again.
    public func stop(by deadline: DispatchTime) {
        stopClaiming()
        if running.wait(timeout: deadline) == .timedOut {
            hurry()
            if running.wait(timeout: deadline + Self.interruptionSeconds) == .timedOut {
                logger.error("workers did not stop; their jobs go on when their leases run out")
            }
        }
        if !sweeper.wait(until: max(deadline, .now()) + Self.interruptionSeconds) {
            logger.error("a sweep did not stop; the next process goes on with it")
        }
        keeper.stop()
    }

    private func work() {
        while true {
            // Before the stop is looked at, so that none is missed in between.
            let seen = queued.seen
            guard !isStopping.load(ordering: .acquiring) else { return }
            if let job = claim() {
                run(job)
            } else if let (job, part) = claimPart() {
                run(job, part)
            } else {
                queued.wait(since: seen, seconds: configuration.pollSeconds)
            }
        }
    }

    private func claim() -> ActiveJob? {
        let now = ContinuousClock.now
        do {
            let claim = try store.claim(owner: owners.owner, leaseSeconds: configuration.leaseSeconds)
            return claim.map { claim in
                ActiveJob(claim, claimed: now) { [onEvent] in onEvent(.interrupted(claim.job.id)) }
            }
        } catch {
            logger.error("no job could be claimed", metadata: ["error": .string("\(error)")])
            return nil
        }
    }

    /// Jobs come first: as long as some wait, sharing one out brings nothing.
    private func claimPart() -> (ActiveJob, JobPart)? {
        guard configuration.partTargets > 0 else { return nil }
        let now = ContinuousClock.now
        do {
            let claim = try store.claimPart(owner: owners.owner, leaseSeconds: configuration.leaseSeconds)
            return claim.map { (ActiveJob(ClaimedJob(job: $0.job, lease: $0.lease), claimed: now) {}, $0.part) }
        } catch {
            logger.error("no part of a job could be claimed", metadata: ["error": .string("\(error)")])
            return nil
        }
    }

    private func run(_ job: ActiveJob, _ part: JobPart) {
        keep(job, "part of a job started", .partClaimed(job.job.id, part: part.number)) {
            PartRunner(runner: $0).run(job, part)
        }
        onEvent(.partEnded(job.job.id, part: part.number))
    }

    private func run(_ job: ActiveJob) {
        if let started = job.job.startedAt {
            meter.jobStarted(waited: .seconds(max(0, started.timeIntervalSince(job.job.createdAt))))
        }
        keep(job, "job started", .claimed(job.job.id, attempt: job.job.attempt)) { $0.run(job) }
    }

    /// Keeps the lease while `work` runs, which is told to stop at once where the pool is stopping its jobs.
    private func keep(_ job: ActiveJob, _ message: Logger.Message, _ event: WorkerEvent, _ work: (JobRunner) -> Void) {
        keeper.add(job)
        logger.info(message, metadata: runner.metadata(job, nil))
        onEvent(event)
        if isInterrupting.load(ordering: .sequentiallyConsistent) { job.interrupt(.stopping) }
        var runner = runner
        if backlog.begin(job.job) { runner.configuration = configuration.standingBack }
        work(runner)
        backlog.end(job.job)
        keeper.remove(job)
    }
}
