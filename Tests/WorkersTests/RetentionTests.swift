import FileBlobStore
import Foundation
import JobStoreContract
import Jobs
import Logging
import SQLiteJobStore
import Testing

@testable import Workers

@Suite("Retention")
struct RetentionTests {
    /// Stores in a folder of their own, a clock, and a sweeper.
    private final class Bench {
        let clock = ManualEnvironment()
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("retention-\(UUID().uuidString)")
            .path
        let store: SQLiteJobStore
        let blobs: FileBlobStore
        let sweeper: RetentionSweeper
        private let ids: JobIDGenerator

        init(_ policy: RetentionPolicy = RetentionPolicy(seconds: 100, tombstoneSeconds: 1_000)) throws {
            store = try SQLiteJobStore(
                path: folder + "/jobs.sqlite", retentionSeconds: policy.seconds, environment: clock)
            blobs = try FileBlobStore(directory: folder + "/blobs")
            ids = JobIDGenerator(environment: clock)
            sweeper = RetentionSweeper(
                store: store, blobs: blobs, policy: policy, environment: clock, logger: Logger(label: "test"))
        }

        deinit {
            try? store.close()
            try? FileManager.default.removeItem(atPath: folder)
        }

        func write(_ key: String) throws {
            let writer = try blobs.create(key)
            try [UInt8]("content".utf8).withUnsafeBytes(writer.write)
            _ = try writer.commit()
        }

        func submit() throws -> JobID {
            let id = ids.next()
            try write(id.sourceKey)
            let target = TargetSpec(id: "car", box: PixelBox(x: 1, y: 2, width: 30, height: 40))
            let source = JobSource(kind: .video, blobKey: id.sourceKey, bytes: 7, sha256: "00")
            try store.submit(
                Job(
                    id: id, tenant: .anonymous, spec: JobSpec(targets: [target]), source: source,
                    createdAt: clock.now()))
            return id
        }

        func end() throws -> JobID {
            let id = try submit()
            let claimed = try #require(try store.claim(owner: "worker", leaseSeconds: 1e6))
            try #require(claimed.job.id == id)
            try write(id.resultKey(attempt: 1))
            _ = try store.publish(
                JobOutcome(status: .succeeded, progress: JobProgress(), resultKey: id.resultKey(attempt: 1)),
                lease: claimed.lease)
            return id
        }

        var folders: Set<String> { Set((try? blobs.children(of: JobID.blobFolder)) ?? []) }
    }

    @Test("blobs go when a job's time is over, its row a while later, and nothing of the others")
    func life() throws {
        let bench = try Bench()
        let old = try bench.end()
        bench.clock.advance(50)
        let young = try bench.end()
        let queued = try bench.submit()
        #expect(try bench.sweeper.sweep() == RetentionSweeper.Result())
        bench.clock.advance(50)
        #expect(try bench.sweeper.sweep() == RetentionSweeper.Result(purged: 1))
        #expect(bench.folders == [young.description, queued.description])
        #expect(try bench.store.job(old, tenant: .anonymous)?.status == .succeeded)
        #expect(try bench.sweeper.sweep() == RetentionSweeper.Result())
        bench.clock.advance(999)
        #expect(try bench.sweeper.sweep() == RetentionSweeper.Result(purged: 1))
        #expect(try bench.store.exists(old))
        bench.clock.advance(1)
        #expect(try bench.sweeper.sweep() == RetentionSweeper.Result(removed: 1))
        #expect(try bench.store.exists(old) == false)
        #expect(try bench.store.exists(young))
        #expect(bench.folders == [queued.description])
    }

    @Test("more jobs than a batch holds go in one sweep")
    func batches() throws {
        let bench = try Bench()
        for _ in 0..<250 { _ = try bench.end() }
        bench.clock.advance(100)
        #expect(try bench.sweeper.sweep() == RetentionSweeper.Result(purged: 250))
        #expect(bench.folders.isEmpty)
        bench.clock.advance(1_000)
        #expect(try bench.sweeper.sweep() == RetentionSweeper.Result(removed: 250))
        #expect(try bench.store.counts()[.succeeded] == 0)
    }

    @Test("jobs whose blobs cannot be removed hold up no others, and go when they can")
    func stuck() throws {
        let bench = try Bench()
        let stuck = try (0..<150).map { _ in try bench.end() }
        for _ in 0..<150 { _ = try bench.end() }
        bench.clock.advance(100)
        let sweeper = RetentionSweeper(
            store: bench.store, blobs: DistantBlobs(bench.blobs, stuck: Set(stuck.map(\.blobPrefix))),
            policy: RetentionPolicy(seconds: 100, tombstoneSeconds: 1_000), environment: bench.clock,
            logger: Logger(label: "test"))
        #expect(try sweeper.sweep() == RetentionSweeper.Result(purged: 150))
        #expect(bench.folders == Set(stuck.map(\.description)))
        #expect(try bench.sweeper.sweep() == RetentionSweeper.Result(purged: 150))
    }

    @Test("a sweep that was cut off between blobs and row is made good by the next, and so is what came too late")
    func cutOff() throws {
        let bench = try Bench()
        let id = try bench.end()
        bench.clock.advance(100)
        try bench.blobs.remove(id.blobPrefix)
        #expect(try bench.sweeper.sweep() == RetentionSweeper.Result(purged: 1))
        try bench.write(id.videoKey(attempt: 1, fileExtension: "mp4"))
        bench.clock.advance(1_000)
        #expect(try bench.sweeper.sweep() == RetentionSweeper.Result(removed: 1))
        #expect(bench.folders.isEmpty)
    }

    @Test("jobs that ended while nothing was to expire get the full time from then on")
    func schedule() throws {
        let bench = try Bench(RetentionPolicy())
        let id = try bench.end()
        bench.clock.advance(1e6)
        #expect(try bench.sweeper.sweep() == RetentionSweeper.Result())
        let policy = RetentionPolicy(seconds: 100)
        let store = try SQLiteJobStore(
            path: bench.folder + "/jobs.sqlite", retentionSeconds: policy.seconds, environment: bench.clock)
        let sweeper = RetentionSweeper(
            store: store, blobs: bench.blobs, policy: policy, environment: bench.clock, logger: Logger(label: "test"))
        try sweeper.schedule()
        #expect(try sweeper.sweep() == RetentionSweeper.Result())
        #expect(try store.job(id, tenant: .anonymous)?.expiresAt == bench.clock.now().addingTimeInterval(100))
        bench.clock.advance(100)
        #expect(try sweeper.sweep() == RetentionSweeper.Result(purged: 1))
    }

    @Test("names of submissions go after a day")
    func attempts() throws {
        let bench = try Bench()
        let job = try #require(try bench.store.job(try bench.submit(), tenant: .anonymous))
        var second = job
        bench.clock.advance(1)
        second.id = JobIDGenerator(environment: bench.clock).next()
        let attempt = IdempotentAttempt(key: "k", fingerprint: "ab", answer: [])
        #expect(try bench.store.submit(second, as: attempt) == nil)
        bench.clock.advance(IdempotencyLimits.seconds + 1)
        try bench.sweeper.sweep()
        #expect(try bench.store.forgetAttempts(limit: 10) == 0)
    }
}
