import Dispatch
import Glibc
import Logging
import Synchronization

/// Who asks a second time does not want to wait: the second SIGTERM or SIGINT gives back what runs and ends the process,
/// whatever is still on its way. The first is the lifecycle's.
///
/// A job that cannot be given back within ``patience`` goes on at the next start all the same, since its owner's lock
/// is gone by then; its attempt counts.
final class SecondSignal: Sendable {
    private static let queue = DispatchQueue(label: "lktrack.signals")
    /// As shells tell an end by SIGTERM.
    private static let exitStatus: Int32 = 128 + SIGTERM
    private static let patience = DispatchTimeInterval.milliseconds(500)

    // Touched on `queue` only, but for being kept alive.
    private nonisolated(unsafe) let sources: [any DispatchSourceSignal]

    /// - Parameter hurry: must not block.
    init(log: Logger, hurry: @escaping @Sendable () -> Void) {
        let counter = Counter()
        sources = [SIGTERM, SIGINT].map { number in
            let source = DispatchSource.makeSignalSource(signal: number, queue: Self.queue)
            source.setEventHandler {
                guard counter.add(Int(clamping: source.data)) >= 2 else {
                    return log.info("asked to stop; a second time stops at once")
                }
                log.warning("asked to stop a second time, stopping at once")
                hurry()
                Self.queue.asyncAfter(deadline: .now() + Self.patience) { _exit(Self.exitStatus) }
            }
            source.resume()
            return source
        }
    }

    deinit { for source in sources { source.cancel() } }

    private final class Counter: Sendable {
        private let count = Atomic(0)
        func add(_ number: Int) -> Int { count.add(number, ordering: .relaxed).newValue }
    }
}
