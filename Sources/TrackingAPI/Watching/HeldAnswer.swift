import HTTPServer
import Jobs
import Synchronization

/// The answer to `Prefer: wait=N` (RFC 7240 §4.3): held until the job is another than the client knows, or the time is
/// over.
final class HeldAnswer: Sendable {
    private let context: RequestContext
    /// As it was when the request came.
    private let job: Job
    private let services: Services
    private let deadline: Duration
    /// Takes the job as it is then; `nil` where it was deleted. Called once.
    private let answer: @Sendable (Job?) -> Void
    private let state = Mutex(State())

    private struct State {
        var watcher: Watcher?
        var isAnswered = false
    }

    init(
        to context: RequestContext, job: Job, wait: Duration, services: Services,
        answer: @escaping @Sendable (Job?) -> Void
    ) {
        self.context = context
        self.job = job
        self.services = services
        self.answer = answer
        deadline = services.watch.now + wait
    }

    /// Answers now or later; lives until then.
    func hold() {
        guard isWorthWaiting(for: job) else { return give(job) }
        guard let watcher = services.watch.watch(job, key: context.key, deadline: deadline, wake: { self.look() })
        else { return give(job) }
        state.withLock { $0.watcher = watcher }
        // It may have been woken before.
        look()
    }

    private func look() {
        guard let watcher = state.withLock({ $0.watcher }) else { return }
        let current = watcher.watched.snapshot.job
        let isOver = services.watch.now >= deadline || services.watch.isOver(for: watcher)
        if let current, !isOver, isWorthWaiting(for: current) { return }
        give(current)
    }

    /// Whether the client learns nothing by this state of the job, and may still by a later one.
    private func isWorthWaiting(for current: Job) -> Bool {
        if current.status.isFinal { return false }
        switch Precondition.evaluate(context.request, current: services.tag(current)) {
        case .failed: return false
        case .notModified: return true
        case .proceed:
            return context.request.fields["If-None-Match"] == nil && current.status == job.status
                && current.attempt == job.attempt
        }
    }

    private func give(_ job: Job?) {
        let (isFirst, watcher) = state.withLock { state in
            defer { state = State(isAnswered: true) }
            return (!state.isAnswered, state.watcher)
        }
        if let watcher { services.watch.remove(watcher) }
        if isFirst { answer(job) }
    }
}
