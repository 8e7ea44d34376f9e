import Foundation
import Jobs
import Media
import Testing
import Tracking
import Workers

extension WorkersTests {
    @Suite("WorkerPool", .timeLimit(.minutes(10)))
    struct WorkerPoolTests {
        @Test("a job gets a box for every frame, close to the truth, and its source is described")
        func success() async throws {
            let bench = try Bench()
            let scene = try Scene()
            let job = try await bench.run(try bench.submit(scene))
            #expect(job.status == .succeeded)
            #expect(job.failure == nil)
            #expect(job.progress.framesDone == scene.frames)
            #expect(job.progress.framesTotal == scene.frames)
            #expect(job.source.width == 96)
            #expect(job.source.codec == "png")
            let records = try bench.records(job)
            #expect(records.map(\.frame) == Array(0..<scene.frames))
            for record in records {
                let target = try #require(record.targets.first)
                #expect(Box(target.box).intersectionOverUnion(scene.truth(record.frame)) > 0.8, "frame \(record.frame)")
            }
            #expect(try bench.blobNames(job) == ["results-1.ndjson", "source"])
        }

        @Test("a video job leaves an annotated video of as many frames", arguments: [OutputSpec.Video.mp4, .avi])
        func annotatedVideo(_ video: OutputSpec.Video) async throws {
            let bench = try Bench()
            let scene = try Scene()
            let submitted = try bench.submit(scene, kind: .video) { spec in
                spec.output.video = video
                (spec.startFrame, spec.stopFrame) = (2, 9)
                spec.targets[0].startFrame = 2
                spec.targets[0].box = PixelBox(scene.truth(2))
            } write: {
                try scene.writeVideo(to: try $0.localPath())
            }
            let job = try await bench.run(submitted)
            #expect(job.status == .succeeded)
            #expect(try bench.records(job).map(\.frame) == Array(2..<9))
            let key = try #require(job.videoKey)
            let path = try #require(try bench.blobs.localPath(key))
            #expect(key.hasSuffix(video.rawValue))
            let decoder = try DecoderProcess.open(.video(path: path), command: DecoderBinary.command())
            defer { decoder.close() }
            #expect(decoder.info.width == 96)
            var frames = 0
            while try decoder.next() != nil { frames += 1 }
            #expect(frames == 7)
            #expect(try bench.blobNames(job).count == 3)
        }

        @Test("the same jobs give the same bytes with one, two and eight workers")
        func determinism() async throws {
            var results: [[String]] = []
            for workers in [1, 2, 8] {
                let bench = try Bench()
                let jobs = try (1...4).map { try bench.submit(try Scene(seed: $0)) }
                let pool = try bench.pool(workers: workers)
                try pool.start()
                for job in jobs { _ = await bench.events.end(of: job.id) }
                await bench.stop(pool)
                let ended = try jobs.map { try bench.current($0) }
                #expect(ended.map(\.failure) == [nil, nil, nil, nil])
                results.append(try ended.map { String(decoding: try bench.result($0), as: UTF8.self) })
            }
            #expect(results[0] == results[1] && results[0] == results[2])
            #expect(Set(results[0]).count == 4)
        }

        @Test("a job that is queued later wakes an idle worker, and partial results can be read while it runs")
        func wakeAndPartial() async throws {
            let bench = try Bench()
            let pool = try bench.pool()
            try pool.start()
            #expect(pool.workersAlive == 1)
            let job = try bench.submit(try Scene())
            let hold = bench.events.hold(at: .tracked(job.id, frame: 5))
            pool.notifyJobQueued()
            await bench.events.wait(for: .tracked(job.id, frame: 5))
            let partial = try #require(try bench.blobs.openPartial(job.id.resultKey(attempt: 1)))
            let lines = try Bench.bytes(partial).split(separator: UInt8(ascii: "\n"))
            #expect(try lines.map { try FrameRecord(line: $0).frame } == Array(0...5))
            hold.open()
            #expect(await bench.events.end(of: job.id) == .succeeded)
            await bench.stop(pool)
            #expect(pool.workersAlive == 0)
        }
    }
}
