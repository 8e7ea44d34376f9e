import Foundation
import Jobs
import Synchronization

/// Whether the bucket answers, as of a few seconds ago: asked by one thread at a time, and never by those who come
/// meanwhile.
final class StorageHealth: Sendable {
    /// Seconds for which an answer counts.
    private static let validSeconds = 5.0
    /// Seconds that the bucket has to answer.
    private static let probeSeconds = 4.0

    private struct State {
        var checkedAt: Date
        var failure: JobsError?
        var isChecking = false
    }

    private let client: S3Client
    private let clock: any Jobs.Environment
    private let state: Mutex<State>

    /// The bucket has just answered.
    init(_ client: S3Client, clock: any Jobs.Environment) {
        self.client = client
        self.clock = clock
        state = Mutex(State(checkedAt: clock.now()))
    }

    /// - Throws: what was wrong when the bucket was asked last.
    func check() throws {
        let isDue = state.withLock { state in
            let age = clock.now().timeIntervalSince(state.checkedAt)
            guard !state.isChecking, age >= Self.validSeconds || age < 0 else { return false }
            state.isChecking = true
            return true
        }
        if isDue {
            var failure: JobsError?
            do {
                try client.probe(retries: S3Retries(attempts: 2), seconds: Self.probeSeconds)
            } catch let error as JobsError {
                failure = error
            } catch {
                failure = JobsError(.unreachable, "\(error)")
            }
            state.withLock { state in state = State(checkedAt: clock.now(), failure: failure) }
        }
        if let failure = state.withLock({ $0.failure }) { throw failure }
    }
}
