import Foundation

/// Wakes threads that wait for something to do. A notification between looking and waiting is not lost: the waiter
/// names the notifications that it has seen.
///
/// `@unchecked Sendable`: `count` is guarded by `condition`.
final class WakeSignal: @unchecked Sendable {
    private let condition = NSCondition()
    private var count: UInt64 = 0

    /// Notifications so far.
    var seen: UInt64 { condition.withLock { count } }

    func notify() {
        condition.withLock { count += 1 }
        condition.broadcast()
    }

    /// Returns at once where there were notifications since `seen`, else at the next one or when the time is over.
    func wait(since seen: UInt64, seconds: Double) {
        let deadline = Date(timeIntervalSinceNow: seconds)
        condition.withLock {
            while count == seen, condition.wait(until: deadline) {}
        }
    }
}
