import Dispatch
import Synchronization

/// The moment up to which everything that is under way when the service begins to stop may take: requests, jobs and
/// webhooks alike.
final class StopDeadline: Sendable {
    private static let queue = DispatchQueue(label: "lktrack.stop")

    private let seconds: Double
    private let graceSeconds: Double
    private let hurry: @Sendable () -> Void
    /// In nanoseconds, as DispatchTime counts them; `nil`: the service does not stop yet.
    private let time = Mutex<UInt64?>(nil)

    /// - Parameters:
    ///   - seconds: from the beginning of the stop to the deadline.
    ///   - graceSeconds: how long after the deadline something is waited for that does not let go, because a decoder, a
    ///     disk or another machine hangs.
    ///   - hurry: called once, at the deadline: what still runs is to let go, all of it at the same time. Must not block.
    init(seconds: Double, graceSeconds: Double = 10, hurry: @escaping @Sendable () -> Void) {
        self.seconds = seconds
        self.graceSeconds = graceSeconds
        self.hurry = hurry
    }

    /// The service stops. The first call sets the deadline, which all calls return. From any thread.
    func begin() -> DispatchTime {
        let own = (DispatchTime.now() + seconds).uptimeNanoseconds
        let earlier = time.withLock { time in
            defer { time = time ?? own }
            return time
        }
        let deadline = DispatchTime(uptimeNanoseconds: earlier ?? own)
        if earlier == nil { Self.queue.asyncAfter(deadline: deadline) { [hurry] in hurry() } }
        return deadline
    }

    /// Stops something that may hang, and waits for that no longer than its grace after the deadline. Blocks.
    func wait(for stop: @escaping @Sendable () -> Void) {
        let stopping = DispatchGroup()
        DispatchQueue(label: "lktrack.stop.part").async(group: stopping, execute: stop)
        _ = stopping.wait(timeout: begin() + graceSeconds)
    }
}
