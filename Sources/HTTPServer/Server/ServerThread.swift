import CMicroHTTPD
import Glibc

/// A thread of the server's own. Neither Swift's cooperative threads nor Dispatch's may be blocked by a handler: the former
/// would stop the program, the latter are shared with work that keeps every core busy for minutes.
struct ServerThread: @unchecked Sendable {
    // @unchecked Sendable: immutable. A pthread_t is a plain number or pointer; ``join()`` is called once, by the
    // thread's owner.
    private let handle: pthread_t

    private final class Body: Sendable {
        let name: String
        let run: @Sendable () -> Void

        init(name: String, run: @escaping @Sendable () -> Void) {
            self.name = name
            self.run = run
        }
    }

    /// - Parameter name: shown by the system's tools; 15 characters at most.
    /// - Throws: `outOfResources`.
    init(name: String, _ run: @escaping @Sendable () -> Void) throws(HTTPServerError) {
        let body = Unmanaged.passRetained(Body(name: name, run: run))
        var handle = pthread_t()
        let status = pthread_create(
            &handle, nil,
            { raw in
                guard let raw else { return nil }
                let body = Unmanaged<Body>.fromOpaque(raw).takeRetainedValue()
                lk_name_thread(body.name)
                body.run()
                return nil
            }, body.toOpaque())
        guard status == 0 else {
            body.release()
            throw HTTPServerError(.outOfResources, "Cannot start a thread: \(String(cString: strerror(status))).")
        }
        self.handle = handle
    }

    /// Waits for the thread to end.
    func join() { pthread_join(handle, nil) }

    /// Lets the thread end by itself.
    func detach() { pthread_detach(handle) }
}

/// The time that deadlines and durations are measured in.
enum Monotonic {
    /// Nanoseconds since some moment before the program's start.
    static func now() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}

extension Duration {
    /// Saturates after some 292 years.
    var nanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let (scaled, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        guard !overflow else { return seconds < 0 ? .min : .max }
        let (sum, carry) = scaled.addingReportingOverflow(attoseconds / 1_000_000_000)
        return carry ? .max : sum
    }
}
