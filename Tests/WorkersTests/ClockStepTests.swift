import Jobs
import Testing
import Workers

extension WorkersTests {
    @Suite("A clock that is set forward", .timeLimit(.minutes(10)))
    struct ClockStepTests {
        let bench: Bench
        let scene: Scene

        init() throws {
            bench = try Bench()
            scene = try Scene()
        }

        @Test("who lives renews its leases at once, and publishes")
        func renewed() async throws {
            let job = try bench.submit(scene)
            let pool = try bench.pool(leaseSeconds: 1_200)
            let hold = try await start(pool, holding: job)
            bench.clock.advance(1e6)
            // It would be renewed after 400 seconds.
            await bench.events.wait(for: .progressed(job.id))
            hold.open()
            #expect(await bench.events.end(of: job.id) == .succeeded)
            await bench.stop(pool)
            #expect(try bench.current(job).attempt == 1)
        }

        @Test("a job whose end comes together with the step is published")
        func atEnd() async throws {
            let job = try bench.submit(scene)
            bench.events.perform(times: 1, at: .tracked(job.id, frame: scene.frames - 1)) { [bench] in
                bench.clock.advance(1e6)
            }
            let pool = try bench.pool(leaseSeconds: 1_200)
            try pool.start()
            #expect(await bench.events.end(of: job.id) == .succeeded)
            await bench.stop(pool)
            #expect(try bench.current(job).attempt == 1)
        }

        @Test("who lives elsewhere has time to renew its leases")
        func kept() async throws {
            let job = try bench.submit(scene)
            let claim = try #require(try bench.store.claim(owner: "other", leaseSeconds: 1_200))
            let pool = try bench.pool(leaseSeconds: 1_200)
            let hold = try await start(pool, holding: try bench.submit(scene))
            bench.clock.advance(1e6)
            // A sweep ends what is overdue and then looks at the leases: once a second has ended something, one is over.
            for _ in 0..<2 {
                let overdue = try bench.submit(scene) { $0.deadlineSeconds = 1 }
                bench.clock.advance(1)
                #expect(await bench.events.end(of: overdue.id) == .failed)
            }
            let status = try bench.store.heartbeat(claim.lease, progress: JobProgress(), leaseSeconds: 1_200)
            #expect(status == .held)
            hold.open()
            await bench.stop(pool)
            #expect(try bench.current(job).attempt == 1)
            let message = "the clock was set forward; leases have their whole time again"
            #expect(bench.logs.entries.filter { $0 == .init(level: .warning, message: message) }.count == 1)
        }

        @Test("a lease that nobody renews within its whole time is over")
        func over() async throws {
            let job = try bench.submit(scene)
            _ = try #require(try bench.store.claim(owner: "dead", leaseSeconds: 3))
            let pool = try bench.pool(leaseSeconds: 3)
            try pool.start()
            bench.clock.advance(1e6)
            #expect(await bench.events.end(of: job.id) == .succeeded)
            await bench.stop(pool)
            #expect(try bench.current(job).attempt == 2)
        }

        /// Starts a pool, and returns once its worker is held, before it has anything to tell of the job.
        private func start(_ pool: WorkerPool, holding job: Job) async throws -> Hold {
            let hold = bench.events.hold(at: .claimed(job.id, attempt: 1))
            try pool.start()
            await bench.events.wait(for: .claimed(job.id, attempt: 1))
            return hold
        }
    }
}
