import Dispatch
import Foundation
import Testing

@testable import lktrack

@Suite("The deadline of a stop")
struct StopDeadlineTests {
    @Test("whoever begins to stop has the same deadline, at which what is left is told once to let go")
    func expiry() {
        let told = DispatchSemaphore(value: 0)
        let stopping = StopDeadline(seconds: 0) { told.signal() }
        #expect(told.wait(timeout: .now()) == .timedOut, "nobody stops yet")
        let deadline = stopping.begin()
        #expect(stopping.begin() == deadline)
        #expect(told.wait(timeout: .now() + 30) == .success)
        #expect(stopping.begin() == deadline)
        #expect(told.wait(timeout: .now()) == .timedOut)
    }

    @Test("what is stopped is waited for")
    func wait() {
        let done = DispatchSemaphore(value: 0)
        let stopping = StopDeadline(seconds: 0) {}
        stopping.wait { done.signal() }
        #expect(done.wait(timeout: .now()) == .success)
    }

    @Test("what hangs is waited for no longer than the grace after the deadline")
    func hanging() {
        let gate = DispatchSemaphore(value: 0)
        let isOver = DispatchSemaphore(value: 0)
        // On a thread of its own: a wait without an end would be one of the whole suite.
        Thread.detachNewThread {
            StopDeadline(seconds: 0, graceSeconds: 0.01) {}.wait { gate.wait() }
            isOver.signal()
        }
        #expect(isOver.wait(timeout: .now() + 30) == .success)
        gate.signal()
    }

    @Test("nobody is told before the deadline")
    func patience() {
        let told = DispatchSemaphore(value: 0)
        let before = DispatchTime.now()
        let stopping = StopDeadline(seconds: 3600) { told.signal() }
        let deadline = stopping.begin()
        #expect(deadline >= before + 3600)
        #expect(deadline <= DispatchTime.now() + 3600)
        #expect(told.wait(timeout: .now()) == .timedOut)
    }
}
