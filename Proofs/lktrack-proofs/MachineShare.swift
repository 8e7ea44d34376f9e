import Glibc

/// How long a thread waits for a processor at present.
///
/// Proofs run beside other work, too. What a promise says in seconds is said of a machine that has a processor to
/// spare; on one that has none, everything takes longer by what is measured here, and is judged by it. The median of
/// the samples counts, so that a thread that was kept waiting once allows for nothing.
struct MachineShare {
    /// Seconds by the clock that each took for one of a processor's.
    private var samples: [Double] = []

    /// Takes a tenth of a second of a processor's time, piece by piece, and notes how long each took by the clock.
    mutating func measure() {
        for _ in 0..<Self.pieces {
            let start = ContinuousClock.now
            let begun = Self.processorSeconds
            var used = 0.0
            while used < Self.piece { used = Self.processorSeconds - begun }
            samples.append((ContinuousClock.now - start) / .seconds(1) / used)
        }
    }

    /// What seconds of a machine with a processor to spare are on this one.
    func allowed(_ seconds: Double) -> Double { seconds * slowness }

    /// Empty where there was one.
    var text: String { slowness < 1.25 ? "" : " (on a machine \(slowness.text(1)) times slower by other work)" }

    private var slowness: Double { samples.isEmpty ? 1 : max(1, percentile(samples, 0.5)) }

    private static let pieces = 5
    private static let piece = 0.02

    /// Of this thread.
    private static var processorSeconds: Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
