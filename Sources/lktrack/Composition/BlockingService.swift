import Dispatch
import ServiceLifecycle

/// Something with a blocking start and stop, which run on Dispatch, as a service of the lifecycle.
struct BlockingService: ServiceLifecycle.Service {
    private static let queue = DispatchQueue(label: "lktrack.lifecycle", attributes: .concurrent)

    let start: @Sendable () throws -> Void
    let stop: @Sendable () -> Void

    func run() async throws {
        try await Self.onDispatch(start)
        try? await gracefulShutdown()
        try await Self.onDispatch(stop)
    }

    /// Runs what blocks, away from Swift's cooperative threads.
    static func onDispatch(_ body: @escaping @Sendable () throws -> Void) async throws {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            queue.async { continuation.resume(with: Result(catching: body)) }
        }
    }
}
