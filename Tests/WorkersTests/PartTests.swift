import Foundation
import JobStoreContract
import Jobs
import Testing

@testable import Workers

extension WorkersTests {
    /// Jobs of six targets, in parts of two.
    @Suite("Parts of jobs", .timeLimit(.minutes(10)))
    struct PartTests {
        let bench: Bench
        let scene: Scene

        init() throws {
            bench = try Bench()
            scene = try Scene()
        }

        private func submit(broken: Int? = nil, _ change: (inout JobSpec) -> Void = { _ in }) throws -> Job {
            try bench.submit(scene, broken: broken) { spec in
                let box = PixelBox(scene.truth(0))
                spec.targets = (0..<6).map { number in
                    TargetSpec(
                        id: "target-\(number)",
                        box: PixelBox(x: box.x + Double(number), y: box.y, width: box.width, height: box.height),
                        startFrame: number == 3 ? 4 : 0)
                }
                change(&spec)
            }
        }

        private func end(of job: Job, _ pools: WorkerPool...) async throws -> Job {
            _ = await bench.events.end(of: job.id)
            for pool in pools { await bench.stop(pool) }
            return try bench.current(job)
        }

        @Test("the result is the same, byte for byte, in parts by one, two or three workers as in one piece")
        func bytes() async throws {
            let whole = try await bench.run(try submit())
            let expected = try bench.result(whole)
            #expect(try bench.records(whole).count == scene.frames)
            for workers in 1...3 {
                let job = try submit()
                let pool = try bench.pool(workers: workers, partTargets: 2)
                try pool.start()
                let done = try await end(of: job, pool)
                #expect(done.status == .succeeded)
                #expect(try bench.result(done) == expected, "\(workers) workers")
                #expect(done.progress.framesDone == scene.frames && done.progress.framesTotal == scene.frames)
                #expect(try bench.blobNames(done) == ["results-1.ndjson", "source"])
            }
        }

        @Test("a worker of another pool follows a part while the leader is held")
        func otherPool() async throws {
            let job = try submit()
            let hold = bench.events.hold(at: .tracked(job.id, frame: 0))
            let leader = try bench.pool(partTargets: 2)
            try leader.start()
            await bench.events.wait(for: .tracked(job.id, frame: 0))
            let helper = try bench.pool(partTargets: 2)
            try helper.start()
            await bench.events.wait(for: .partEnded(job.id, part: 1))
            await bench.events.wait(for: .partEnded(job.id, part: 2))
            hold.open()
            let done = try await end(of: job, leader, helper)
            #expect(try bench.records(done).allSatisfy { $0.targets.count == ($0.frame < 4 ? 5 : 6) })
        }

        @Test("records of a part stay where its worker was not told that they were handed in")
        func unsettledPart() async throws {
            let expected = try bench.result(try await bench.run(try submit()))
            let job = try submit()
            let hold = bench.events.hold(at: .tracked(job.id, frame: 0))
            let leader = try bench.pool(partTargets: 2)
            try leader.start()
            await bench.events.wait(for: .tracked(job.id, frame: 0))
            let helper = try bench.pool(partTargets: 2, store: UnsettledStore(bench.store, losses: 1))
            try helper.start()
            await bench.events.wait(for: .partEnded(job.id, part: 1))
            await bench.events.wait(for: .partEnded(job.id, part: 2))
            hold.open()
            let done = try await end(of: job, leader, helper)
            #expect(done.status == .succeeded)
            #expect(try bench.result(done) == expected)
            #expect(try bench.blobNames(done) == ["results-1.ndjson", "source"])
        }

        @Test("the leader does a part itself whose worker died, or could not do it")
        func lostParts() async throws {
            let expected = try bench.result(try await bench.run(try submit()))
            let job = try submit()
            bench.events.perform(times: 1, at: .offered(job.id, parts: 2)) { [bench] in
                do {
                    let dead = try #require(try bench.store.claimPart(owner: "dead", leaseSeconds: 1))
                    let failed = try #require(try bench.store.claimPart(owner: "failed", leaseSeconds: 30))
                    bench.clock.advance(2)
                    let outcome = JobOutcome(status: .failed, progress: JobProgress())
                    #expect(try bench.store.publish(outcome, lease: failed.lease))
                    #expect(dead.part.number == 1 && failed.part.number == 2)
                } catch {
                    Issue.record(error)
                }
            }
            let leader = try bench.pool(partTargets: 2)
            try leader.start()
            let done = try await end(of: job, leader)
            #expect(try bench.result(done) == expected)
        }

        @Test("a pool that stops gives its part back, and the job is done all the same")
        func stoppingHelper() async throws {
            let job = try submit()
            let held = bench.events.hold(at: .tracked(job.id, frame: 0))
            let leader = try bench.pool(partTargets: 2)
            try leader.start()
            await bench.events.wait(for: .tracked(job.id, frame: 0))
            let claimed = bench.events.hold(at: .partClaimed(job.id, part: 1))
            let helper = try bench.pool(partTargets: 2)
            try helper.start()
            await bench.events.wait(for: .partClaimed(job.id, part: 1))
            helper.hurry()
            claimed.open()
            await bench.stop(helper, within: 0)
            held.open()
            let done = try await end(of: job, leader)
            #expect(done.status == .succeeded)
            #expect(try bench.records(done).last?.targets.count == 6)
            #expect(try bench.blobNames(done) == ["results-1.ndjson", "source"])
        }

        @Test("a job that is canceled keeps what each worker has of it")
        func cancel() async throws {
            let job = try submit()
            let pool = try bench.pool(workers: 2, partTargets: 2)
            let hold = try await bench.start(pool, holding: job)
            await bench.events.wait(for: .partEnded(job.id, part: 1))
            await bench.events.wait(for: .partEnded(job.id, part: 2))
            _ = try bench.store.requestCancel(job.id, tenant: .anonymous)
            pool.notifyCancel(job.id)
            await bench.events.wait(for: .interrupted(job.id))
            hold.open()
            let done = try await end(of: job, pool)
            #expect(done.status == .canceled)
            let records = try bench.records(done)
            #expect(records.map(\.frame) == Array(0..<scene.frames))
            #expect(records.map(\.targets.count) == (0..<scene.frames).map { $0 < 4 ? 5 : $0 < 6 ? 6 : 4 })
            #expect(try bench.blobNames(done) == ["results-1.ndjson", "source"])
        }

        @Test("a job that is deleted takes the parts that others follow along")
        func delete() async throws {
            let job = try submit()
            let pool = try bench.pool(workers: 2, partTargets: 2)
            let claimed = bench.events.hold(at: .partClaimed(job.id, part: 1))
            let tracked = bench.events.hold(at: .tracked(job.id, frame: 5))
            try pool.start()
            await bench.events.wait(for: .partClaimed(job.id, part: 1))
            await bench.events.wait(for: .tracked(job.id, frame: 5))
            _ = try bench.store.delete(job.id, tenant: .anonymous)
            pool.notifyCancel(job.id)
            await bench.events.wait(for: .interrupted(job.id))
            claimed.open()
            await bench.events.wait(for: .partEnded(job.id, part: 1))
            tracked.open()
            await bench.events.wait(for: .abandoned(job.id))
            await bench.stop(pool)
            #expect(try bench.blobNames(job).isEmpty)
        }

        @Test("what the spec and the video disagree in is said as without parts")
        func pastTheEnd() async throws {
            let pool = try bench.pool(workers: 2, partTargets: 2)
            let job = try submit { $0.targets[4].startFrame = 99 }
            try pool.start()
            let done = try await end(of: job, pool)
            #expect(done.failure?.code == .invalidSpec)
            #expect(done.failure?.pointer == "#/targets/4/start_frame")
        }

        @Test("a source that breaks off fails with what was followed up to there, and the same message")
        func broken() async throws {
            let whole = try await bench.run(try submit(broken: 7))
            let pool = try bench.pool(partTargets: 2)
            let job = try submit(broken: 7)
            try pool.start()
            let done = try await end(of: job, pool)
            #expect(done.status == .failed && done.failure == whole.failure)
            #expect(try bench.records(done).map(\.frame) == bench.records(whole).map(\.frame))
            #expect(try bench.blobNames(done) == ["results-1.ndjson", "source"])
        }
    }
}
