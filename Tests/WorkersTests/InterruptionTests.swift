import Foundation
import JobStoreContract
import Jobs
import Testing
import Workers

extension WorkersTests {
    @Suite("Interruptions", .timeLimit(.minutes(10)))
    struct InterruptionTests {
        let bench: Bench
        let scene: Scene

        init() throws {
            bench = try Bench()
            scene = try Scene()
        }

        /// Runs a job up to frame 5, does something that stops it, and lets it go on once it was told.
        private func interrupt(_ job: Job, _ pool: WorkerPool, by action: () throws -> Void) async throws {
            let hold = try await bench.start(pool, holding: job)
            try action()
            await bench.events.wait(for: .interrupted(job.id))
            hold.open()
        }

        @Test("a canceled job stops and keeps the frames it has")
        func cancel() async throws {
            let pool = try bench.pool()
            let submitted = try bench.submit(scene)
            try await interrupt(submitted, pool) {
                _ = try bench.store.requestCancel(submitted.id, tenant: .anonymous)
                pool.notifyCancel(submitted.id)
            }
            #expect(await bench.events.end(of: submitted.id) == .canceled)
            await bench.stop(pool)
            let job = try bench.current(submitted)
            #expect(job.status == .canceled)
            #expect(try bench.records(job).map(\.frame) == Array(0...5))
            #expect(job.progress.framesDone == 6)
        }

        @Test("a canceled job that a graceful stop meets first ends, and keeps the frames it has")
        func cancelMeetsStop() async throws {
            let submitted = try bench.submit(scene)
            let pool = try bench.pool()
            let hold = try await bench.start(pool, holding: submitted)
            async let stopped: Void = bench.stop(pool, within: 0)
            await bench.events.wait(for: .interrupted(submitted.id))
            _ = try bench.store.requestCancel(submitted.id, tenant: .anonymous)
            hold.open()
            await stopped
            let job = try bench.current(submitted)
            #expect(job.status == .canceled)
            #expect(try bench.records(job).map(\.frame) == Array(0...5))
            #expect(job.progress.framesDone == 6)
        }

        @Test("a job past its deadline fails with deadline_exceeded")
        func deadline() async throws {
            let pool = try bench.pool()
            let submitted = try bench.submit(scene) { $0.deadlineSeconds = 0.2 }
            let hold = bench.events.hold(at: .claimed(submitted.id, attempt: 1))
            try pool.start()
            await bench.events.wait(for: .interrupted(submitted.id))
            hold.open()
            #expect(await bench.events.end(of: submitted.id) == .failed)
            await bench.stop(pool)
            #expect(try bench.current(submitted).failure?.code == .deadlineExceeded)
        }

        @Test("waiting, and attempts before it, count towards an attempt's deadline")
        func deadlineAfterWaiting() async throws {
            let submitted = try bench.submit(scene) { $0.deadlineSeconds = 1_000 }
            _ = try #require(try bench.store.claim(owner: "dead", leaseSeconds: 30))
            bench.clock.advance(900)
            #expect(try bench.store.expireLeases() == [submitted.id])
            bench.clock.advance(99.9)
            let pool = try bench.pool()
            let hold = bench.events.hold(at: .claimed(submitted.id, attempt: 2))
            try pool.start()
            // By a tenth of a second, where it would have a thousand if it began anew.
            await bench.events.wait(for: .interrupted(submitted.id))
            hold.open()
            #expect(await bench.events.end(of: submitted.id) == .failed)
            await bench.stop(pool)
            #expect(try bench.current(submitted).failure?.code == .deadlineExceeded)
        }

        @Test("a job whose deadline passes in the queue fails while others run")
        func deadlineInQueue() async throws {
            let running = try bench.submit(scene)
            let waiting = try bench.submit(scene) { $0.deadlineSeconds = 10 }
            let pool = try bench.pool()
            let hold = bench.events.hold(at: .claimed(running.id, attempt: 1))
            try pool.start()
            await bench.events.wait(for: .claimed(running.id, attempt: 1))
            bench.clock.advance(10)
            #expect(await bench.events.end(of: waiting.id) == .failed)
            hold.open()
            #expect(await bench.events.end(of: running.id) == .succeeded)
            await bench.stop(pool)
            let job = try bench.current(waiting)
            #expect(job.failure?.code == .deadlineExceeded)
            #expect(job.attempt == 0)
            #expect(
                bench.logs.entries.contains(.init(level: .warning, message: "queued jobs failed at their deadlines")))
        }

        @Test("a job that is deleted while it runs leaves nothing behind")
        func delete() async throws {
            let pool = try bench.pool()
            let submitted = try bench.submit(scene)
            try await interrupt(submitted, pool) {
                _ = try bench.store.delete(submitted.id, tenant: .anonymous)
                try bench.blobs.remove(submitted.id.blobPrefix)
                pool.notifyCancel(submitted.id)
            }
            await bench.events.wait(for: .abandoned(submitted.id))
            await bench.stop(pool)
            #expect(try bench.blobs.children(of: JobID.blobFolder).isEmpty)
            #expect(bench.logs.entries.contains(.init(level: .info, message: "job deleted")))
            #expect(bench.logs.entries.allSatisfy { $0.level == .info }, "nothing is wrong")
        }

        @Test("a worker that lost its lease publishes nothing and removes what it made")
        func leaseLost() async throws {
            let pool = try bench.pool()
            let submitted = try bench.submit(scene)
            var successor: ClaimedJob?
            try await interrupt(submitted, pool) {
                repeat { bench.clock.advance(31) } while try bench.store.expireLeases().isEmpty
                successor = try bench.store.claim(owner: "other", leaseSeconds: 1000)
            }
            await bench.events.wait(for: .abandoned(submitted.id))
            await bench.stop(pool)
            let lease = try #require(successor?.lease)
            #expect(try bench.store.status(of: lease) == .held)
            #expect(try bench.current(submitted) == successor?.job)
            #expect(try bench.blobNames(submitted) == ["source"])
            #expect(try bench.blobs.openPartial(submitted.id.resultKey(attempt: 1)) == nil)
            #expect(bench.logs.entries.contains(.init(level: .warning, message: "lease lost, nothing published")))
        }

        @Test("workers whose store does not answer stop while their leases last, all of them, and publish nothing")
        func cutOff() async throws {
            let store = SilentStore(bench.store)
            let pool = try bench.pool(workers: 2, leaseSeconds: 3, store: store)
            let jobs = try (0..<2).map { _ in try bench.submit(scene) }
            let holds = jobs.map { bench.events.hold(at: .tracked($0.id, frame: 5)) }
            try pool.start()
            for job in jobs { await bench.events.wait(for: .tracked(job.id, frame: 5)) }
            // Whoever asks about a lease now waits until the end of the test.
            store.fallSilent()
            for job in jobs { await bench.events.wait(for: .interrupted(job.id)) }
            for hold in holds { hold.open() }
            for job in jobs { await bench.events.wait(for: .abandoned(job.id)) }
            for job in jobs {
                #expect(try bench.current(job).status == .running)
                #expect(try bench.blobNames(job) == ["source"])
            }
            store.speak()
            await bench.stop(pool)
            #expect(store.published == 0)
        }

        @Test("what may have been published stays, where a stop comes before anybody knows", arguments: [true, false])
        func unsettled(isCommitted: Bool) async throws {
            let (losses, noteLoss) = AsyncStream.makeStream(of: Void.self)
            let store = UnsettledStore(bench.store, commits: isCommitted) { noteLoss.yield() }
            let submitted = try bench.submit(scene)
            let pool = try bench.pool(store: store)
            try pool.start()
            for await _ in losses { break }
            await bench.stop(pool, within: 0)
            let job = try bench.current(submitted)
            #expect(job.status == (isCommitted ? .succeeded : .running))
            #expect(try bench.blobNames(job) == ["results-1.ndjson", "source"])
            if isCommitted { return #expect(try bench.records(job).count == scene.frames) }
            // Nobody published it: the next attempt leaves nothing of this one.
            bench.clock.advance(31)
            #expect(try bench.store.expireLeases() == [submitted.id])
            let again = try await bench.run(submitted)
            #expect(again.status == .succeeded)
            #expect(again.attempt == 2)
            #expect(try bench.blobNames(again) == ["results-2.ndjson", "source"])
        }

        @Test("a canceled job whose end cannot be stored before a stop keeps its frames for who ends it")
        func cancelUnstored() async throws {
            let (losses, noteLoss) = AsyncStream.makeStream(of: Void.self)
            let store = UnsettledStore(bench.store, commits: false, code: .busy) { noteLoss.yield() }
            let pool = try bench.pool(store: store)
            let submitted = try bench.submit(scene)
            try await interrupt(submitted, pool) {
                _ = try bench.store.requestCancel(submitted.id, tenant: .anonymous)
                pool.notifyCancel(submitted.id)
            }
            for await _ in losses { break }
            await bench.stop(pool, within: 0)
            let job = try bench.current(submitted)
            #expect(job.status == .running)
            // Where `CanceledJobs` looks for them.
            #expect(try bench.blobNames(job) == ["results-1.ndjson", "source"])
        }

        @Test("a graceful stop gives a running job back, uncounted, and the next start gives the same bytes")
        func release() async throws {
            let first = try bench.submit(scene)
            let second = try bench.submit(scene)
            let pool = try bench.pool()
            let hold = try await bench.start(pool, holding: second)
            async let stopped: Void = bench.stop(pool, within: 0)
            await bench.events.wait(for: .interrupted(second.id))
            hold.open()
            await stopped
            #expect(bench.events.events.contains(.released(second.id)))
            #expect(try bench.current(second).status == .queued)
            #expect(try bench.current(second).attempt == 0)
            #expect(try bench.blobNames(second) == ["source"])
            #expect(try FileManager.default.contentsOfDirectory(atPath: bench.ownersDirectory).isEmpty)
            let finished = try await bench.run(second)
            #expect(finished.attempt == 1)
            #expect(try bench.result(finished) == bench.result(try bench.current(first)))
        }

        @Test("a pool that claims no more ends what runs, and leaves the rest in the queue")
        func stopClaiming() async throws {
            let first = try bench.submit(scene)
            let pool = try bench.pool()
            let hold = try await bench.start(pool, holding: first)
            let second = try bench.submit(scene)
            pool.stopClaiming()
            pool.notifyJobQueued()
            hold.open()
            #expect(await bench.events.end(of: first.id) == .succeeded)
            await bench.stop(pool)
            #expect(try bench.current(second).status == .queued)
            #expect(try bench.current(second).attempt == 0)
        }

        @Test("a graceful stop lets a running job finish where there is time")
        func finish() async throws {
            let pool = try bench.pool()
            let submitted = try bench.submit(scene)
            try pool.start()
            await bench.events.wait(for: .claimed(submitted.id, attempt: 1))
            await bench.stop(pool)
            #expect(try bench.current(submitted).status == .succeeded)
        }
    }
}
