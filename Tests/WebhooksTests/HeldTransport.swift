import Dispatch
import Jobs
import Synchronization
import Webhooks

/// Holds every message until it is told to let one go, or sees that the message is interrupted, which it looks for when
/// it is told to.
final class HeldTransport: WebhookTransport {
    private struct State {
        var begun: [String] = []
        /// Messages that may go.
        var free = 0
        /// Wakes each message that began.
        var bells: [DispatchSemaphore] = []
    }

    private let state = Mutex(State())
    private let entered = DispatchSemaphore(value: 0)
    private let held = DispatchSemaphore(value: 0)
    private static let patience = DispatchTimeInterval.seconds(30)

    /// The hosts of the messages that began, in that order.
    var begun: [String] { state.withLock { $0.begun } }

    /// Returns when one more message has begun; false where none does.
    func awaitMessage() -> Bool { entered.wait(timeout: .now() + Self.patience) == .success }

    /// Lets so many of the messages arrive that have begun by now.
    func letGo(_ count: Int = 1) {
        let bells = state.withLock { state in
            state.free += count
            return state.bells
        }
        for bell in bells { bell.signal() }
    }

    /// Has every message look whether it is interrupted.
    func look() {
        for bell in state.withLock({ $0.bells }) { bell.signal() }
    }

    /// Has the one message look whether it is interrupted. Returns when it has looked and goes on; false where it does
    /// not.
    func goesOn() -> Bool {
        look()
        return held.wait(timeout: .now() + Self.patience) == .success
    }

    func send(
        _ request: WebhookRequest, to addresses: [IPAddress], isInterrupted: @escaping @Sendable () -> Bool
    ) -> WebhookAnswer {
        let bell = DispatchSemaphore(value: 0)
        state.withLock {
            $0.begun.append(request.url.host)
            $0.bells.append(bell)
        }
        entered.signal()
        while !isInterrupted() {
            held.signal()
            guard bell.wait(timeout: .now() + Self.patience) == .success else {
                return .unreachable("The test did not let the message go.")
            }
            if takesPermission() { return .status(200, retryAfter: nil) }
        }
        return .interrupted
    }

    private func takesPermission() -> Bool {
        state.withLock { state in
            guard state.free > 0 else { return false }
            state.free -= 1
            return true
        }
    }
}
