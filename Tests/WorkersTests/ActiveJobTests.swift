import Dispatch
import Foundation
import Jobs
import Testing

@testable import Workers

@Suite("Jobs that run", .timeLimit(.minutes(10)))
struct ActiveJobTests {
    private let active: ActiveJob

    init() {
        let id = JobIDGenerator().next()
        let target = TargetSpec(id: "car", box: PixelBox(x: 1, y: 2, width: 30, height: 40))
        let job = Job(
            id: id, tenant: .anonymous, spec: JobSpec(targets: [target]),
            source: JobSource(kind: .video, blobKey: id.sourceKey, bytes: 0, sha256: ""), createdAt: Date())
        let lease = Lease(job: id, token: "token", expiresAt: .distantFuture)
        active = ActiveJob(ClaimedJob(job: job, lease: lease), claimed: .now) {}
    }

    /// Waits on another thread for longer than any test takes. Signalled when that ends.
    private func waiting(orUntil isOver: @escaping @Sendable () -> Bool) -> DispatchSemaphore {
        let (begun, ended) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        Thread.detachNewThread { [active] in
            begun.signal()
            active.wait(seconds: 1_000, orUntil: isOver)
            ended.signal()
        }
        begun.wait()
        return ended
    }

    @Test("a wait ends with the interruption that it is for, whatever came before")
    func ends() {
        let lost = waiting { [active] in active.interruption == .leaseLost }
        let stopped = waiting { [active] in active.isPoolStopping }
        active.interrupt(.canceled)
        active.interrupt(.leaseLost)
        #expect(lost.wait(timeout: .now() + 30) == .success)
        #expect(!active.isPoolStopping)
        active.interrupt(.stopping)
        #expect(stopped.wait(timeout: .now() + 30) == .success)
        #expect(active.interruption == .leaseLost)
    }

    @Test("a wait that an interruption is to end does not begin after it")
    func isOver() {
        active.interrupt(.stopping)
        let stopped = waiting { [active] in active.isPoolStopping }
        #expect(stopped.wait(timeout: .now() + 30) == .success)
    }

    @Test("another interruption does not make a wait any shorter", arguments: [true, false])
    func others(comesBefore: Bool) {
        if comesBefore { active.interrupt(.canceled) }
        let start = ContinuousClock.now
        Thread.detachNewThread { [active] in
            for _ in 0..<5 { active.interrupt(.deadline) }
        }
        active.wait(seconds: 0.05) { active.interruption == .leaseLost || active.interruption == .stopping }
        #expect(ContinuousClock.now - start >= .seconds(0.05))
    }
}
