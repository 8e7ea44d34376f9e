import Dispatch
import Synchronization

/// The time that waiting is measured in, and what looks at it now and then. Injected, so that tests decide it.
public protocol WatchTimer: Sendable {
    /// Since some moment; never goes back.
    func now() -> Duration

    /// Calls `tick` now and then, one call at a time, until ``stop()``.
    func start(_ tick: @escaping @Sendable () -> Void)

    /// A call that runs may still end.
    func stop()
}

/// The machine's clock, and one Dispatch timer.
public final class DispatchWatchTimer: WatchTimer {
    /// So late at most is an answer whose time is over.
    private static let interval = DispatchTimeInterval.milliseconds(250)

    private let began = ContinuousClock.now
    private let queue = DispatchQueue(label: "job-watch-timer")
    private let source = Mutex<(any DispatchSourceTimer)?>(nil)

    public init() {}

    deinit { stop() }

    public func now() -> Duration { began.duration(to: .now) }

    public func start(_ tick: @escaping @Sendable () -> Void) {
        source.withLock { source in
            source?.cancel()
            let timer = DispatchSource.makeTimerSource(queue: queue)
            timer.schedule(deadline: .now() + Self.interval, repeating: Self.interval)
            timer.setEventHandler(handler: DispatchWorkItem(block: tick))
            timer.activate()
            source = timer
        }
    }

    public func stop() {
        source.withLock { source in
            source?.cancel()
            source = nil
        }
    }
}
