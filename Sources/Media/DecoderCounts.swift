import Synchronization

/// What this process's decoders have done since it began, for monitoring. Counted where all of them start, so that no
/// user of decoders is left out.
public struct DecoderCounts: Hashable, Sendable {
    /// Decoder processes that were started.
    public var started: Int
    /// That died or broke the protocol, without having been told to end.
    public var crashed: Int
    /// That were stopped because they stood still.
    public var timedOut: Int

    public static var current: DecoderCounts {
        DecoderCounts(
            started: startedCount.load(ordering: .relaxed), crashed: crashedCount.load(ordering: .relaxed),
            timedOut: timedOutCount.load(ordering: .relaxed))
    }

    private static let startedCount = Atomic(0)
    private static let crashedCount = Atomic(0)
    private static let timedOutCount = Atomic(0)

    static func noteStart() { startedCount.wrappingAdd(1, ordering: .relaxed) }

    /// Of a decoder; each throws one error at most before it is closed.
    static func note(_ error: MediaError) {
        switch error.code {
        case .decoderCrashed: crashedCount.wrappingAdd(1, ordering: .relaxed)
        case .decoderTimeout: timedOutCount.wrappingAdd(1, ordering: .relaxed)
        default: break
        }
    }
}
