import Jobs
import Synchronization

/// A job that somebody watches, as it was when it was last looked at. One for all who watch it, so that a thousand of
/// them cost one read of the store and one open file.
final class WatchedJob: Sendable {
    struct Snapshot: Sendable {
        /// `nil`: it was deleted.
        var job: Job?
        /// The NDJSON result as far as it can be read; `nil` where there is none, or nobody asked for it.
        var result: (any BlobReader)?
        /// Whether `result` says how things are: somebody asked for it when the job was last looked at, and it was
        /// opened since.
        var isResultKnown = false
        /// Another for each snapshot of a job in which there is something new.
        fileprivate(set) var version = 0

        /// Whether it is a bucket that has the result, which may take its time to answer.
        var isResultInBucket: Bool { result.map { $0.fileDescriptor == nil } ?? false }

        /// - Throws: 410 where the job has one that is gone.
        func result(of job: Job) throws(Problem) -> (any BlobReader)? {
            if result == nil, job.status.isFinal, job.resultKey != nil { throw ResultRoute.notKept }
            return result
        }

        /// Whether there is nothing new in it for whoever has seen another. A result only grows while the row stays.
        fileprivate func isSame(as other: Snapshot) -> Bool {
            job?.revision == other.job?.revision && isResultKnown == other.isResultKnown
                && result?.count == other.result?.count
        }
    }

    let id: JobID
    let tenant: TenantID
    private let state: Mutex<Snapshot>

    init(_ job: Job) {
        id = job.id
        tenant = job.tenant
        state = Mutex(Snapshot(job: job))
    }

    var snapshot: Snapshot { state.withLock { $0 } }

    /// Takes what was read. What is older than what is known already is passed over: two threads may read.
    func update(_ snapshot: Snapshot) {
        replace { current in
            if let new = snapshot.job, current.job.map({ new.revision < $0.revision }) ?? true { return nil }
            return snapshot
        }
    }

    /// Takes a job that was read by somebody who did not look at its result.
    func update(_ job: Job) {
        if snapshot.job.map({ $0.revision < job.revision }) ?? false { update(Snapshot(job: job)) }
    }

    /// Takes a result that was opened while the job was as given. Passed over where the job has another by now; where
    /// its row tells only of more progress it has the same, which may come more often than results are opened.
    func update(result: (any BlobReader)?, of job: Job) {
        replace { current in
            guard let known = current.job, known.status == job.status, known.attempt == job.attempt,
                known.resultKey == job.resultKey
            else { return nil }
            return Snapshot(job: known, result: result, isResultKnown: true)
        }
    }

    /// Makes a result unknown that could not be read, unless there is a newer snapshot.
    func forget(resultOf failed: Snapshot) {
        replace { $0.version == failed.version ? Snapshot(job: $0.job) : nil }
    }

    /// - Parameter next: makes of the snapshot what takes its place; `nil`: it stays.
    private func replace(_ next: (Snapshot) -> Snapshot?) {
        // Released outside of the lock: the last reference to a reader closes its file.
        let former = state.withLock { state -> Snapshot? in
            guard let new = next(state) else { return nil }
            let former = state
            state = new
            state.version = new.isSame(as: former) ? former.version : former.version + 1
            return former
        }
        withExtendedLifetime(former) {}
    }
}

/// Somebody who watches a job.
final class Watcher: Sendable {
    let watched: WatchedJob
    /// Whether the job's result is read, not only its row.
    let needsResult: Bool
    /// Called from any thread where there may be something new, or the time of ``wakeUp(at:)`` has come. Must not block.
    let wake: @Sendable () -> Void
    /// The id of the key that it came in with, where there was one.
    let key: String?
    private let deadline: Mutex<Duration?>

    init(
        _ watched: WatchedJob, key: String?, needsResult: Bool, deadline: Duration?,
        wake: @escaping @Sendable () -> Void
    ) {
        self.watched = watched
        self.key = key
        self.needsResult = needsResult
        self.wake = wake
        self.deadline = Mutex(deadline)
    }

    /// Sets the time of ``WatchTimer`` at which it is woken though nothing has happened.
    func wakeUp(at time: Duration) { deadline.withLock { $0 = time } }

    func isDue(_ now: Duration) -> Bool { deadline.withLock { $0.map { $0 <= now } ?? false } }
}
