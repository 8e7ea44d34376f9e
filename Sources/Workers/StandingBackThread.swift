import CLinux
import Dispatch
import Glibc
import Synchronization

/// A thread with a niceness of its own that computes for another, which waits meanwhile.
///
/// That a whole job cannot run on such a thread has two reasons: a process without privileges can raise a niceness, but
/// not lower it again, and threads that Dispatch starts for it would have its niceness, and keep it for what comes after.
final class StandingBackThread: Sendable {
    private let work: Work

    /// `nil` where the system has no thread left.
    ///
    /// - Parameter niceness: what is added; see setpriority(2). Where it is refused, the thread is as others.
    init?(niceness: Int32) {
        work = Work(niceness: niceness)
        let context = Unmanaged.passRetained(work)
        var thread = pthread_t()
        let result = pthread_create(
            &thread, nil,
            { context in
                guard let context else { return nil }
                Unmanaged<Work>.fromOpaque(context).takeRetainedValue().loop()
                return nil
            }, context.toOpaque())
        guard result == 0 else {
            context.release()
            return nil
        }
        pthread_detach(thread)
    }

    /// The thread ends.
    deinit { work.begin(nil) }

    /// Computes on the thread, and waits for it. `body` must start nothing. For one caller at a time.
    func run(_ body: @escaping @Sendable () -> Void) {
        work.begin(body)
        work.done.wait()
    }

    private final class Work: Sendable {
        private let niceness: Int32
        private let next = Mutex<(@Sendable () -> Void)?>(nil)
        private let arrival = DispatchSemaphore(value: 0)
        let done = DispatchSemaphore(value: 0)

        init(niceness: Int32) { self.niceness = niceness }

        func begin(_ body: (@Sendable () -> Void)?) {
            next.withLock { $0 = body }
            arrival.signal()
        }

        func loop() {
            clinux_stand_back(0, niceness)
            while true {
                arrival.wait()
                guard let body = next.withLock({ $0.take() }) else { return }
                body()
                done.signal()
            }
        }
    }
}
