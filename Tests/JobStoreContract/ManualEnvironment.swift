import Foundation
import Jobs
import Synchronization

/// A clock that a test moves, and bytes that count up.
public final class ManualEnvironment: Environment {
    private struct State {
        var seconds: Double
        var counter: UInt64 = 0
    }

    private let state: Mutex<State>

    public init(unixSeconds: Double = 1_750_000_000) { state = Mutex(State(seconds: unixSeconds)) }

    public func now() -> Date { Date(timeIntervalSince1970: state.withLock { $0.seconds }) }

    public func advance(_ seconds: Double) { state.withLock { $0.seconds += seconds } }

    public func randomBytes(_ count: Int) -> [UInt8] {
        let number = state.withLock { state in
            state.counter += 1
            return state.counter
        }
        return (0..<count).map { UInt8(truncatingIfNeeded: number >> (8 * UInt64($0 % 8))) }
    }
}
