import Jobs
import Synchronization
import Workers

/// Collects a pool's events, lets a test wait for one, and can hold a worker at one.
final class EventLog: Sendable {
    private struct State {
        var events: [WorkerEvent] = []
        var waiters: [(event: @Sendable (WorkerEvent) -> Bool, resume: CheckedContinuation<WorkerEvent, Never>)] = []
        /// What is done on the worker's thread, and how often.
        var actions: [WorkerEvent: (times: Int, body: @Sendable () -> Void)] = [:]

        /// Returns what is to be done on the worker's thread.
        mutating func record(_ event: WorkerEvent) -> (@Sendable () -> Void)? {
            events.append(event)
            for waiter in waiters where waiter.event(event) { waiter.resume.resume(returning: event) }
            waiters.removeAll { $0.event(event) }
            guard let action = actions[event], action.times > 0 else { return nil }
            actions[event]?.times -= 1
            return action.body
        }
    }

    private let state = Mutex(State())

    var events: [WorkerEvent] { state.withLock { $0.events } }

    func record(_ event: WorkerEvent) {
        let action = state.withLock { $0.record(event) }
        action?()
    }

    /// Returns the first event of a kind, which may be past.
    @discardableResult
    func wait(for event: @escaping @Sendable (WorkerEvent) -> Bool) async -> WorkerEvent {
        await withCheckedContinuation { continuation in
            let past = state.withLock { state -> WorkerEvent? in
                if let past = state.events.first(where: event) { return past }
                state.waiters.append((event, continuation))
                return nil
            }
            if let past { continuation.resume(returning: past) }
        }
    }

    func wait(for event: WorkerEvent) async { await wait { $0 == event } }

    /// The next time that the event comes, its worker is held until ``Hold/open()``.
    func hold(at event: WorkerEvent) -> Hold {
        let hold = Hold()
        perform(times: 1, at: event) { hold.block() }
        return hold
    }

    /// Does something on the worker's thread, the first times that the event comes.
    func perform(times: Int, at event: WorkerEvent, _ body: @escaping @Sendable () -> Void) {
        state.withLock { $0.actions[event] = (times, body) }
    }

    /// The status with which a job ended.
    func end(of id: JobID) async -> JobStatus? {
        let event = await wait { event in
            if case .ended(id, _) = event { true } else { false }
        }
        if case .ended(_, let status) = event { return status }
        return nil
    }
}
