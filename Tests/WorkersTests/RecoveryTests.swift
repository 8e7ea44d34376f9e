import Foundation
import Jobs
import Testing
import Workers

extension WorkersTests {
    @Suite("Recovery", .timeLimit(.minutes(10)))
    struct RecoveryTests {
        let bench: Bench
        let scene: Scene

        init() throws {
            bench = try Bench()
            scene = try Scene()
            try FileManager.default.createDirectory(
                atPath: bench.ownersDirectory, withIntermediateDirectories: true)
        }

        /// What a killed process leaves: its file, without the lock that the kernel took from it.
        private func leaveFile(of owner: String) throws {
            try Data().write(to: URL(fileURLWithPath: "\(bench.ownersDirectory)/\(owner)"))
        }

        @Test("the job of a killed process runs again at the next start, before its lease is over")
        func killed() async throws {
            let submitted = try bench.submit(scene) { $0.output.video = .avi }
            _ = try bench.store.claim(owner: "dead-1", leaseSeconds: 10_000)
            // It was tracked, and was being made into a video.
            _ = try bench.blobs.create(submitted.id.resultKey(attempt: 1)).commit()
            try leaveFile(of: "dead-1")
            let job = try await bench.run(submitted)
            #expect(job.status == .succeeded)
            #expect(job.attempt == 2)
            #expect(try bench.blobNames(job) == ["results-2.ndjson", "source", "video-2.avi"])
            #expect(try FileManager.default.contentsOfDirectory(atPath: bench.ownersDirectory).isEmpty)
        }

        @Test("the canceled job of a killed process ends at the next start, with the frames that were written")
        func killedCanceled() async throws {
            let submitted = try bench.submit(scene)
            _ = try bench.store.claim(owner: "dead-1", leaseSeconds: 10_000)
            _ = try bench.store.requestCancel(submitted.id, tenant: .anonymous)
            let writer = try bench.blobs.create(submitted.id.resultKey(attempt: 1))
            var lines: [UInt8] = []
            for frame in 0..<3 {
                FrameRecord(frame: frame, pts: Int64(frame), time: 0, targets: []).appendLine(to: &lines)
            }
            _ = try bench.blobs.create(submitted.id.videoKey(attempt: 1, fileExtension: "mp4")).commit()
            // The last one was being written.
            try lines.dropLast(5).withUnsafeBytes(writer.write)
            try writer.flush()
            try leaveFile(of: "dead-1")
            try await start()
            let job = try bench.current(submitted)
            #expect(job.status == .canceled && job.failure == nil)
            #expect(try bench.records(job).map(\.frame) == [0, 1])
            #expect(job.progress.framesDone == 2)
            #expect(try bench.blobNames(job) == ["results-1-kept.ndjson", "source"])
            #expect(bench.events.events.isEmpty)
            withExtendedLifetime(writer) {}
        }

        @Test("what was kept of a canceled job that has ended meanwhile goes, unless it is what was published")
        func overtaken() throws {
            for isDeleted in [true, false] {
                let submitted = try bench.submit(scene)
                _ = try bench.store.claim(owner: "dead-1", leaseSeconds: 10_000)
                _ = try bench.store.requestCancel(submitted.id, tenant: .anonymous)
                let written = try bench.blobs.create(submitted.id.resultKey(attempt: 1))
                var line: [UInt8] = []
                FrameRecord(frame: 0, pts: 0, time: 0, targets: []).appendLine(to: &line)
                try line.withUnsafeBytes(written.write)
                try written.flush()
                try leaveFile(of: "dead-1")
                let owners = try OwnerRegistry(directory: bench.ownersDirectory)
                defer { owners.close() }
                // Somebody is faster while the frames are copied: a client, or another process that keeps them, too.
                let blobs = DistantBlobs(bench.blobs) { [bench] in
                    do {
                        guard !isDeleted else {
                            _ = try bench.store.delete(submitted.id, tenant: .anonymous)
                            return
                        }
                        try CanceledJobs(store: bench.store, blobs: bench.blobs, logger: bench.logs.logger)
                            .endThose(ofDead: owners)
                    } catch {
                        Issue.record(error)
                    }
                }
                try CanceledJobs(store: bench.store, blobs: blobs, logger: bench.logs.logger).endThose(ofDead: owners)
                let kept = submitted.id.keptResultKey(attempt: 1)
                #expect(try (bench.blobs.open(kept) == nil) == isDeleted)
                if !isDeleted { #expect(try bench.current(submitted).resultKey == kept) }
                withExtendedLifetime(written) {}
            }
        }

        @Test("leases are renewed while what a dead worker left of a canceled job is copied, however long that takes")
        func renewedMeanwhile() async throws {
            let canceled = try bench.submit(scene)
            _ = try bench.store.claim(owner: "gone", leaseSeconds: 1)
            _ = try bench.store.requestCancel(canceled.id, tenant: .anonymous)
            bench.clock.advance(2)
            let running = try bench.submit(scene)
            let (copy, tracking) = (Hold(), bench.events.hold(at: .tracked(running.id, frame: 5)))
            let (reached, reach) = AsyncStream<Void>.makeStream()
            let blobs = DistantBlobs(bench.blobs) {
                reach.finish()
                copy.block()
            }
            let pool = try bench.pool(leaseSeconds: 3, blobs: blobs)
            try pool.start()
            for await _ in reached {}
            await withCheckedContinuation { renewed in
                bench.events.perform(times: 1, at: .progressed(running.id)) { renewed.resume() }
            }
            copy.open()
            #expect(await bench.events.end(of: canceled.id) == .canceled)
            tracking.open()
            #expect(await bench.events.end(of: running.id) == .succeeded)
            await bench.stop(pool)
        }

        @Test("a job that has killed its process three times fails with worker_lost and is not run again")
        func poison() async throws {
            let submitted = try bench.submit(scene)
            for attempt in 1...3 {
                #expect(try bench.store.claim(owner: "dead", leaseSeconds: 10_000)?.job.attempt == attempt)
                if attempt < 3 { #expect(try bench.store.expireLeases(ofOwner: "dead") == [submitted.id]) }
            }
            try leaveFile(of: "dead")
            let pool = try bench.pool()
            try pool.start()
            await bench.stop(pool)
            let job = try bench.current(submitted)
            #expect(job.status == .failed)
            #expect(job.failure?.code == .workerLost)
            #expect(bench.events.events.isEmpty)
        }

        @Test("the job of a process that lives is left alone")
        func alive() async throws {
            let other = try bench.pool()
            let submitted = try bench.submit(scene)
            let hold = try await bench.start(other, holding: submitted)
            let pool = try bench.pool()
            try pool.start()
            hold.open()
            #expect(await bench.events.end(of: submitted.id) == .succeeded)
            #expect(try bench.current(submitted).attempt == 1)
            await bench.stop(pool)
            await bench.stop(other)
        }

        /// An upload that has its blob, but no job yet.
        private func makeOrphan() throws -> JobID {
            let id = bench.newID()
            _ = try bench.blobs.create(id.sourceKey).commit()
            return id
        }

        private func start() async throws {
            let pool = try bench.pool()
            try pool.start()
            await bench.stop(pool)
        }

        @Test("blobs without a job are removed at the start, unless an upload may be on its way")
        func orphans() async throws {
            let submitted = try bench.submit(scene)
            let orphan = try makeOrphan()
            bench.clock.advance(601)
            let young = try makeOrphan()
            bench.clock.advance(599)
            try await start()
            #expect(try bench.blobs.open(orphan.sourceKey) == nil)
            #expect(try bench.blobs.open(young.sourceKey) != nil)
            bench.clock.advance(2)
            try await start()
            #expect(try bench.blobs.children(of: JobID.blobFolder) == [submitted.id.description])
        }

        @Test("blobs without a job stay while another process lives, though it runs no jobs")
        func uploadElsewhere() async throws {
            let api = try OwnerRegistry(directory: bench.ownersDirectory)
            let upload = try makeOrphan()
            bench.clock.advance(10_000)
            try await start()
            #expect(try bench.blobs.open(upload.sourceKey) != nil)
            api.close()
            try await start()
            #expect(try bench.blobs.open(upload.sourceKey) == nil)
        }
    }
}
