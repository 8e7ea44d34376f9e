import Dispatch
import Jobs
import Synchronization
import Testing

@Suite("Long texts", .timeLimit(.minutes(10)))
struct LongTextTests {
    @Test("few long texts are read or written at a time, and short ones do not wait for them")
    func inTurn() {
        let running = Mutex(0)
        let most = Mutex(0)
        DispatchQueue.concurrentPerform(iterations: 200) { _ in
            LongTexts.inTurn(LongTexts.bytes + 1) {
                let now = running.withLock { running in
                    running += 1
                    return running
                }
                most.withLock { $0 = max($0, now) }
                // From within a long one, a short one has its turn at once.
                #expect(LongTexts.inTurn(LongTexts.bytes) { true })
                running.withLock { $0 -= 1 }
            }
        }
        #expect(most.withLock { $0 } <= LongTexts.mostAtOnce)
    }

    @Test("a turn is given back where what it was for throws")
    func throwing() {
        struct Fault: Error {}
        for _ in 0...2 * LongTexts.mostAtOnce {
            #expect(throws: Fault.self) { try LongTexts.inTurn(.max) { () throws(Fault) in throw Fault() } }
        }
        #expect(LongTexts.inTurn(.max) { true })
    }

    @Test("about how long a spec's text is, is known without writing it", arguments: [1, 40, 256], [0, 10, 400])
    func approximateLength(targets: Int, each: Int) {
        let target = TargetSpec(
            id: "target", box: PixelBox(x: 100.5, y: 200.25, width: 30.125, height: 40.5),
            keyframes: (0..<each).map {
                TargetSpec.Keyframe(frame: 1000 + $0, box: PixelBox(x: 99.5, y: 20.25, width: 30, height: 40.125))
            }, points: (0..<each).map { PixelPoint(x: 100.5 + Double($0), y: 7.25) })
        let spec = JobSpec(targets: [TargetSpec](repeating: target, count: targets))
        let ratio = Double(spec.approximateTextBytes) / Double(spec.storedText.utf8.count)
        #expect((0.6...2.5).contains(ratio), "\(ratio)")
    }
}
