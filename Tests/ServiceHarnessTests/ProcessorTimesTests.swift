import Glibc
import ServiceHarness
import Testing

@Suite("Processor times", .timeLimit(.minutes(10)))
struct ProcessorTimesTests {
    private let start = ProcessorTimes(clock: 100, busy: 1000, own: 50)

    private func slowness(seconds: Double, busy: Double, own: Double) -> Double {
        let later = ProcessorTimes(clock: 100 + seconds, busy: 1000 + busy, own: 50 + own)
        return start.slowness(until: later, processors: 2)
    }

    @Test("time that the own processes take allows for nothing, even if they take all of it")
    func ownLoad() {
        #expect(slowness(seconds: 10, busy: 20, own: 20) == 1)
        #expect(slowness(seconds: 10, busy: 0, own: 0) == 1)
        // Clocks of the kernel differ a little.
        #expect(slowness(seconds: 10, busy: 19, own: 20) == 1)
    }

    @Test("time that others take allows for as much more, to a limit")
    func othersLoad() {
        #expect(slowness(seconds: 10, busy: 10, own: 0) == 2)
        #expect(slowness(seconds: 10, busy: 20, own: 10) == 2)
        #expect(slowness(seconds: 10, busy: 20, own: 0) == 4)
        #expect(slowness(seconds: 10, busy: 30, own: 0) == 4)
        #expect(slowness(seconds: 0, busy: 10, own: 0) == 1)
    }

    @Test("of /proc/stat the time of programs counts, and of a virtual machine's host")
    func machine() {
        let text = "cpu  100 20 30 4000 500 60 70 8 90 10\ncpu0 1 1 1 1 1 1 1 1 1 1\n"
        #expect(ProcessorTimes.busySeconds(text, ticks: 100) == 1.58)
        #expect(ProcessorTimes.busySeconds("cpu  100 20 30 4000\n", ticks: 100) == 1.5)
        #expect(ProcessorTimes.busySeconds("", ticks: 100) == 0)
    }

    @Test("a process is read, whatever its name is")
    func process() {
        let line = "42 (a) b (c)) S 7 42 42 0 -1 4194560 1 2 3 4 100 200 300 400 20 0 1 0 5555 1 1\n"
        #expect(ProcessStat(line, ticks: 100) == ProcessStat(number: 42, parent: 7, start: 5555, seconds: 10))
        #expect(ProcessStat("42 (a) S 7", ticks: 100) == nil)
        #expect(ProcessStat("", ticks: 100) == nil)
        #expect(ProcessStat.all().contains { $0.number == getpid() })
    }

    private func entry(_ number: Int32, of parent: Int32, _ seconds: Double, start: UInt64 = 1) -> ProcessStat {
        ProcessStat(number: number, parent: parent, start: start, seconds: seconds)
    }

    @Test("a family is a process and all below it, and nobody else")
    func family() {
        var times = FamilyTimes(of: 10)
        times.update([entry(1, of: 0, 500), entry(10, of: 1, 1), entry(11, of: 10, 2), entry(12, of: 11, 4)])
        #expect(times.seconds == 7)
        times.update([entry(1, of: 0, 900), entry(9, of: 1, 50), entry(10, of: 1, 1), entry(11, of: 10, 3)])
        // The one below has ended and was not waited for yet, as it seems; nothing is taken back.
        #expect(times.seconds == 7)
    }

    @Test("the time of a process that was waited for is counted once")
    func waitedFor() {
        var times = FamilyTimes(of: 10)
        times.update([entry(10, of: 1, 1), entry(11, of: 10, 5)])
        times.update([entry(10, of: 1, 7)])
        #expect(times.seconds == 7)
        times.update([entry(10, of: 1, 8), entry(11, of: 1, 100, start: 2)])
        // Its number was given to another program.
        #expect(times.seconds == 8)
    }

    @Test("an orphan stays in the family, and when it has ended what it had does")
    func orphan() {
        var times = FamilyTimes(of: 10)
        times.update([entry(10, of: 1, 1), entry(11, of: 10, 5), entry(12, of: 11, 20)])
        // Its parent was killed, and waited for.
        times.update([entry(10, of: 1, 6), entry(12, of: 1, 30)])
        #expect(times.seconds == 36)
        times.update([entry(10, of: 1, 6)])
        #expect(times.seconds == 36)
        times.update([entry(10, of: 1, 9)])
        #expect(times.seconds == 39)
        // Both at once.
        times.update([entry(10, of: 1, 9), entry(13, of: 10, 2), entry(14, of: 13, 4)])
        times.update([entry(10, of: 1, 11)])
        #expect(times.seconds == 45)
    }
}
