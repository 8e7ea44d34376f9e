import Dispatch

/// Where a worker's thread waits until a test lets it go on.
final class Hold: Sendable {
    private let gate = DispatchSemaphore(value: 0)

    /// For a minute at most, so that a worker whose test has failed can be stopped.
    func block() { _ = gate.wait(timeout: .now() + 60) }

    func open() { gate.signal() }
}
