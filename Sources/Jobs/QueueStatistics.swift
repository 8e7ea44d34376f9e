import Foundation

/// Figures of all jobs, of whatever tenant, for monitoring. Asked for with every scrape: none may cost more where there
/// are more jobs.
public protocol QueueStatistics: Sendable {
    /// When the queued job that has waited the longest was submitted; `nil` where none is queued.
    func oldestQueued() throws -> Date?

    /// Counts over the whole life of the store: they fall neither when jobs are deleted nor at a restart.
    func endings() throws -> JobEndings
}

/// How many jobs have ended, and how.
public struct JobEndings: Hashable, Sendable {
    /// Final states only.
    public var counts: [JobStatus: Int]
    /// Of the failed ones, by the failure's code.
    public var failures: [JobFailure.Code: Int]

    public init(counts: [JobStatus: Int] = [:], failures: [JobFailure.Code: Int] = [:]) {
        self.counts = counts
        self.failures = failures
    }
}
