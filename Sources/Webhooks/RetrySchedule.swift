import Foundation

/// When a message that did not arrive is sent again: exponential back-off with jitter, until a day has passed.
public struct RetrySchedule: Hashable, Sendable {
    /// After the first attempt; twice as long after each further one.
    public var firstSeconds = 5.0
    /// What the waits grow to.
    public var longestSeconds = 3600.0
    /// From the job's end to the last attempt.
    public var giveUpSeconds = 86_400.0

    public init() {}

    /// When the next attempt is due; `nil` where there is none.
    ///
    /// - Parameters:
    ///   - attempt: how many there were.
    ///   - retryAfter: seconds that the receiver asked for.
    ///   - fraction: random, 0 ..< 1: a wait is between a half and the whole of its nominal length.
    public func next(
        after attempt: Int, of createdAt: Date, now: Date, retryAfter: Double?, fraction: Double
    ) -> Date? {
        let end = createdAt.addingTimeInterval(giveUpSeconds)
        guard now < end else { return nil }
        let nominal = min(firstSeconds * pow(2, Double(min(max(attempt, 1), 64) - 1)), longestSeconds)
        let wait = max(nominal * (1 + fraction) / 2, retryAfter ?? 0)
        // The last attempt is at the very end, however long the wait.
        return min(now.addingTimeInterval(wait), end)
    }
}
