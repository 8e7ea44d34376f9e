import HTTPServer
import Jobs
import Synchronization

/// The answer to `Prefer: wait=N` (RFC 7240 §4.3): held until the job is another than the client knows, or the time is
/// over.
final class HeldAnswer: Sendable {
    private let context: RequestContext
    /// How the job was when the request came. Of the rest of it, which may be long, nothing is kept.
    private let known: (status: JobStatus, attempt: Int)
    private let services: Services
    private let deadline: Duration
    /// Takes the job as it is then, `nil` where it was deleted, and whether it was waited for as long as it was to be.
    /// Called once.
    private let answer: @Sendable (Job?, _ isHonoured: Bool) -> Void
    private let state = Mutex(State())

    /// How soon the place of a client that has left is given back.
    private static let lookInterval = Duration.seconds(1)

    private struct State {
        var watcher: Watcher?
        var place: ConcurrencyLimit.Place?
        var isAnswered = false
    }

    init(
        to context: RequestContext, job: Job, wait: Duration, services: Services,
        answer: @escaping @Sendable (Job?, _ isHonoured: Bool) -> Void
    ) {
        self.context = context
        known = (job.status, job.attempt)
        self.services = services
        self.answer = answer
        deadline = services.watch.now + wait
    }

    /// Answers now or later; lives until then. Answers now also where the tenant may hold no further connection: a
    /// preference may be passed over (RFC 7240 §2).
    ///
    /// - Parameter job: the one that this was made for.
    func hold(_ job: Job) {
        guard isWorthWaiting(for: job) else { return give(job) }
        guard let place = services.streams.place(for: context.tenant) else { return give(job, isHonoured: false) }
        guard let watcher = services.watch.watch(job, key: context.key, deadline: nextLook, wake: { self.look() })
        else { return give(job, isHonoured: services.watch.isStopped) }
        state.withLock { ($0.watcher, $0.place) = (watcher, place) }
        // It may have been woken before.
        look()
    }

    private func look() {
        guard let watcher = state.withLock({ $0.watcher }) else { return }
        let current = watcher.watched.snapshot.job
        let isOver =
            services.watch.now >= deadline || services.watch.isOver(for: watcher) || context.request.hasClientLeft()
        if let current, !isOver, isWorthWaiting(for: current) { return watcher.wakeUp(at: nextLook) }
        give(current)
    }

    private var nextLook: Duration { min(deadline, services.watch.now + Self.lookInterval) }

    /// Whether the client learns nothing by this state of the job, and may still by a later one.
    private func isWorthWaiting(for current: Job) -> Bool {
        if current.status.isFinal { return false }
        switch Precondition.evaluate(context.request, current: services.tag(current)) {
        case .failed: return false
        case .notModified: return true
        case .proceed:
            return context.request.fields["If-None-Match"] == nil && current.status == known.status
                && current.attempt == known.attempt
        }
    }

    private func give(_ job: Job?, isHonoured: Bool = true) {
        let (isFirst, watcher) = state.withLock { state in
            defer { state = State(isAnswered: true) }
            return (!state.isAnswered, state.watcher)
        }
        if let watcher { services.watch.remove(watcher) }
        if isFirst { answer(job, isHonoured) }
    }
}
