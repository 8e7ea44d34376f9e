import Dispatch
import Foundation
import Jobs
import Synchronization
import Testing

@Suite("What is done now and then", .timeLimit(.minutes(10)))
struct PeriodicTests {
    /// Counts runs, and is waited for.
    private final class Runs: Sendable {
        private let done = Atomic(0)
        private let each = DispatchSemaphore(value: 0)

        var count: Int { done.load(ordering: .acquiring) }

        func add() {
            done.wrappingAdd(1, ordering: .acquiringAndReleasing)
            each.signal()
        }

        /// Whether there was another one since the last that was waited for.
        func next() -> Bool { each.wait(timeout: .now() + 30) == .success }
    }

    @Test("it is done again and again, and never after a stop")
    func again() {
        let runs = Runs()
        let periodic = Periodic(label: "test", period: 0)
        #expect(!periodic.isStopping)
        periodic.start { runs.add() }
        for _ in 0..<3 { #expect(runs.next()) }
        periodic.stop()
        #expect(periodic.isStopping)
        let count = runs.count
        // Behind what was queued before the stop.
        #expect(periodic.wait(until: .distantFuture))
        #expect(runs.count == count)
    }

    @Test("it is not done before its time, and a stop does not wait for that")
    func later() {
        let runs = Runs()
        let periodic = Periodic(label: "test", period: 1_000)
        periodic.start { runs.add() }
        #expect(runs.next())
        periodic.stop()
        #expect(runs.count == 1)

        let late = Periodic(label: "test", period: 0, firstAfter: 1_000)
        late.start { runs.add() }
        late.stop()
        #expect(runs.count == 1)
    }

    @Test("what was stopped before its start is never done")
    func stoppedBefore() {
        let runs = Runs()
        let periodic = Periodic(label: "test", period: 0)
        periodic.stop()
        periodic.start { runs.add() }
        #expect(periodic.wait(until: .distantFuture))
        #expect(runs.count == 0)
    }

    @Test("a stop waits for the run that is under way, which learns of it")
    func stopsDuringRun() {
        let begun = DispatchSemaphore(value: 0)
        let ended = Runs()
        let periodic = Periodic(label: "test", period: 0)
        periodic.start { [weak periodic] in
            begun.signal()
            while let periodic, !periodic.isStopping { sched_yield() }
            ended.add()
        }
        #expect(begun.wait(timeout: .now() + 30) == .success)
        periodic.stop()
        #expect(ended.count == 1)
    }

    @Test("a wait for a run that hangs ends at its deadline, and one without a deadline with the run")
    func boundedWait() {
        let (begun, gate) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        let runs = Runs()
        let periodic = Periodic(label: "test", period: 0)
        periodic.start {
            begun.signal()
            gate.wait()
            runs.add()
        }
        #expect(begun.wait(timeout: .now() + 30) == .success)
        periodic.requestStop()
        #expect(!periodic.wait(until: .now()))
        #expect(runs.count == 0)
        gate.signal()
        #expect(periodic.wait(until: .distantFuture))
        #expect(runs.count == 1)
    }

    @Test("it ends, and lets go of what it used, when nobody holds it any more")
    func letGo() {
        /// Tells of its end.
        final class Held: Sendable {
            private let gone: DispatchSemaphore
            init(_ gone: DispatchSemaphore) { self.gone = gone }
            deinit { gone.signal() }
        }
        let gone = DispatchSemaphore(value: 0)
        let runs = Runs()
        func begin() {
            let held = Held(gone)
            let periodic = Periodic(label: "test", period: 0)
            periodic.start { withExtendedLifetime(held) { runs.add() } }
            #expect(runs.next())
            withExtendedLifetime(periodic) {}
        }
        begin()
        #expect(gone.wait(timeout: .now() + 30) == .success)
    }
}
