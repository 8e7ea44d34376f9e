import Jobs
import Synchronization

/// A store whose answers are lost where it is told to keep something: nobody learns what became of that. So it goes once
/// for a submission; of outcomes the first comes through, or does not, and later ones do not until answers come again.
///
/// `@unchecked Sendable`: its properties guard themselves.
public final class UnsettledStore: PassingStore, @unchecked Sendable {
    private let commits: Bool
    private let losses: Int
    private let code: JobsError.Code
    private let onLoss: @Sendable () -> Void
    private let submissions = Mutex(0)
    private let publications = Mutex(0)

    /// - Parameters:
    ///   - commits: whether what was asked for first happens all the same.
    ///   - losses: outcomes that are not answered.
    ///   - code: of the errors that are thrown.
    ///   - onLoss: called before each answer is lost.
    public init(
        _ base: any Base, commits: Bool = true, losses: Int = .max, code: JobsError.Code = .unsettled,
        onLoss: @escaping @Sendable () -> Void = {}
    ) {
        self.commits = commits
        self.losses = losses
        self.code = code
        self.onLoss = onLoss
        super.init(base)
    }

    public override func submit(_ job: Job, as attempt: IdempotentAttempt) throws -> IdempotentAttempt? {
        guard Self.next(submissions) == 1 else { return try super.submit(job, as: attempt) }
        if commits { _ = try super.submit(job, as: attempt) }
        throw loss()
    }

    public override func publish(_ outcome: JobOutcome, lease: Lease) throws -> Bool {
        let number = Self.next(publications)
        guard number <= losses else { return try super.publish(outcome, lease: lease) }
        if number == 1, commits { _ = try super.publish(outcome, lease: lease) }
        throw loss()
    }

    private static func next(_ count: borrowing Mutex<Int>) -> Int {
        count.withLock { count in
            count += 1
            return count
        }
    }

    private func loss() -> JobsError {
        onLoss()
        return JobsError(code, "a commit's answer was lost")
    }
}
