import Glibc
import ServiceHarness
import Synchronization

/// What other programs take of the machine while a proof tries something.
///
/// Proofs run beside other work, too. What a promise says in seconds is said of a machine that has its processors to
/// spare; on one that has not, everything takes longer, and is judged by what others took meanwhile
/// (``ProcessorTimes/slowness(until:processors:most:)``). What the proof and its servers take themselves is not among
/// it: a server that keeps the processors busy is allowed no more time for that.
final class MachineShare: Sendable {
    private struct State {
        var family = FamilyTimes(of: getpid())
        var begin: ProcessorTimes?
        var last: ProcessorTimes?

        mutating func look() {
            family.update(ProcessStat.all())
            let now = ProcessorTimes.now(own: family.seconds)
            if begin == nil { begin = now }
            last = now
        }
    }

    private final class Watched: Sendable {
        let state = Mutex(State())
    }

    private let watched: Watched
    private let crew: Crew

    private static let processors = max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
    /// Between two looks, in seconds. Of a process whose parent is killed, as decoders' are, what it used since the
    /// last one may be taken for others'.
    private static let interval = 0.2

    /// Begins to look.
    init() {
        let watched = Watched()
        watched.state.withLock { $0.look() }
        self.watched = watched
        crew = Crew(1) { _, _ in
            pause(MachineShare.interval)
            watched.state.withLock { $0.look() }
        }
    }

    deinit { crew.stop() }

    /// Looks for the last time: what is allowed from now on is by what was until now.
    func end() {
        crew.stop()
        watched.state.withLock { $0.look() }
    }

    /// What seconds of a machine with its processors to spare are on this one, by what was until the last look.
    func allowed(_ seconds: Double) -> Double { seconds * slowness }

    /// Empty where others took little.
    var text: String { slowness < 1.25 ? "" : " (on a machine \(slowness.text(1)) times slower by other work)" }

    private var slowness: Double {
        watched.state.withLock { state in
            guard let begin = state.begin, let last = state.last else { return 1 }
            return begin.slowness(until: last, processors: Self.processors)
        }
    }
}
