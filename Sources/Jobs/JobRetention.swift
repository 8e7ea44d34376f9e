import Foundation

/// How long a job is kept once it has ended.
public struct RetentionPolicy: Hashable, Sendable {
    /// How long a job's row tells that it was there after its source and results are gone: a week.
    public static let defaultTombstoneSeconds = 7.0 * 86_400

    /// From its end until its source and results go. `nil`: for ever.
    public var seconds: Double?
    /// How long the row stays after that.
    public var tombstoneSeconds: Double

    public init(seconds: Double? = nil, tombstoneSeconds: Double = Self.defaultTombstoneSeconds) {
        self.seconds = seconds
        self.tombstoneSeconds = tombstoneSeconds
    }
}

/// Which jobs are over their time. A job gets its time (``Job/expiresAt``) when it ends; once that has passed its blobs
/// are removed, then it is marked as purged, and after another while its row goes too.
///
/// Several processes may do this at the same time: each step may be done twice.
public protocol JobRetention: Sendable {
    /// Jobs whose time has passed and which are not marked as purged, those that waited longest first.
    func expiredJobs(limit: Int) throws -> [JobID]

    /// Their blobs are removed. The rows stay as they are otherwise.
    func markPurged(_ ids: [JobID]) throws

    /// Jobs that were marked as purged at or before a time.
    func purgedJobs(until time: Date, limit: Int) throws -> [JobID]

    /// Removes the rows of jobs that are marked as purged; others stay.
    func removePurged(_ ids: [JobID]) throws

    /// Gives jobs that ended while nothing was to expire the full time from now on.
    ///
    /// - Parameters:
    ///   - id: where to go on; `nil`: at the start.
    ///   - limit: how many to change at most.
    /// - Returns: where to go on, `nil` at the end.
    func scheduleExpiry(after id: JobID?, limit: Int) throws -> JobID?
}

extension Job {
    /// Whether its source and results are not to be had any more, removed yet or not.
    public func hasExpired(at now: Date) -> Bool { expiresAt.map { $0 <= now } ?? false }
}
