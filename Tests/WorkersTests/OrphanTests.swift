import Foundation
import Jobs
import Testing
import Workers

/// Blobs without a job, in a folder.
@Suite("Orphaned blobs")
struct OrphanTests {
    private let bench: Bench
    private let sweeper: OrphanSweeper

    init() throws {
        bench = try Bench()
        sweeper = OrphanSweeper(
            store: bench.store, blobs: bench.blobs, environment: bench.clock, logger: bench.logs.logger)
    }

    private func upload() throws -> JobID {
        let id = bench.newID()
        _ = try bench.blobs.create(id.sourceKey).commit()
        return id
    }

    @Test("blobs without a job are removed once they were seen so twice, an hour apart")
    func twice() throws {
        let orphan = try upload()
        // However old the job's id is: its upload may have taken that long, and have ended just now.
        bench.clock.advance(100_000)
        #expect(try sweeper.sweep().isEmpty)
        bench.clock.advance(3599)
        #expect(try sweeper.sweep().isEmpty)
        let late = try upload()
        bench.clock.advance(1)
        #expect(try sweeper.sweep() == [orphan])
        #expect(try bench.blobs.children(of: JobID.blobFolder) == [late.description])
    }

    @Test("a job that comes meanwhile keeps its blobs, and one that is deleted begins anew")
    func saved() throws {
        let id = try upload()
        #expect(try sweeper.sweep().isEmpty)
        let target = TargetSpec(id: "car", box: PixelBox(x: 1, y: 2, width: 30, height: 40))
        let job = Job(
            id: id, tenant: .anonymous, spec: JobSpec(targets: [target]),
            source: JobSource(kind: .video, blobKey: id.sourceKey, bytes: 0, sha256: ""), createdAt: bench.clock.now())
        try bench.store.submit(job)
        bench.clock.advance(10_000)
        #expect(try sweeper.sweep().isEmpty)
        #expect(try bench.store.delete(id, tenant: .anonymous) != nil)
        #expect(try sweeper.sweep().isEmpty)
        #expect(try bench.blobs.open(id.sourceKey) != nil)
        bench.clock.advance(3600)
        #expect(try sweeper.sweep() == [id])
    }

    @Test("an upload that is being written is left alone, however long it takes; the hour begins when it is whole")
    func slowUpload() throws {
        let id = bench.newID()
        let writer = try bench.blobs.create(id.sourceKey)
        for _ in 0..<3 {
            #expect(try sweeper.sweep().isEmpty)
            bench.clock.advance(10_000)
        }
        _ = try writer.commit()
        #expect(try sweeper.sweep().isEmpty)
        #expect(try bench.blobs.open(id.sourceKey) != nil)
        bench.clock.advance(3600)
        #expect(try sweeper.sweep() == [id])
    }

    @Test("what a start after a crash finds too young is removed an hour later, without another start")
    func quickRestart() async throws {
        let orphan = try upload()
        bench.clock.advance(5)
        let pool = try bench.pool()
        try pool.start()
        #expect(try sweeper.sweep().isEmpty)
        #expect(try bench.blobs.open(orphan.sourceKey) != nil)
        bench.clock.advance(3600)
        #expect(try sweeper.sweep() == [orphan])
        await bench.stop(pool)
    }

    @Test("what is no job's is left alone")
    func others() throws {
        for key in ["jobs/readme", "uploads/1/data", "other"] { _ = try bench.blobs.create(key).commit() }
        for _ in 0..<2 {
            #expect(try sweeper.sweep().isEmpty)
            bench.clock.advance(10_000)
        }
        #expect(try bench.blobs.children(of: "") == ["jobs", "other", "uploads"])
    }

    @Test("a worker's start leaves blobs without a job to the sweeper where others share them")
    func start() async throws {
        let orphan = try upload()
        bench.clock.advance(10_000)
        let pool = try bench.pool(sharesBlobs: true)
        try pool.start()
        await bench.stop(pool)
        #expect(try bench.blobs.open(orphan.sourceKey) != nil)
    }
}
