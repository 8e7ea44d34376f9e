import Dispatch
import Synchronization

/// Does something now and then until it is stopped: one run at a time, on a Dispatch queue of its own, where each may
/// block for as long as it likes. Stopped once, it does not start again.
public final class Periodic: Sendable {
    private let queue: DispatchQueue
    private let period: Double
    private let firstAfter: Double
    private let isOver = Atomic(false)

    /// - Parameters:
    ///   - label: of the queue, for those who look at threads.
    ///   - period: from the end of a run to the next, in seconds.
    ///   - firstAfter: from ``start(_:)`` to the first run, in seconds.
    public init(label: String, qos: DispatchQoS = .unspecified, period: Double, firstAfter: Double = 0) {
        queue = DispatchQueue(label: label, qos: qos)
        self.period = period
        self.firstAfter = firstAfter
    }

    /// How often to look for what is over its time: a tenth of that, between a second and a minute.
    ///
    /// - Parameter life: how long things are kept, in seconds.
    public static func period(ofLife life: Double) -> Double { min(max(life / 10, 1), 60) }

    /// Whether it was told to stop. To be asked by a long run, which may then end early. From any thread.
    public var isStopping: Bool { isOver.load(ordering: .acquiring) }

    /// Begins, once. Does not block: the first run is on the queue, too.
    ///
    /// - Parameter body: a run. What goes wrong in one is its own to log: the next comes all the same. It is kept for
    ///   as long as runs follow, so it is to hold the owner of this weakly; runs end with the owner.
    public func start(_ body: @escaping @Sendable () -> Void) { run(body, after: firstAfter) }

    private func run(_ body: @escaping @Sendable () -> Void, after seconds: Double) {
        queue.asyncAfter(deadline: .now() + seconds) { [weak self] in
            guard let self, !isStopping else { return }
            body()
            run(body, after: period)
        }
    }

    /// Begins no further run, and does not wait for one that is under way. From any thread, any number of times.
    public func requestStop() { isOver.store(true, ordering: .releasing) }

    /// Waits for the run that was under way at ``requestStop()``. Blocks; not to be called by a run.
    ///
    /// - Returns: whether it has ended by the deadline; what a run waits for may hang.
    public func wait(until deadline: DispatchTime) -> Bool {
        let ended = DispatchGroup()
        queue.async(group: ended) {}
        return ended.wait(timeout: deadline) == .success
    }

    /// Begins no further run, and returns when none is under way. Blocks for as long as that takes; not to be called by
    /// a run.
    public func stop() {
        requestStop()
        _ = wait(until: .distantFuture)
    }
}
