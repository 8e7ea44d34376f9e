import Dispatch
import Foundation

/// Long specs are read from JSON and written as JSON a few at a time, whoever asks for it: meanwhile each takes up to thirty
/// times the memory of its text.
public enum LongTexts {
    /// Longer text waits for its turn; that of an ordinary job has a few hundred bytes.
    public static let bytes = 128 * 1024

    /// More at a time than there are processors would not be done sooner.
    public static let mostAtOnce = max(2, ProcessInfo.processInfo.activeProcessorCount)

    private static let permits = DispatchSemaphore(value: mostAtOnce)

    /// Runs `body`, once few enough others run. It must neither wait for anything nor come here again.
    ///
    /// - Parameter bytes: how long the text is, or about how long it will be.
    public static func inTurn<Result, Failure: Error>(
        _ bytes: Int, _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        guard bytes > Self.bytes else { return try body() }
        permits.wait()
        defer { permits.signal() }
        return try body()
    }
}

extension JobSpec {
    /// About how long its JSON is, as ``SpecWriter`` writes it: numbers have some ten characters.
    public var approximateTextBytes: Int {
        targets.reduce(512) { $0 + 192 + 72 * $1.keyframes.count + 24 * $1.points.count }
    }

    /// Whether its JSON takes notable memory.
    public var isLong: Bool { approximateTextBytes > LongTexts.bytes }
}
