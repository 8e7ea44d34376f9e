import Foundation
import Jobs
import Media
import Testing
import Workers

extension WorkersTests {
    @Suite("Failures", .timeLimit(.minutes(10)))
    struct FailureTests {
        let bench: Bench
        let scene: Scene

        init() throws {
            bench = try Bench()
            scene = try Scene()
        }

        @Test("a picture that is cut off fails the job naming its frame, and the frames before it are kept")
        func truncated() async throws {
            let job = try await bench.run(try bench.submit(scene, broken: 7))
            #expect(job.status == .failed)
            #expect(job.failure?.code == .undecodable)
            #expect(job.failure?.frame == 7)
            #expect(try bench.records(job).map(\.frame) == Array(0..<7))
        }

        @Test("a source that is no video fails the job as undecodable and keeps no result")
        func garbage() async throws {
            let submitted = try bench.submit(scene, kind: .video) { writer in
                try Data("#EXTM3U\nfile:///etc/passwd\n".utf8).withUnsafeBytes { try writer.write($0) }
            }
            let job = try await bench.run(submitted)
            #expect(job.failure?.code == .undecodable)
            #expect(job.resultKey == nil)
            #expect(try bench.blobNames(job) == ["source"])
        }

        @Test("a job whose blobs cannot be reached goes back to the queue unharmed, and is done when they can")
        func unreachable() async throws {
            let blobs = DistantBlobs(bench.blobs, failures: 2)
            let submitted = try bench.submit(scene)
            let pool = try bench.pool(blobs: blobs)
            try pool.start()
            #expect(await bench.events.end(of: submitted.id) == .succeeded)
            await bench.stop(pool)
            let job = try bench.current(submitted)
            #expect(job.attempt == 1)
            #expect(try bench.records(job).count == scene.frames)
            #expect(bench.events.events.filter { $0 == .released(submitted.id) }.count == 2)
            #expect(try bench.blobNames(job) == ["results-1.ndjson", "source"])
        }

        @Test("a stop does not wait until a job would be tried again whose blobs cannot be reached")
        func stopWhileUnreachable() async throws {
            let submitted = try bench.submit(scene)
            let pool = try bench.pool(pollSeconds: 1_000, blobs: DistantBlobs(bench.blobs, failures: .max))
            try pool.start()
            await bench.events.wait(for: .released(submitted.id))
            await bench.stop(pool, within: 0)
            #expect(pool.workersAlive == 0)
            #expect(try bench.current(submitted).status == .queued)
            #expect(bench.events.events.filter { $0 == .released(submitted.id) }.count == 1)
        }

        @Test("a box outside the picture fails the job with a pointer to it")
        func boxOutside() async throws {
            let submitted = try bench.submit(scene) { spec in
                spec.targets.append(TargetSpec(id: "far", box: PixelBox(x: 500, y: 500, width: 10, height: 10)))
            }
            let job = try await bench.run(submitted)
            #expect(job.failure?.code == .invalidSpec)
            #expect(job.failure?.pointer == "#/targets/1/box")
        }

        @Test("what is past the end of the source fails the job with a pointer to it")
        func pastTheEnd() async throws {
            let keyframe = TargetSpec.Keyframe(frame: scene.frames, box: PixelBox(scene.truth(0)))
            let changes: [(String, @Sendable (inout JobSpec) -> Void)] = [
                ("#/targets/0/keyframes/0/frame", { $0.targets[0].keyframes = [keyframe] }),
                ("#/targets/0/start_frame", { $0.targets[0].startFrame = 90 }),
                (
                    "#/start_frame",
                    {
                        $0.startFrame = 50
                        $0.targets[0].startFrame = 50
                    }
                ),
            ]
            for (pointer, change) in changes {
                let job = try await bench.run(try bench.submit(scene, change: change))
                #expect(job.failure?.code == .invalidSpec, "\(pointer)")
                #expect(job.failure?.pointer == pointer)
            }
        }

        @Test("a source that is gone is a fault of the service, told without internals")
        func sourceGone() async throws {
            let submitted = try bench.submit(scene)
            try bench.blobs.remove(submitted.source.blobKey)
            let job = try await bench.run(submitted)
            #expect(job.failure?.code == .internalError)
            #expect(job.failure?.message.contains("blob") == false)
        }

        /// A file system of a few megabytes (`mount -t tmpfs -o size=2m tmpfs DIR`) that the test may fill.
        private static let smallDisk = ProcessInfo.processInfo.environment["LKTRACK_TEST_SMALL_DISK"]

        @Test(
            "a full disk fails the job with storage_full, leaves nothing behind, and the next job goes through",
            .enabled(if: smallDisk != nil))
        func diskFull() async throws {
            let folder = try #require(Self.smallDisk) + "/blobs"
            defer { try? FileManager.default.removeItem(atPath: folder) }
            let bench = try Bench(blobFolder: folder)
            let submitted = try bench.submit(scene)
            let filler = try bench.blobs.create("filler")
            let page = [UInt8](repeating: 1, count: 4096)
            while (try? page.withUnsafeBytes { try filler.write($0) }) != nil, (try? filler.flush()) != nil {}
            let job = try await bench.run(submitted)
            #expect(job.failure?.code == .storageFull)
            #expect(try bench.blobNames(job) == ["source"])
            #expect(try bench.blobs.openPartial(job.id.resultKey(attempt: 1)) == nil)
            filler.abort()
            #expect(try await bench.run(try bench.submit(scene)).status == .succeeded)
        }

        @Test("a decoder that is killed once costs a new start, and the result is the same")
        func decoderKilledOnce() async throws {
            let scene = try Scene(frames: 60)
            let undisturbed = try await bench.run(try bench.submit(scene))
            let submitted = try bench.submit(scene)
            let job = try await runKillingDecoders(submitted, times: 1)
            #expect(job.status == .succeeded)
            #expect(job.attempt == 1)
            #expect(bench.events.events.contains(.decoderRestarted(submitted.id)))
            #expect(try bench.result(job) == bench.result(undisturbed))
        }

        @Test("a decoder that is killed twice fails the job with decoder_crashed")
        func decoderKilledTwice() async throws {
            let submitted = try bench.submit(try Scene(frames: 60))
            let job = try await runKillingDecoders(submitted, times: 2)
            #expect(job.status == .failed)
            #expect(job.failure?.code == .decoderCrashed)
            #expect(job.attempt == 1)
        }

        /// Kills the job's decoder at frame 3, as often as asked for.
        private func runKillingDecoders(_ job: Job, times: Int) async throws -> Job {
            let link = bench.folder.appendingPathComponent("decoder").path
            try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: DecoderBinary.path)
            let pool = try bench.pool(decoder: DecoderBinary.command(link))
            let frame = WorkerEvent.tracked(job.id, frame: 3)
            bench.events.perform(times: times, at: frame) {
                for process in DecoderBinary.processes(of: link) { kill(process, SIGKILL) }
            }
            try pool.start()
            _ = await bench.events.end(of: job.id)
            await bench.stop(pool)
            return try bench.current(job)
        }
    }
}
