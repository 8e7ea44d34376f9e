import HTTPServer
import Jobs
import Synchronization

/// What a watcher is sent: bytes made of what a job is now and of what was sent before.
protocol JobFeed: Sendable {
    /// Appends what is new; nothing where there is nothing.
    ///
    /// - Returns: whether that was the last.
    /// - Throws: where the body cannot go on; the client sees that it is cut off.
    mutating func append(_ seen: WatchedJob.Snapshot, to bytes: inout [UInt8]) throws -> Bool

    /// Sent at the start, so that the client has its answer.
    static var preamble: [UInt8] { get }

    /// Sent after a while in which there was nothing else; empty: nothing.
    static var sign: [UInt8] { get }

    /// Whether a body that ends before the job is whole all the same, because its client comes back for the rest.
    static var mayBreakOff: Bool { get }
}

/// The service stops or the key was revoked, and the client gets less than it asked for.
struct FeedCutOff: Error {}

/// A feed as a response's body. Nobody waits for it: ``JobWatch`` wakes the connection.
final class JobFeedBody<Feed: JobFeed>: HTTPLiveBodyStream {
    private struct State {
        var feed: Feed
        /// Made and not sent yet.
        var pending: ArraySlice<UInt8> = ArraySlice(Feed.preamble)
        var isOver = false
        var wake: (@Sendable () -> Void)?
    }

    /// HTML §9.2.7 suggests a comment every 15 seconds, for proxies that cut what seems idle.
    private let signInterval = Duration.seconds(15)

    private let watch: JobWatch
    private let state: Mutex<State>
    private let watcher = Mutex<Watcher?>(nil)

    /// - Parameter key: the id of the key that asks, where there is one: when it is revoked, the body ends.
    /// - Throws: 503 where the service stops.
    init(_ feed: Feed, job: Job, key: String?, needsResult: Bool, watch: JobWatch) throws(Problem) {
        self.watch = watch
        state = Mutex(State(feed: feed))
        let deadline = Feed.sign.isEmpty ? nil : watch.now + signInterval
        let made = watch.watch(job, key: key, needsResult: needsResult, deadline: deadline) { [weak self] in
            self?.state.withLock { $0.wake }?()
        }
        guard let made else { throw Admission.stopping }
        watcher.withLock { $0 = made }
    }

    deinit {
        if let watcher = watcher.withLock({ $0 }) { watch.remove(watcher) }
    }

    var count: Int64? { nil }

    func attach(wake: @escaping @Sendable () -> Void) { state.withLock { $0.wake = wake } }

    func pending() -> Bool { state.withLock { !$0.isOver } }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        guard let watcher = watcher.withLock({ $0 }) else { return 0 }
        return try state.withLock { state in
            if state.pending.isEmpty { try refill(&state, watcher) }
            let count = min(state.pending.count, buffer.count)
            buffer.copyBytes(from: state.pending.prefix(count))
            // An empty slice would keep its bytes while the connection waits.
            state.pending = count == state.pending.count ? [] : state.pending.dropFirst(count)
            return count
        }
    }

    private func refill(_ state: inout State, _ watcher: Watcher) throws {
        guard !state.isOver else { return }
        if watch.isOver(for: watcher) {
            guard Feed.mayBreakOff else { throw FeedCutOff() }
            state.isOver = true
            return
        }
        var bytes: [UInt8] = []
        state.isOver = try state.feed.append(watcher.watched.snapshot, to: &bytes)
        let now = watch.now
        if bytes.isEmpty, !state.isOver, watcher.isDue(now) { bytes = Feed.sign }
        if !bytes.isEmpty, !Feed.sign.isEmpty { watcher.wakeUp(at: now + signInterval) }
        state.pending = bytes[...]
    }
}
