import Dispatch
import Glibc
import Synchronization

/// A thread that lives as long as the process and runs what it is given, one after the other.
///
/// PR_SET_PDEATHSIG kills a child when the *thread* that started it ends, and Dispatch's threads come and go. So
/// children are started from here, and only the end of the process ends them.
final class LastingThread: Sendable {
    /// `nil` where the system had no thread left.
    static let shared = LastingThread()

    private let jobs = Mutex<[@Sendable () -> Void]>([])
    private let arrivals = DispatchSemaphore(value: 0)

    private init?() {
        let context = Unmanaged.passRetained(self)
        var thread = pthread_t()
        let result = pthread_create(
            &thread, nil,
            { context in
                guard let context else { return nil }
                Unmanaged<LastingThread>.fromOpaque(context).takeUnretainedValue().loop()
            }, context.toOpaque())
        guard result == 0 else {
            context.release()
            return nil
        }
        pthread_detach(thread)
    }

    /// Runs `body` on the thread and waits for its result.
    func run<Result: Sendable>(_ body: @escaping @Sendable () -> Result) -> Result {
        let slot = Slot<Result>()
        let done = DispatchSemaphore(value: 0)
        jobs.withLock { jobs in
            jobs.append {
                slot.value.withLock { $0 = body() }
                done.signal()
            }
        }
        arrivals.signal()
        done.wait()
        // Filled in before the signal.
        return slot.value.withLock { $0! }
    }

    private func loop() -> Never {
        while true {
            arrivals.wait()
            let job = jobs.withLock { $0.removeFirst() }
            job()
        }
    }

    private final class Slot<Value: Sendable>: Sendable {
        let value = Mutex<Value?>(nil)
    }
}
