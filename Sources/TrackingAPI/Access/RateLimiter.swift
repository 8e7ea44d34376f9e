import Foundation
import HTTPServer
import Jobs
import Synchronization

/// Token buckets, one for each name.
final class RateLimiter: Sendable {
    private struct Bucket {
        var tokens: Double
        var filledAt: Date
    }

    private let buckets = Mutex<[String: Bucket]>([:])

    /// Takes a token from a bucket, which is full at first.
    func take(from name: String, _ rate: RequestRate, at now: Date) -> RateVerdict {
        buckets.withLock { buckets in
            let capacity = Double(rate.burst)
            var bucket = buckets[name] ?? Bucket(tokens: capacity, filledAt: now)
            // A clock that is set back brings nothing, rather than taking something away.
            let elapsed = max(now.timeIntervalSince(bucket.filledAt), 0)
            bucket.tokens = min(capacity, bucket.tokens + elapsed * rate.perSecond)
            bucket.filledAt = now
            let isAllowed = bucket.tokens >= 1
            if isAllowed { bucket.tokens -= 1 }
            buckets[name] = bucket
            return RateVerdict(isAllowed: isAllowed, tokens: bucket.tokens, rate: rate)
        }
    }
}

/// Whether a request may go on, and how much is left.
struct RateVerdict: Sendable {
    private static let policy = "requests"

    let isAllowed: Bool
    /// What is left in the bucket.
    let tokens: Double
    let rate: RequestRate

    /// As in draft-ietf-httpapi-ratelimit-headers-10: the bucket's size as the quota of the time in which it fills up,
    /// and how long that will take from now. Stands before what the fields say of other policies.
    func describe(in fields: inout HTTPFields) {
        let capacity = Double(rate.burst)
        for (name, item) in [
            (QuotaPolicy.field, "\"\(Self.policy)\";q=\(rate.burst);w=\(max(1, seconds(capacity)))"),
            (QuotaPolicy.usageField, "\"\(Self.policy)\";r=\(Int(tokens));t=\(seconds(capacity - tokens))"),
        ] { fields[name] = fields[name].map { "\(item), \($0)" } ?? item }
    }

    /// The answer to a request too many.
    var problem: Problem {
        let wait = max(1, seconds(1 - tokens))
        var problem = Problem(
            .rateLimited,
            "Too many requests: \(rate.burst) may come at once, then \(Self.text(rate.perSecond)). "
                + "Try again in \(wait) s."
        ).retryAfter(wait)
        describe(in: &problem.fields)
        problem.extensions = [("violated-policies", [.string(Self.policy)])]
        return problem
    }

    /// How long so many tokens take to come, in whole seconds.
    private func seconds(_ tokens: Double) -> Int { Int(min((tokens / rate.perSecond).rounded(.up), 1e9)) }

    /// In the shortest unit of time that at least one comes in: `2 a minute`.
    private static func text(_ perSecond: Double) -> String {
        let units = [("a second", 1.0), ("a minute", 60), ("an hour", 3600), ("a day", 86400)]
        // 1/60 a second is not quite 1 a minute.
        let (unit, seconds) = units.first { perSecond * $0.1 >= 0.995 } ?? units[3]
        let number = (perSecond * seconds * 100).rounded() / 100
        return "\(Int(exactly: number).map(String.init) ?? String(number)) \(unit)"
    }
}
