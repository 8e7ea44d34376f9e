import Dispatch
import Foundation
import Jobs
import Testing

@Suite("Wake signals", .timeLimit(.minutes(10)))
struct WakeSignalTests {
    @Test("all who wait are woken by one notification, long before their time is over")
    func wakesAll() {
        let signal = WakeSignal()
        let seen = signal.seen
        let (begun, woken) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        for _ in 0..<3 {
            Thread.detachNewThread {
                begun.signal()
                signal.wait(since: seen, seconds: 1_000)
                woken.signal()
            }
        }
        for _ in 0..<3 { begun.wait() }
        signal.notify()
        for _ in 0..<3 { #expect(woken.wait(timeout: .now() + 30) == .success) }
    }

    @Test("a notification between looking and waiting is not lost, and one that was seen wakes nobody")
    func seen() {
        let signal = WakeSignal()
        let before = signal.seen
        signal.notify()
        let start = ContinuousClock.now
        signal.wait(since: before, seconds: 1_000)
        #expect(ContinuousClock.now - start < .seconds(30))
        let again = ContinuousClock.now
        signal.wait(since: signal.seen, seconds: 0.02)
        #expect(ContinuousClock.now - again >= .seconds(0.02))
    }

    @Test("a wait ends when its time is over, one without time at once", arguments: [0.02, 0, -1, -Double.infinity])
    func timeIsOver(seconds: Double) {
        let signal = WakeSignal()
        let start = ContinuousClock.now
        signal.wait(since: signal.seen, seconds: seconds)
        let waited = ContinuousClock.now - start
        #expect(waited >= .seconds(max(seconds, 0)))
        #expect(waited < .seconds(30))
    }

    @Test("a wait may be as long as numbers go", arguments: [1e300, Double.infinity])
    func endless(seconds: Double) {
        let signal = WakeSignal()
        let seen = signal.seen
        let woken = DispatchSemaphore(value: 0)
        Thread.detachNewThread {
            signal.wait(since: seen, seconds: seconds)
            woken.signal()
        }
        signal.notify()
        #expect(woken.wait(timeout: .now() + 30) == .success)
    }
}
