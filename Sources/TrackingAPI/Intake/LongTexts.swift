import Dispatch
import Foundation

/// Lets few long texts at a time be taken apart: what comes of JSON takes up to thirty times the memory of its text for
/// as long as it is read.
final class LongTexts: Sendable {
    private let permits = DispatchSemaphore(value: max(2, ProcessInfo.processInfo.activeProcessorCount))

    /// Blocks while others read: more at a time than there are processors would not be done sooner. `body` must neither
    /// wait for anything nor come here again.
    ///
    /// - Parameter bytes: how long the text is.
    func read<Result, Failure: Error>(
        _ bytes: Int, _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        guard bytes > APILimits.longTextBytes else { return try body() }
        permits.wait()
        defer { permits.signal() }
        return try body()
    }
}
