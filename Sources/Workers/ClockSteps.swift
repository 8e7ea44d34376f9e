import Foundation
import Jobs
import Synchronization

/// Notices that this machine's clock was set forward: leases that are counted by it then seem to be over and are not.
/// (Time servers set a clock that was wrong, and machines that were halted, so.) Set back, leases only last longer.
final class ClockSteps: Sendable {
    private let environment: any Environment
    /// In seconds.
    private let least: Double
    private let before: Mutex<(time: Date, instant: ContinuousClock.Instant)>

    /// - Parameter leaseSeconds: a step that is shorter than a quarter of a lease does no harm, because leases are renewed
    ///   when they have two thirds left.
    init(environment: any Environment, leaseSeconds: Double) {
        self.environment = environment
        least = leaseSeconds / 4
        before = Mutex((environment.now(), .now))
    }

    /// Whether there was a step since the last call, or since this was made.
    func hasStepped() -> Bool {
        before.withLock { before in
            let (time, instant) = (environment.now(), ContinuousClock.now)
            let step = time.timeIntervalSince(before.time) - (instant - before.instant) / .seconds(1)
            before = (time, instant)
            return step >= least
        }
    }
}
