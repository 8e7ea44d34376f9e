import Dispatch
import Jobs
import Logging
import Synchronization

/// Wakes those who wait for a job to change: event streams, answers that are held, results that are followed.
///
/// Workers of this process say when something has happened. What others did is found by a look at the store each second,
/// one query for all jobs that are watched. Nobody who waits has a thread: there is one timer and one queue for all,
/// and some threads for results that another machine has.
public final class JobWatch: Sendable {
    private struct Entry {
        let watched: WatchedJob
        /// Among jobs whose spec is long.
        let place: ConcurrencyLimit.Place?
        var watchers: [ObjectIdentifier: Watcher] = [:]

        var needsResult: Bool { watchers.values.contains { $0.needsResult } }
    }

    /// What is to be looked at again.
    private enum Look {
        case result
        case row
    }

    private struct State {
        var entries: [JobID: Entry] = [:]
        var due: [JobID: Look] = [:]
        /// Whether the queue is about to take what is due.
        var isLooking = false
        var lastLook = Duration.zero
        var isStopped = false
        /// Keys that were revoked: who came in with one of them waits no more.
        var closedKeys: Set<String> = []
    }

    /// How often the store is looked at for what other processes did.
    private static let lookInterval = Duration.seconds(1)
    /// Jobs whose specs are long that are watched at a time: what is known of a job is in memory for as long.
    private static let mostLong = 64

    private let store: any JobStore & JobRevisionStore
    private let blobs: any BlobStore
    private let timer: any WatchTimer
    private let logger: Logger
    private let state = Mutex(State())
    /// Where the store is read.
    let queue = DispatchQueue(label: "job-watch")
    /// Where results are opened that another machine has.
    let openings = ResultOpenings()
    private let longJobs = ConcurrencyLimit(JobWatch.mostLong)

    public init(
        store: any JobStore & JobRevisionStore, blobs: any BlobStore, timer: any WatchTimer = DispatchWatchTimer(),
        logger: Logger
    ) {
        self.store = store
        self.blobs = blobs
        self.timer = timer
        self.logger = logger
    }

    deinit { timer.stop() }

    // MARK: What happened

    /// The job's row has changed, or is gone. From any thread, at any time.
    public func jobChanged(_ id: JobID) { look(at: [(id, .row)]) }

    /// There is more of the job's result to read. From any thread, at any time.
    public func resultGrew(_ id: JobID) { look(at: [(id, .result)]) }

    /// The service stops: who waits is answered with what there is, and nobody waits any more.
    public func stop() {
        let watchers = state.withLock { state in
            state.isStopped = true
            return state.entries.values.flatMap(\.watchers.values)
        }
        timer.stop()
        for watcher in watchers { watcher.wake() }
    }

    /// Keys were revoked: who came in with one of them, and waits, waits no more. Nor does who was let in just before and
    /// comes to wait only now.
    func close(keys: Set<String>) {
        let watchers = state.withLock { state in
            state.closedKeys.formUnion(keys)
            return state.entries.values.flatMap(\.watchers.values).filter { $0.key.map(keys.contains) ?? false }
        }
        for watcher in watchers { watcher.wake() }
    }

    var isStopped: Bool { state.withLock { $0.isStopped } }

    /// Whether a key was revoked since the service began.
    func isClosed(key: String?) -> Bool { state.withLock { key.map($0.closedKeys.contains) ?? false } }

    /// Whether somebody who waits is to wait no more, whatever the job does.
    func isOver(for watcher: Watcher) -> Bool {
        state.withLock { $0.isStopped || watcher.key.map($0.closedKeys.contains) ?? false }
    }

    var now: Duration { timer.now() }

    // MARK: Who waits

    /// Starts to watch a job that was just read. What has changed since is found out, so that nothing is missed.
    ///
    /// - Parameters:
    ///   - key: the id of the key that the watcher came in with, where there was one.
    ///   - deadline: when to wake it though nothing has happened.
    ///   - wake: see ``Watcher/wake``. Kept until ``remove(_:)``.
    /// - Returns: `nil` where the service stops, or the job's spec is long and too many such jobs are watched.
    func watch(
        _ job: Job, key: String?, needsResult: Bool = false, deadline: Duration? = nil,
        wake: @escaping @Sendable () -> Void
    ) -> Watcher? {
        let watcher = state.withLock { state -> Watcher? in
            guard !state.isStopped, let entry = state.entries[job.id] ?? newEntry(for: job) else { return nil }
            if state.entries.isEmpty { timer.start { [weak self] in self?.tick() } }
            let watcher = Watcher(entry.watched, key: key, needsResult: needsResult, deadline: deadline, wake: wake)
            state.entries[job.id, default: entry].watchers[ObjectIdentifier(watcher)] = watcher
            return watcher
        }
        watcher?.watched.update(job)
        if watcher != nil { jobChanged(job.id) }
        return watcher
    }

    /// - Returns: `nil` where too many of its kind are watched.
    private func newEntry(for job: Job) -> Entry? {
        guard job.spec.isLong else { return Entry(watched: WatchedJob(job), place: nil) }
        return longJobs.place(for: job.tenant).map { Entry(watched: WatchedJob(job), place: $0) }
    }

    func remove(_ watcher: Watcher) {
        let id = watcher.watched.id
        // Released outside of the lock: a closure may hold the last reference to something that comes back here.
        let removed = state.withLock { state -> (Watcher?, Entry?) in
            let watcher = state.entries[id]?.watchers.removeValue(forKey: ObjectIdentifier(watcher))
            guard state.entries[id]?.watchers.isEmpty == true else { return (watcher, nil) }
            return (watcher, state.entries.removeValue(forKey: id))
        }
        withExtendedLifetime(removed) {}
    }

    // MARK: Looking

    /// Wakes those whose time has come, and looks at the store once a second.
    private func tick() {
        let now = timer.now()
        let (due, isLookDue) = state.withLock { state -> ([Watcher], Bool) in
            if state.entries.isEmpty { timer.stop() }
            let isLookDue = now - state.lastLook >= Self.lookInterval && !state.entries.isEmpty
            if isLookDue { state.lastLook = now }
            return (state.entries.values.flatMap { $0.watchers.values.filter { $0.isDue(now) } }, isLookDue)
        }
        for watcher in due { watcher.wake() }
        if isLookDue { queue.async { [weak self] in self?.lookAtAll() } }
    }

    /// Finds the jobs whose row is another than it was, and results that other processes may have gone on with.
    private func lookAtAll() {
        let entries = state.withLock { $0.entries.values.map { ($0.watched, $0.needsResult) } }
        let watched = entries.map { watched, needsResult in
            let snapshot = watched.snapshot
            return (
                id: watched.id, job: snapshot.job, needsResult: needsResult,
                lacksResult: needsResult && snapshot.job != nil && !snapshot.isResultKnown
            )
        }
        // What has ended changes no more, once its result was found.
        .filter { $0.job?.status.isFinal == false || $0.lacksResult }
        do {
            let revisions = try store.revisions(of: watched.map(\.id))
            let isRemote = blobs.isRemote
            look(
                at: watched.compactMap { watched in
                    if revisions[watched.id] != watched.job?.revision { return (watched.id, .row) }
                    // Of what is long in coming, the row is known: it is not read each second.
                    if watched.lacksResult { return (watched.id, isRemote ? .result : .row) }
                    return watched.needsResult && watched.job?.status == .running ? (watched.id, .result) : nil
                })
        } catch {
            logger.warning("watched jobs could not be looked at", metadata: ["error": .string("\(error)")])
        }
    }

    private func look(at jobs: [(JobID, Look)]) {
        let mustPerform = state.withLock { state in
            for (id, look) in jobs {
                guard let entry = state.entries[id], look == .row || entry.needsResult else { continue }
                if state.due[id] != .row { state.due[id] = look }
            }
            guard !state.due.isEmpty, !state.isLooking else { return false }
            state.isLooking = true
            return true
        }
        if mustPerform { queue.async { [weak self] in self?.lookAtDue() } }
    }

    private func lookAtDue() {
        let due = state.withLock { state in
            defer {
                state.due = [:]
                state.isLooking = false
            }
            return state.due.compactMap { id, look in state.entries[id].map { ($0, look) } }
        }
        for (entry, look) in due {
            if look == .result, blobs.isRemote {
                openLater(entry.watched)
                continue
            }
            do {
                try read(entry, look)
            } catch {
                // Its revision stays as it was, and so the next look at all finds it again.
                warn(of: error, entry.watched.id)
                continue
            }
            for watcher in entry.watchers.values { watcher.wake() }
        }
    }

    private func read(_ entry: Entry, _ look: Look) throws {
        let watched = entry.watched
        let known = watched.snapshot.job
        let job = look == .row ? try store.stored(watched.id, tenant: watched.tenant)?.read(knowing: known) : known
        var snapshot = WatchedJob.Snapshot(job: job)
        if let job, entry.needsResult {
            guard !blobs.isRemote else {
                // A result that is known stays where the row is the same.
                watched.update(job)
                return openLater(watched)
            }
            snapshot.result = try blobs.openResult(of: job)
            snapshot.isResultKnown = true
        }
        watched.update(snapshot)
    }

    private func warn(of error: any Error, _ id: JobID) {
        logger.warning(
            "a watched job could not be read",
            metadata: ["job": .string(id.description), "error": .string("\(error)")])
    }

    // MARK: Results that another machine has

    private func openLater(_ watched: WatchedJob) {
        let id = watched.id
        openings.submit(id, of: watched.tenant) { [weak self] in self?.openResult(of: id) }
    }

    private func openResult(of id: JobID) {
        let watched = state.withLock { state -> WatchedJob? in
            guard !state.isStopped, let entry = state.entries[id], entry.needsResult else { return nil }
            return entry.watched
        }
        guard let watched, let job = watched.snapshot.job else { return }
        do {
            watched.update(result: try blobs.openResult(of: job), of: job)
        } catch {
            // What is not known, and what may have grown, is opened again after the next look at all.
            return warn(of: error, id)
        }
        let watchers = state.withLock { state in state.entries[id].map { Array($0.watchers.values) } ?? [] }
        for watcher in watchers { watcher.wake() }
    }
}

extension BlobStore {
    /// A job's NDJSON result, or what can be read of it while it grows; `nil` where there is none.
    func openResult(of job: Job) throws -> (any BlobReader)? {
        if job.status.isFinal { return try job.resultKey.flatMap { try open($0) } }
        guard job.status == .running else { return nil }
        let key = job.id.resultKey(attempt: job.attempt)
        // Committed between the two looks, it is no longer partial.
        return try openPartial(key) ?? open(key)
    }
}
