import Foundation
import Jobs
import Media
import Synchronization

/// Why a running job is stopped before its end.
enum Interruption: Sendable {
    /// The client asked for it.
    case canceled
    /// `deadline_seconds` passed.
    case deadline
    /// The pool stops; the job goes back to the queue.
    case stopping
    /// Another worker may have it.
    case leaseLost
}

/// A job, or a part of one, that is being run here: what its worker and the thread that keeps its lease share.
final class ActiveJob: Sendable {
    let job: Job
    let lease: Lease
    /// Ends a blocked decoder.
    let cancellation = MediaCancellation()

    private struct State {
        var interruption: Interruption?
        var isPoolStopping = false
        var progress = JobProgress()
        var startedTracking: ContinuousClock.Instant?
        var storedProgress = JobProgress()
        var renewed: ContinuousClock.Instant
    }

    private let state: Mutex<State>
    private let claimed: ContinuousClock.Instant
    private let deadline: ContinuousClock.Instant?
    private let onInterrupt: @Sendable () -> Void
    /// Notified at each interruption, whether it counts or not.
    private let interrupted = WakeSignal()

    /// - Parameters:
    ///   - claimed: a moment that is not after the claim.
    ///   - onInterrupt: called once, after the first ``interrupt(_:)``.
    init(_ claim: ClaimedJob, claimed: ContinuousClock.Instant, onInterrupt: @escaping @Sendable () -> Void) {
        self.onInterrupt = onInterrupt
        self.claimed = claimed
        job = claim.job
        lease = claim.lease
        state = Mutex(State(renewed: claimed))
        // Counts from the submission, by the store's clock up to the claim and by one that nobody sets after it: an
        // attempt before this one, and the wait for it, are part of it.
        let waited = claim.job.startedAt.map { $0.timeIntervalSince(claim.job.createdAt) } ?? 0
        // Of a part the leader minds the deadline.
        deadline =
            claim.lease.part == nil ? claim.job.spec.deadlineSeconds.map { claimed + .seconds($0 - waited) } : nil
    }

    /// Since the claim.
    var age: Duration { .now - claimed }

    var interruption: Interruption? { state.withLock { $0.interruption } }

    /// Whether its pool stops its jobs, also where it was interrupted for another reason before.
    var isPoolStopping: Bool { state.withLock { $0.isPoolStopping } }

    /// Whether nothing may be tried again for it: another worker may have it, or its pool stops.
    var isTimeOver: Bool { interruption == .leaseLost || isPoolStopping }

    /// The first reason counts, but a lost lease counts more than any.
    func interrupt(_ reason: Interruption) {
        let isFirst = state.withLock { state in
            defer {
                if state.interruption == nil || reason == .leaseLost { state.interruption = reason }
                if reason == .stopping { state.isPoolStopping = true }
            }
            return state.interruption == nil
        }
        interrupted.notify()
        guard isFirst else { return }
        cancellation.cancel()
        onInterrupt()
    }

    /// Blocks the job's thread for a moment, to try or to look again after it.
    ///
    /// - Parameter isOver: what interruption ends the wait, asked before it and at each. A caller that waits in a loop
    ///   leaves that loop where this holds, or it would no longer wait.
    func wait(seconds: Double, orUntil isOver: () -> Bool) {
        let deadline = ContinuousClock.now + .seconds(seconds)
        while true {
            let seen = interrupted.seen
            let left = (deadline - .now) / .seconds(1)
            guard left > 0, !isOver() else { return }
            interrupted.wait(since: seen, seconds: left)
        }
    }

    func isOverdue(_ now: ContinuousClock.Instant) -> Bool { deadline.map { now >= $0 } ?? false }

    // MARK: Progress

    var progress: JobProgress { state.withLock { $0.progress } }

    /// Starts to count, also anew after a decoder died.
    func beginTracking(framesTotal: Int?) {
        state.withLock { state in
            state.progress = JobProgress(framesTotal: framesTotal)
            state.startedTracking = .now
        }
    }

    func countFrame() { count { $0 + 1 } }

    /// So many frames are done by now, by all who work on the job.
    func count(frames: Int) { count { _ in frames } }

    private func count(_ frames: (Int) -> Int) {
        let now = ContinuousClock.now
        state.withLock { state in
            state.progress.framesDone = frames(state.progress.framesDone)
            let seconds = state.startedTracking.map { ($0.duration(to: now)) / .seconds(1) } ?? 0
            state.progress.framesPerSecond = seconds > 0 ? Double(state.progress.framesDone) / seconds : 0
        }
    }

    /// The whole job is done; where the number of frames was an estimate, it is known now.
    func completeProgress() {
        state.withLock { $0.progress.framesTotal = $0.progress.framesDone }
    }

    // MARK: The lease

    /// Since when nobody has renewed the lease.
    var renewed: ContinuousClock.Instant { state.withLock { $0.renewed } }

    func hasNewProgress() -> Bool { state.withLock { $0.progress != $0.storedProgress } }

    /// Renews the lease, and stores the progress with it.
    ///
    /// - Parameter now: a moment that is not after the call.
    func renew(
        in store: any JobStore, seconds: Double, at now: ContinuousClock.Instant
    ) throws -> LeaseStatus {
        let progress = progress
        let status = try store.heartbeat(lease, progress: progress, leaseSeconds: seconds)
        state.withLock { state in
            state.storedProgress = progress
            state.renewed = now
        }
        return status
    }
}
