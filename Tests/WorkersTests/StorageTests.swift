import Foundation
import Jobs
import Media
import Testing
import Workers

extension WorkersTests {
    /// What a job may take of the disk.
    @Suite("Storage of jobs", .timeLimit(.minutes(10)))
    struct StorageTests {
        let bench: Bench
        let scene: Scene

        init() throws {
            bench = try Bench()
            scene = try Scene()
        }

        /// Six targets, for parts of two.
        private func submit(_ change: (inout JobSpec) -> Void = { _ in }) throws -> Job {
            try bench.submit(scene) { spec in
                let box = PixelBox(scene.truth(0))
                spec.targets = (0..<6).map { number in
                    TargetSpec(
                        id: "target-\(number)",
                        box: PixelBox(x: box.x + Double(number), y: box.y, width: box.width, height: box.height))
                }
                change(&spec)
            }
        }

        private func limits(_ bytes: Int) -> StorageLimits {
            StorageLimits(resultBytes: Int64(bytes), floorBytes: 0)
        }

        /// The first lines of a result.
        private static func prefix(_ bytes: [UInt8], lines: Int) -> [UInt8] {
            let ends = bytes.indices.filter { bytes[$0] == UInt8(ascii: "\n") }
            return Array(bytes[...ends[lines - 1]])
        }

        @Test("a result as large as it may be is kept whole; one that would be larger fails with the frames that fit")
        func resultBytes() async throws {
            let whole = try bench.result(try await bench.run(try submit()))
            let fitting = try await bench.run(try submit(), storage: limits(whole.count))
            #expect(fitting.status == .succeeded)
            #expect(try bench.result(fitting) == whole)

            let first = Self.prefix(whole, lines: 5)
            let job = try await bench.run(try submit(), storage: limits(first.count + 1))
            #expect(job.status == .failed && job.failure?.code == .limitExceeded)
            #expect(job.failure?.message.contains("limits.result_bytes") == true)
            #expect(job.progress.framesDone == 5)
            #expect(try bench.result(job) == first)
        }

        @Test("a job in parts passes and fails by the bytes that it has in one piece")
        func resultBytesOfParts() async throws {
            let whole = try bench.result(try await bench.run(try submit()))
            let fitting = try await bench.run(try submit(), partTargets: 2, storage: limits(whole.count))
            #expect(fitting.status == .succeeded)
            #expect(try bench.result(fitting) == whole)
            for bytes in [whole.count - 1, Self.prefix(whole, lines: 5).count, 100] {
                let job = try await bench.run(try submit(), partTargets: 2, storage: limits(bytes))
                #expect(job.status == .failed && job.failure?.code == .limitExceeded, "\(bytes)")
                let lines = job.resultKey == nil ? 0 : try bench.records(job).count
                #expect(lines == job.progress.framesDone && lines < scene.frames, "\(bytes)")
                #expect(try bench.blobNames(job) == (lines > 0 ? ["results-1.ndjson", "source"] : ["source"]))
            }
        }

        @Test("a helper that passes the limit leaves its part to the leader, and the job fails")
        func resultBytesOfHelpers() async throws {
            let job = try submit()
            let hold = bench.events.hold(at: .tracked(job.id, frame: 0))
            let leader = try bench.pool(partTargets: 2, storage: limits(1000))
            try leader.start()
            await bench.events.wait(for: .tracked(job.id, frame: 0))
            let helper = try bench.pool(partTargets: 2, storage: limits(1000))
            try helper.start()
            await bench.events.wait(for: .partEnded(job.id, part: 1))
            hold.open()
            _ = await bench.events.end(of: job.id)
            for pool in [leader, helper] { await bench.stop(pool) }
            let done = try bench.current(job)
            #expect(done.failure?.code == .limitExceeded)
        }

        @Test("videos that would be larger than a result may be fail the job, and its frames are kept")
        func videoBytes() async throws {
            let whole = try bench.result(try await bench.run(try bench.submit(scene)))
            let changes: [@Sendable (inout JobSpec) -> Void] = [
                { $0.output.video = .avi }, { $0.output.crops = true },
            ]
            for change in changes {
                let job = try await bench.run(
                    try bench.submit(scene) { spec in
                        change(&spec)
                        // A video has more bytes than the records of so few frames.
                        spec.stopFrame = 2
                    }, storage: limits(whole.count / 4))
                #expect(job.status == .failed && job.failure?.code == .limitExceeded)
                #expect(try bench.records(job).count == 2)
                #expect(try bench.blobNames(job) == ["results-1.ndjson", "source"])
            }
        }

        @Test("a job that would write into the space that is left alone fails with storage_full")
        func floor() async throws {
            for parts in [0, 2] {
                let job = try await bench.run(
                    try submit(), partTargets: parts, storage: StorageLimits(floorBytes: .max / 2))
                #expect(job.failure?.code == .storageFull)
                #expect(try bench.blobNames(job) == ["source"])
                #expect(try bench.blobs.openPartial(job.id.resultKey(attempt: 1)) == nil)
            }
        }

        @Test("a video on demand does not touch it either, and leaves nothing behind")
        func floorOfRenderings() async throws {
            let job = try await bench.run(try submit())
            let renderer = bench.renderer(storage: StorageLimits(floorBytes: .max / 2))
            let performance = try bench.performance(job)
            let error = #expect(throws: MediaError.self) {
                try renderer.annotatedVideo(
                    of: performance, container: .mp4, to: job.id.videoKey(attempt: 1, fileExtension: "mp4"))
            }
            #expect(error?.code == .storageFull)
            let order = JobRenderer.CropOrder(target: 0, key: job.id.cropsKey(attempt: 1, target: 0))
            #expect(throws: MediaError.self) { try renderer.crops(of: performance, [order]) }
            #expect(try bench.blobNames(job) == ["results-1.ndjson", "source"])
        }

        @Test("frames that were done before others filled the disk are kept")
        func framesKept() async throws {
            let job = try submit()
            let blobs = DistantBlobs(bench.blobs)
            bench.events.perform(times: 1, at: .tracked(job.id, frame: 4)) { blobs.fill() }
            let pool = try bench.pool(blobs: blobs, storage: StorageLimits(floorBytes: 1 << 20))
            try pool.start()
            _ = await bench.events.end(of: job.id)
            await bench.stop(pool)
            let done = try bench.current(job)
            #expect(done.failure?.code == .storageFull)
            #expect(try bench.records(done).map(\.frame) == Array(0...4))
        }
    }
}
