import Foundation

/// Figures of all jobs, of whatever tenant, for monitoring. Asked for with every scrape: none may cost more where there
/// are more jobs.
public protocol QueueStatistics: Sendable {
    /// When the queued job that has waited the longest was submitted; `nil` where none is queued.
    func oldestQueued() throws -> Date?

    /// Counts over the whole life of the store: they fall neither when jobs are deleted nor at a restart.
    func endings() throws -> JobEndings

    /// Of deliveries to webhooks.
    func deliveryFigures() throws -> DeliveryFigures
}

/// How deliveries to webhooks go.
public struct DeliveryFigures: Hashable, Sendable {
    /// Those that are to be sent, or sent again.
    public var pending: Int
    /// When the oldest of them was made; `nil` where there is none.
    public var oldestPending: Date?
    /// How many were taken by their receivers, and how many were given up, over the whole life of the store.
    public var delivered, failed: Int

    public init(pending: Int = 0, oldestPending: Date? = nil, delivered: Int = 0, failed: Int = 0) {
        self.pending = pending
        self.oldestPending = oldestPending
        self.delivered = delivered
        self.failed = failed
    }
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
