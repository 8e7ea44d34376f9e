import HTTPServer
import Jobs
import Synchronization

/// What a watcher is sent: bytes made of what a job is now and of what was sent before.
protocol JobFeed: Sendable {
    /// Appends what is new; nothing where there is nothing. Looks at a bounded part of the result only, because it is
    /// called on the connection's thread.
    ///
    /// - Parameter obstacle: asked before the text of a whole job is appended: what to return instead of doing it now.
    /// - Throws: where the body cannot go on; the client sees that it is cut off.
    mutating func append(
        _ seen: WatchedJob.Snapshot, to bytes: inout [UInt8], obstacle: (Job) -> FeedStep?
    ) throws -> FeedStep

    /// Sent at the start, so that the client has its answer.
    static var preamble: [UInt8] { get }

    /// Sent after a while in which there was nothing else; empty: nothing.
    static var sign: [UInt8] { get }

    /// Whether a body that ends before the job is whole all the same, because its client comes back for the rest.
    static var mayBreakOff: Bool { get }
}

/// What a call of ``JobFeed/append(_:to:)`` has come to.
enum FeedStep {
    /// There is no more now, or more once this is sent.
    case waits
    /// The rest takes a thread that may take its time: nothing was found in what was looked at of the result, the result is
    /// in a bucket, or the job's text is long.
    case looksOn
    /// There is more, for which there is no room in memory now.
    case waitsForRoom
    /// That was the last.
    case over
}

/// The service stops or the key was revoked, and the client gets less than it asked for.
struct FeedCutOff: Error, CustomStringConvertible {
    var description: String { "the service stops, or the key was revoked" }
}

/// A feed as a response's body. Nobody waits for it: ``JobWatch`` wakes the connection. Where much of a result is to be
/// passed over or a job's text is long, and where the result is in a bucket, a thread of a ``ConversionPool`` does it, a
/// part at a time, in turn with what others want of it.
final class JobFeedBody<Feed: JobFeed>: HTTPLiveBodyStream {
    private struct State {
        var feed: Feed
        /// What is ``pending``, where it is long.
        var held: HeldText?
        /// Made and not sent yet.
        var pending: ArraySlice<UInt8> = ArraySlice(Feed.preamble)
        var isOver = false
        /// When the next sign is to be sent, where nothing else was.
        var signDue: Duration
        /// Whether a thread of the pool has the feed, or will.
        var isLooking = false
        /// What such a thread has come to last, where it found nothing to send.
        var found: (version: Int, step: FeedStep)?
        /// How often in a row the result could not be read.
        var failedReads = 0
        var failure: (any Error)?
        var wake: (@Sendable () -> Void)?
    }

    /// HTML §9.2.7 suggests a comment every 15 seconds, for proxies that cut what seems idle.
    private let signInterval = Duration.seconds(15)

    /// When to look again for room in memory.
    private let roomInterval = Duration.seconds(1)

    /// Steps of a feed in one turn at the pool: some MiB of a result.
    private static var stepsAtOnce: Int { 16 }

    /// So often in a row a result in a bucket is opened again that could not be read.
    private static var mostFailedReads: Int { 3 }

    private let watch: JobWatch
    private let pool: ConversionPool
    private let memory: TextMemory
    private let place: ConcurrencyLimit.Place
    private let state: Mutex<State>
    private let watcher = Mutex<Watcher?>(nil)

    /// - Parameter key: the id of the key that asks, where there is one: when it is revoked, the body ends.
    /// - Throws: 503 where the service stops, or no further client may wait; 429 where none of the job's tenant may.
    init(_ feed: Feed, job: Job, key: String?, needsResult: Bool, services: Services) throws(Problem) {
        watch = services.watch
        pool = needsResult && services.blobs.isRemote ? services.bucketReads : services.conversions
        memory = services.textMemory
        place = try services.streams.requirePlace(for: job.tenant)
        let signDue = services.watch.now + signInterval
        state = Mutex(State(feed: feed, signDue: signDue))
        let deadline = Feed.sign.isEmpty ? nil : signDue
        let made = watch.watch(job, key: key, needsResult: needsResult, deadline: deadline) { [weak self] in
            self?.state.withLock { $0.wake }?()
        }
        guard let made else {
            if watch.isStopped { throw Admission.stopping }
            throw Problem(.unavailable, "Too many jobs with long specs are watched. Try again.").retryAfter(1)
        }
        watcher.withLock { $0 = made }
    }

    deinit {
        if let watcher = watcher.withLock({ $0 }) { watch.remove(watcher) }
    }

    var count: Int64? { nil }

    func attach(wake: @escaping @Sendable () -> Void) { state.withLock { $0.wake = wake } }

    func pending() -> Bool { state.withLock { !$0.isOver || !$0.pending.isEmpty || $0.failure != nil } }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        guard let watcher = watcher.withLock({ $0 }) else { return 0 }
        let (count, mustLook) = try state.withLock { state in
            let wasLooking = state.isLooking
            if state.pending.isEmpty { try refill(&state, watcher) }
            let count = min(state.pending.count, buffer.count)
            buffer.copyBytes(from: state.pending.prefix(count))
            // An empty slice would keep its bytes while the connection waits.
            state.pending = count == state.pending.count ? [] : state.pending.dropFirst(count)
            if state.pending.isEmpty { state.held = nil }
            return (count, state.isLooking && !wasLooking)
        }
        if mustLook { lookLater() }
        return count
    }

    private func refill(_ state: inout State, _ watcher: Watcher) throws {
        if let failure = state.failure { throw failure }
        guard !state.isOver else { return }
        var bytes: [UInt8] = []
        var needsRoom = false
        if try isOver(watcher) {
            state.isOver = true
        } else if !state.isLooking {
            let step = try step(&state, watcher, &bytes)
            state.isOver = step == .over
            state.isLooking = step == .looksOn
            needsRoom = step == .waitsForRoom
        }
        let now = watch.now
        if bytes.isEmpty, !state.isOver, now >= state.signDue { bytes = Feed.sign }
        if !bytes.isEmpty { state.signDue = now + signInterval }
        if needsRoom {
            watcher.wakeUp(at: min(state.signDue, now + roomInterval))
        } else if !bytes.isEmpty, !Feed.sign.isEmpty {
            watcher.wakeUp(at: state.signDue)
        }
        state.pending = bytes[...]
        hold(&state)
    }

    /// Lets what is pending count, where it is long.
    private func hold(_ state: inout State) {
        guard state.pending.count > APILimits.ordinaryTextBytes else { return }
        state.held = HeldText(memory, tenant: place.tenant, keeping: state.pending.count)
    }

    /// On the connection's thread.
    private func step(_ state: inout State, _ watcher: Watcher, _ bytes: inout [UInt8]) throws -> FeedStep {
        let seen = watcher.watched.snapshot
        guard readsBucket(seen, watcher) else { return try step(&state.feed, seen, &bytes, mayTakeLong: false) }
        guard let found = state.found, found.version == seen.version else { return .looksOn }
        // There may be room the next time.
        if found.step == .waitsForRoom { state.found = nil }
        return found.step
    }

    /// Whether what this body is made of is in a bucket. A feed that needs no result does not wait for those that do.
    private func readsBucket(_ seen: WatchedJob.Snapshot, _ watcher: Watcher) -> Bool {
        watcher.needsResult && seen.isResultInBucket
    }

    /// Whether the body ends here, whatever the feed has.
    private func isOver(_ watcher: Watcher) throws(FeedCutOff) -> Bool {
        guard watch.isOver(for: watcher) else { return false }
        guard Feed.mayBreakOff else { throw FeedCutOff() }
        return true
    }

    /// - Parameter mayTakeLong: whether this thread is not the connection's.
    private func step(
        _ feed: inout Feed, _ seen: WatchedJob.Snapshot, _ bytes: inout [UInt8], mayTakeLong: Bool
    ) throws -> FeedStep {
        let step = try feed.append(seen, to: &bytes) { job in
            guard job.spec.isLong else { return nil }
            guard memory.hasRoom(for: place.tenant) else { return .waitsForRoom }
            return mayTakeLong ? nil : .looksOn
        }
        // What was found is sent first.
        return step == .looksOn && !bytes.isEmpty ? .waits : step
    }

    // MARK: On a pool's threads

    /// A feed in one turn at the pool, and what it has come to.
    private struct Turn {
        var feed: Feed
        var failedReads: Int
        var last = FeedStep.looksOn
        var bytes: [UInt8] = []
        var failure: (any Error)?
    }

    /// A body that is let go of meanwhile is not kept.
    private func lookLater() {
        pool.submit(place.tenant) { [weak self] in self?.lookOn() }
    }

    private func lookOn() {
        guard let watcher = watcher.withLock({ $0 }) else { return }
        // Nobody else touches it meanwhile.
        let begun = state.withLock { Turn(feed: $0.feed, failedReads: $0.failedReads) }
        let seen = watcher.watched.snapshot
        var turn = begun
        do {
            for _ in 0..<Self.stepsAtOnce where turn.last == .looksOn {
                turn.last = try isOver(watcher) ? .over : step(&turn.feed, seen, &turn.bytes, mayTakeLong: true)
            }
            if readsBucket(seen, watcher) { turn.failedReads = 0 }
        } catch  where mayReadAgain(after: error, begun, seen, watcher) {
            turn = begun
            turn.last = .waits
            turn.failedReads += 1
            watcher.watched.forget(resultOf: seen)
            watch.jobChanged(watcher.watched.id)
        } catch {
            turn.failure = error
        }
        finish(turn, seen)
    }

    /// Whether the result may be whole elsewhere: what another machine wrote of it so far is removed when its job ends.
    private func mayReadAgain(
        after error: any Error, _ turn: Turn, _ seen: WatchedJob.Snapshot, _ watcher: Watcher
    ) -> Bool {
        guard !(error is FeedCutOff), !(error is Problem) else { return false }
        return readsBucket(seen, watcher) && turn.failedReads < Self.mostFailedReads
    }

    private func finish(_ turn: Turn, _ seen: WatchedJob.Snapshot) {
        let isDone = turn.last != .looksOn || turn.failure != nil
        let found: (version: Int, step: FeedStep)? = turn.bytes.isEmpty ? (seen.version, turn.last) : nil
        let wake = state.withLock { state in
            state.feed = turn.feed
            state.failedReads = turn.failedReads
            state.found = found
            state.isLooking = !isDone
            state.isOver = state.isOver || turn.last == .over
            state.failure = turn.failure
            // It may hold a sign.
            state.pending += turn.bytes
            hold(&state)
            return state.wake
        }
        if isDone { wake?() } else { lookLater() }
    }
}
