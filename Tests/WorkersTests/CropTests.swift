import Dispatch
import FileBlobStore
import Jobs
import LucasKanade
import Media
import Synchronization
import Testing
import Tracking
import Workers

extension WorkersTests {
    @Suite("Crops of a job", .timeLimit(.minutes(10)))
    struct CropTests {
        @Test("a job that asks for crops leaves a video of each target with a picture for every frame")
        func withTheJob() async throws {
            let bench = try Bench()
            let scene = try Scene()
            let submitted = try bench.submit(scene) { spec in
                spec.output.crops = true
                let late = TargetSpec(id: "late", box: PixelBox(scene.truth(5)), startFrame: 5)
                spec.targets.append(late)
            }
            let job = try await bench.run(submitted)
            #expect(job.status == .succeeded)
            #expect(try bench.blobNames(job) == ["crops-1-0.mp4", "crops-1-1.mp4", "results-1.ndjson", "source"])
            let crops = try Self.frames(bench, job.id.cropsKey(attempt: 1, target: 0))
            #expect(crops.count == scene.frames)
            let keys = try bench.blobNames(job).filter { $0 != "source" }.map { "\(job.id.blobPrefix)/\($0)" }
            #expect(
                try bench.store.usage(of: job.tenant).stored - job.source.bytes == bench.blobs.bytes(of: keys),
                "what was made counts for the tenant's quota")
            // The first box's size, even.
            let box = scene.truth(0)
            #expect(crops.allSatisfy { abs(Double($0.width) - box.width) <= 1.5 && $0.width % 2 == 0 })
            #expect(crops.allSatisfy { abs(Double($0.height) - box.height) <= 1.5 && $0.height % 2 == 0 })
            let first = try #require(crops.first)
            #expect(crops.allSatisfy { Self.difference($0, first) < 12 })

            // Black until the target is there.
            let late = try Self.frames(bench, job.id.cropsKey(attempt: 1, target: 1))
            #expect(late.map { Self.mean($0) < 20 } == (0..<scene.frames).map { $0 < 5 })
        }

        @Test("crops made later are the same bytes as those made with the job")
        func later() async throws {
            let bench = try Bench()
            let job = try await bench.run(try bench.submit(try Scene()) { $0.output.crops = true })
            let made = try #require(try bench.blobs.open(job.id.cropsKey(attempt: 1, target: 0)))
            let renderer = bench.renderer()
            let order = JobRenderer.CropOrder(target: 0, key: "jobs/again.mp4")
            let performance = try bench.performance(job)
            #expect(try renderer.crops(of: performance, [order]) == [order])
            let again = try #require(try bench.blobs.open(order.key))
            #expect(try Bench.bytes(again) == Bench.bytes(made))

            try renderer.annotatedVideo(of: performance, container: .mp4, to: "jobs/video.mp4")
            #expect(try Self.frames(bench, "jobs/video.mp4").count == 12)
        }

        @Test("crops are not lost to other processes that start meanwhile")
        func whileOthersStart() async throws {
            let bench = try Bench()
            let job = try await bench.run(try bench.submit(try Scene()))
            let renderer = bench.renderer()
            let performance = try bench.performance(job)
            let orders = (0..<8).map { JobRenderer.CropOrder(target: 0, key: job.id.cropsKey(attempt: 1, target: $0)) }
            let isDone = Atomic(false)
            let failures = Mutex<[String]>([])
            // The first film is finished long before the last, and none has its name before all are.
            DispatchQueue.concurrentPerform(iterations: 2) { task in
                do {
                    if task == 0 {
                        defer { isDone.store(true, ordering: .releasing) }
                        _ = try renderer.crops(of: performance, orders)
                    } else {
                        while !isDone.load(ordering: .acquiring) {
                            try FileBlobStore(directory: bench.blobs.directory).removeAbandoned()
                        }
                    }
                } catch {
                    failures.withLock { $0.append("\(error)") }
                }
            }
            #expect(failures.withLock { $0 } == [])
            #expect(try orders.allSatisfy { try Self.frames(bench, $0.key).count == 12 })
        }

        @Test("a rendering that is given up leaves nothing behind")
        func givenUp() async throws {
            let bench = try Bench()
            let job = try await bench.run(try bench.submit(try Scene()))
            let renderer = bench.renderer()
            let performance = try bench.performance(job)
            var frames = 0
            let stop: () throws(MediaError) -> Void = { () throws(MediaError) in
                frames += 1
                if frames % 4 == 0 { throw MediaError(.canceled, "enough") }
            }
            let order = JobRenderer.CropOrder(target: 0, key: job.id.cropsKey(attempt: 1, target: 0))
            #expect(throws: MediaError.self) { try renderer.crops(of: performance, [order], willDraw: stop) }
            #expect(throws: MediaError.self) {
                try renderer.annotatedVideo(of: performance, container: .avi, to: "jobs/video.avi", willDraw: stop)
            }
            #expect(try bench.blobNames(job) == ["results-1.ndjson", "source"])
            #expect(try bench.blobs.children(of: "jobs") == [job.id.description])
        }

        @Test("a target that was there in no frame has no crops")
        func neverThere() async throws {
            let bench = try Bench()
            let scene = try Scene()
            let job = try await bench.run(try bench.submit(scene))
            var unseen = job
            unseen.spec.targets.append(TargetSpec(id: "never", box: PixelBox(scene.truth(0)), startFrame: 11))
            let renderer = bench.renderer()
            let performance = try bench.performance(unseen)
            let order = JobRenderer.CropOrder(target: 1, key: "jobs/never.mp4")
            #expect(try renderer.crops(of: performance, [order]).isEmpty)
            #expect(try bench.blobs.open(order.key) == nil)
        }

        private static func frames(_ bench: Bench, _ key: String) throws -> [Image] {
            let path = try #require(try bench.blobs.localPath(key))
            let decoder = try DecoderProcess.open(.video(path: path), command: DecoderBinary.command())
            defer { decoder.close() }
            var images: [Image] = []
            while let frame = try decoder.next() {
                let gray = frame.gray
                let pixels = (0..<gray.height).flatMap { y in (0..<gray.width).map { gray[$0, y] } }
                images.append(Image(width: gray.width, height: gray.height, pixels: pixels))
            }
            return images
        }

        private static func mean(_ image: Image) -> Double {
            image.withBytes { bytes in Double(bytes.reduce(0) { $0 + Int($1) }) / Double(bytes.count) }
        }

        /// Mean absolute difference in grey levels.
        private static func difference(_ a: Image, _ b: Image) -> Double {
            a.withBytes { a in
                b.withBytes { b in
                    Double(zip(a, b).reduce(0) { $0 + abs(Int($1.0) - Int($1.1)) }) / Double(a.count)
                }
            }
        }
    }
}
