import Glibc

/// How long a thread waits for a processor at present.
///
/// Proofs run beside other work, too. What a promise says in seconds is said of a machine that has a processor to
/// spare; on one that has none, everything takes longer by what is measured here, and is judged by it.
struct MachineShare {
    private var slowest = 1.0

    /// Takes a tenth of a second of a processor's time, and notes how long that took by the clock.
    mutating func measure() {
        let start = ContinuousClock.now
        let begun = Self.processorSeconds
        var used = 0.0
        while used < Self.sample { used = Self.processorSeconds - begun }
        slowest = max(slowest, (ContinuousClock.now - start) / .seconds(1) / used)
    }

    /// What seconds of a machine with a processor to spare are on this one.
    func allowed(_ seconds: Double) -> Double { seconds * slowest }

    /// Empty where there was one.
    var text: String { slowest < 1.25 ? "" : " (on a machine \(slowest.text(1)) times slower by other work)" }

    private static let sample = 0.1

    /// Of this thread.
    private static var processorSeconds: Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
