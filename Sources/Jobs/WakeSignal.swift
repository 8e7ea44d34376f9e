import Glibc

/// Wakes threads that wait for something to do. A notification between looking and waiting is not lost: the waiter
/// names the notifications that it has seen, and asks for those before it looks (also whether it is to end).
///
/// `@unchecked Sendable`: `count` is guarded by `mutex`.
public final class WakeSignal: @unchecked Sendable {
    // Neither NSCondition nor a semaphore of Dispatch: on Linux both wait by the time of day, and would wait for an
    // hour longer where the clock is set back by one.
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var count: UInt64 = 0

    /// The longest wait, in seconds, so that every number of them is a time.
    private static let longest = 1e9
    private static let perSecond = 1_000_000_000

    public init() {
        mutex.initialize(to: pthread_mutex_t())
        pthread_mutex_init(mutex, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        condition.initialize(to: pthread_cond_t())
        pthread_cond_init(condition, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(condition)
        condition.deallocate()
        pthread_mutex_destroy(mutex)
        mutex.deallocate()
    }

    /// Notifications so far.
    public var seen: UInt64 { withLock { count } }

    /// Wakes all who wait. From any thread.
    public func notify() {
        withLock { count += 1 }
        pthread_cond_broadcast(condition)
    }

    /// Returns at once where there were notifications since `seen`, else at the next one or when the time is over.
    /// Blocks: not to be called on Swift's cooperative threads.
    public func wait(since seen: UInt64, seconds: Double) {
        var deadline = Self.time(in: seconds)
        withLock {
            while count == seen, pthread_cond_timedwait(condition, mutex, &deadline) == 0 {}
        }
    }

    private func withLock<Result>(_ body: () -> Result) -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return body()
    }

    /// A moment by the clock that nobody sets.
    private static func time(in seconds: Double) -> timespec {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        let nanoseconds = time.tv_nsec + Int(min(max(seconds, 0), longest) * Double(perSecond))
        time.tv_sec += nanoseconds / perSecond
        time.tv_nsec = nanoseconds % perSecond
        return time
    }
}
