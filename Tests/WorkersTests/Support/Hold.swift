import Dispatch

/// Where a worker's thread waits until a test lets it go on.
final class Hold: Sendable {
    private let gate = DispatchSemaphore(value: 0)

    func block() { gate.wait() }

    func open() { gate.signal() }
}
