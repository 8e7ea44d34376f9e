import Dispatch
import Foundation
import Jobs
import Media
import Synchronization
import Testing
import Workers

extension WorkersTests {
    @Suite("What a pool measures", .timeLimit(.minutes(10)))
    struct MeterTests {
        /// Adds up what it is told.
        final class Meter: WorkerMeter {
            struct Totals {
                var waits: [Duration] = []
                var ends: [JobStatus] = []
                var frames = 0
                var times = FrameTimes()
                var restarts = 0
            }

            let totals = Mutex(Totals())

            func jobStarted(waited: Duration) { totals.withLock { $0.waits.append(waited) } }
            func jobEnded(_ status: JobStatus, ran: Duration) {
                totals.withLock { if ran > .zero { $0.ends.append(status) } }
            }
            func tracked(frames: Int, _ times: FrameTimes) {
                totals.withLock { totals in
                    totals.frames += frames
                    totals.times.decodeWait += times.decodeWait
                    totals.times.track += times.track
                    totals.times.write += times.write
                }
            }
            func decoderRestarted() { totals.withLock { $0.restarts += 1 } }
        }

        @Test("each frame is counted once, and the stages' times add up to the run's")
        func frames() async throws {
            let bench = try Bench()
            let meter = Meter()
            let scene = try Scene(frames: 40)
            let job = try bench.submit(scene)
            bench.clock.advance(7)
            let began = ContinuousClock.now
            let pool = try bench.pool(meter: meter)
            try pool.start()
            #expect(await bench.events.end(of: job.id) == .succeeded)
            let elapsed = ContinuousClock.now - began
            await bench.stop(pool)
            let totals = meter.totals.withLock { $0 }
            #expect(totals.frames == scene.frames)
            #expect(totals.waits == [.seconds(7)])
            #expect(totals.ends == [.succeeded])
            #expect(totals.restarts == 0)
            let times = totals.times
            #expect(times.decodeWait > .zero && times.track > .zero && times.write > .zero)
            let sum = times.decodeWait + times.track + times.write
            #expect(sum < elapsed)
        }

        @Test("a decoder that dies is counted, and so is the new start that it costs")
        func decoderDies() async throws {
            let bench = try Bench()
            let meter = Meter()
            let job = try bench.submit(try Scene(frames: 60))
            let link = bench.folder.appendingPathComponent("decoder").path
            try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: DecoderBinary.path)
            bench.events.perform(times: 1, at: .tracked(job.id, frame: 3)) {
                for process in DecoderBinary.processes(of: link) { kill(process, SIGKILL) }
            }
            let before = DecoderCounts.current
            let pool = try bench.pool(decoder: DecoderBinary.command(link), meter: meter)
            try pool.start()
            #expect(await bench.events.end(of: job.id) == .succeeded)
            await bench.stop(pool)
            #expect(meter.totals.withLock { $0.restarts } == 1)
            // Other tests start decoders as well.
            #expect(DecoderCounts.current.started >= before.started + 2)
            #expect(DecoderCounts.current.crashed >= before.crashed + 1)
        }
    }
}
