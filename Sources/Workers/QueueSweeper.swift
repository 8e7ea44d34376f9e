import Dispatch
import Jobs
import Logging
import Synchronization

/// Takes jobs from workers that are gone, and ends queued ones at their deadlines: now and then, on a queue of its own,
/// because to keep what a dead worker left of a canceled job may take long, and leases are to be renewed meanwhile.
final class QueueSweeper: Sendable {
    /// From the end of a sweep to the next, in seconds.
    private static let period = 1.0

    private let store: any JobStore
    private let canceled: CanceledJobs
    private let leaseSeconds: Double
    private let steps: ClockSteps
    /// Until when the living have time to renew their leases, after the clock was set forward.
    private let graceEnds = Mutex(ContinuousClock.now)
    private let logger: Logger
    private let onEvent: @Sendable (WorkerEvent) -> Void
    /// Told of jobs that went back to the queue.
    private let onRequeue: @Sendable () -> Void
    private let periodic = Periodic(
        label: "queue-sweeper", period: QueueSweeper.period, firstAfter: QueueSweeper.period)

    init(
        store: any JobStore, blobs: any BlobStore, leaseSeconds: Double, environment: any Environment, logger: Logger,
        onEvent: @escaping @Sendable (WorkerEvent) -> Void, onRequeue: @escaping @Sendable () -> Void
    ) {
        self.store = store
        canceled = CanceledJobs(store: store, blobs: blobs, logger: logger)
        self.leaseSeconds = leaseSeconds
        steps = ClockSteps(environment: environment, leaseSeconds: leaseSeconds)
        self.logger = logger
        self.onEvent = onEvent
        self.onRequeue = onRequeue
    }

    func start() {
        periodic.start { [weak self] in self?.sweep() }
    }

    /// Begins no further sweep; one that is under way does not go on with a long result. From any thread.
    func requestStop() { periodic.requestStop() }

    /// Waits for what was under way at ``requestStop()``. Returns whether it has ended; a store may hang.
    func wait(until deadline: DispatchTime) -> Bool { periodic.wait(until: deadline) }

    private func sweep() {
        failOverdue()
        if mayLeasesBeOver() { expireLeases() }
    }

    /// Not for the length of a lease after the clock was set forward: whoever lives renews it meanwhile.
    private func mayLeasesBeOver() -> Bool {
        let now = ContinuousClock.now
        if steps.hasStepped() {
            logger.warning("the clock was set forward; leases have their whole time again")
            graceEnds.withLock { $0 = now + .seconds(leaseSeconds) }
        }
        return graceEnds.withLock { now >= $0 }
    }

    private var isWanted: Bool { !periodic.isStopping }

    private func expireLeases() {
        do {
            // First, because those would be ended without their frames.
            for job in try canceled.endThose(ofOwner: nil, isWanted: { isWanted }) { onEvent(.ended(job, .canceled)) }
            // To keep those may have taken long.
            guard mayLeasesBeOver() else { return }
            let expired = try store.expireLeases()
            guard !expired.isEmpty else { return }
            logger.warning(
                "leases ran out", metadata: ["jobs": .array(expired.map { .string($0.description) })])
            onRequeue()
        } catch {
            guard isWanted else { return }
            logger.error("leases could not be looked through", metadata: ["error": .string("\(error)")])
        }
    }

    private func failOverdue() {
        do {
            let overdue = try store.failOverdue()
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
