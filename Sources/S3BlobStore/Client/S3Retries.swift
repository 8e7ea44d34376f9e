import Foundation

/// How often a request is tried, and how long is waited in between: the wait doubles up to a longest one, and half of it
/// is left to chance, so that many who failed together do not come back together.
struct S3Retries: Sendable {
    var attempts = 10
    /// Seconds.
    var first = 0.1
    var longest = 5.0
    /// Blocks.
    var sleep: @Sendable (_ seconds: Double) -> Void = { Thread.sleep(forTimeInterval: $0) }
    /// From 0 to 1.
    var random: @Sendable () -> Double = { Double.random(in: 0...1) }

    static let none = S3Retries(attempts: 1)

    /// - Parameters:
    ///   - attempt: the one that failed; counts from 1.
    ///   - asked: seconds that the server wants (`Retry-After`).
    func wait(after attempt: Int, asked: Double? = nil) {
        let full = min(first * pow(2, Double(attempt - 1)), longest)
        sleep(max(full / 2 + full / 2 * random(), min(asked ?? 0, longest)))
    }
}
