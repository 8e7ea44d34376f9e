import Dispatch
import HTTPServer
import JobStoreContract
import Jobs
import Synchronization
import Testing
import TrackingAPI

/// Annotated videos and crops, asked for with the job or when they are wanted.
@Suite("Rendered videos")
struct RenderedVideoTests {
    /// A service with a finished job, and what renders for it.
    private struct Bench {
        let service: Service
        let id: JobID

        var renderer: TestRenderer { service.renderer }

        init(isHeld: Bool = false, configure: (inout APIConfiguration) -> Void = { _ in }) throws {
            service = try Service(isRendererHeld: isHeld, configure: configure)
            id = try Self.finishedJob(service)
        }

        static func finishedJob(_ service: Service) throws -> JobID {
            let id = try service.submit(targets: ["car", "bus"])
            try service.finish(id, lines: (0..<3).map { Lines.frame($0, targets: ["car", "bus"]) })
            return id
        }

        func path(_ suffix: String) -> String { "/v1/jobs/\(id)/\(suffix)" }

        /// The answer once it is no longer 202.
        func answer(_ path: String) throws -> Answer {
            var answer = service.send("GET", path)
            try waitFor("another answer than 202 to \(path)") {
                if answer.status == 202 { answer = service.send("GET", path) }
                return answer.status != 202
            }
            return answer
        }

        /// Waits until the job was told of its video.
        func awaitVideoOfJob() throws {
            try waitFor("the job to have its video") { try service.store.job(id, tenant: .anonymous)?.videoKey != nil }
        }
    }

    private static let paths = ["video", "targets/car/crops", "targets/bus/crops"]

    @Test("a video that was asked for with the job is sent in ranges once it is there")
    func withTheJob() throws {
        let service = try Service()
        let id = try service.submit(video: .mp4)
        let path = "/v1/jobs/\(id)/video"
        let early = service.send("GET", path)
        expectProblem(early, 409, saying: "queued")
        #expect(early.fields["Retry-After"] == "1")
        try service.finish(id, lines: [], video: Sample.video(seed: 9))
        let answer = service.send("GET", path)
        #expect(answer.body == Sample.video(seed: 9))
        #expect(answer.fields["Content-Type"] == "video/mp4")
        #expect(answer.fields["Repr-Digest"] == (try Filter.reprDigest(answer.body)))
        #expect(service.send("GET", path, [("Range", "bytes=4-11")]).text == "ftypisom")
        try service.blobs.remove(id.videoKey(attempt: 1, fileExtension: "mp4"))
        expectProblem(service.send("GET", path), 410)
    }

    @Test("what was not asked for with the job is made at the first request, once, and kept", arguments: paths)
    func onDemand(suffix: String) throws {
        let bench = try Bench(isHeld: true)
        let path = bench.path(suffix)
        DispatchQueue.concurrentPerform(iterations: 8) { _ in
            let answer = bench.service.send("GET", path)
            #expect(answer.status == 202)
            #expect(answer.fields["Location"] == path)
            #expect(answer.fields["Retry-After"] == "1")
            #expect(answer.json?["status"] == "rendering")
        }
        bench.renderer.release()
        #expect(bench.renderer.awaitEnd())
        let answer = try bench.answer(path)
        let rendering = try #require(bench.renderer.begun.withLock { $0.count == 1 ? $0[0] : nil })
        #expect(answer.status == 200)
        #expect(answer.body == TestRenderer.content(rendering))
        #expect(answer.fields["Content-Type"] == "video/mp4")
        let part = bench.service.send("GET", path, [("Range", "bytes=4-7")])
        #expect(part.status == 206 && part.text == "ftyp")
        let tag = try #require(answer.fields["ETag"])
        #expect(bench.service.send("GET", path, [("If-None-Match", tag)]).status == 304)
        #expect(bench.renderer.begun.withLock { $0.count } == 1)
    }

    @Test("a finished rendering is the job's video from then on, and goes with the job")
    func attached() throws {
        let bench = try Bench(isHeld: true)
        let before = try bench.service.store.usage(of: .anonymous).stored
        #expect(bench.service.send("GET", bench.path("video")).status == 202)
        bench.renderer.release()
        #expect(bench.renderer.awaitEnd())
        let video = try bench.answer(bench.path("video")).body
        try bench.awaitVideoOfJob()
        #expect(try bench.service.store.usage(of: .anonymous).stored == before + Int64(video.count))
        #expect(bench.service.send("DELETE", "/v1/jobs/\(bench.id)").status == 204)
        #expect(try bench.service.isEmpty())
    }

    @Test("each content has a key of its own, and an AVI stays one")
    func contents() throws {
        let bench = try Bench(isHeld: true)
        for suffix in Self.paths {
            #expect(bench.service.send("GET", bench.path(suffix)).status == 202)
            bench.renderer.release()
            #expect(bench.renderer.awaitEnd())
        }
        let begun = bench.renderer.begun.withLock { $0 }
        #expect(Set(begun.map(\.content)) == [.annotated(.mp4), .crops(target: 0), .crops(target: 1)])
        #expect(Set(begun.map(\.key)).count == 3)

        let id = try bench.service.submit(video: .avi)
        try bench.service.finish(id, as: .canceled, lines: [Lines.frame(0)])
        #expect(bench.service.send("GET", "/v1/jobs/\(id)/video").status == 202)
        bench.renderer.release()
        #expect(bench.renderer.awaitEnd())
        #expect(bench.renderer.begun.withLock { $0.last?.content } == .annotated(.avi))
        #expect(try bench.answer("/v1/jobs/\(id)/video").fields["Content-Type"] == "video/x-msvideo")
    }

    @Test("a failure is told to who asks within half a minute, and tried again after that")
    func failure() throws {
        let bench = try Bench(isHeld: true)
        let path = bench.path("video")
        bench.renderer.failure.withLock { $0 = MediaServiceError(.undecodable, "frame 7 is damaged") }
        #expect(bench.service.send("GET", path).status == 202)
        bench.renderer.release()
        #expect(bench.renderer.awaitEnd())
        let answer = try bench.answer(path)
        expectProblem(answer, 409, saying: "frame 7 is damaged")
        #expect(answer.fields["Retry-After"].flatMap { Int($0) }.map { (1...30).contains($0) } == true)
        #expect(bench.renderer.begun.withLock { $0.count } == 1)

        bench.renderer.failure.withLock { $0 = nil }
        bench.service.clock.skip(seconds: 31)
        #expect(bench.service.send("GET", path).status == 202)
        bench.renderer.release()
        #expect(bench.renderer.awaitEnd())
        #expect(try bench.answer(path).status == 200)
    }

    @Test("only so many are made at a time, and only so many may wait")
    func bounded() throws {
        let bench = try Bench(isHeld: true) {
            ($0.renderings, $0.waitingRenderings) = (1, 1)
        }
        #expect(bench.service.send("GET", bench.path("video")).status == 202)
        #expect(bench.renderer.awaitStart())
        #expect(bench.service.send("GET", bench.path("targets/car/crops")).status == 202)
        let refused = bench.service.send("GET", bench.path("targets/bus/crops"))
        expectProblem(refused, 503)
        #expect(refused.fields["Retry-After"] != nil)
        #expect(bench.renderer.begun.withLock { $0.count } == 1)
        bench.renderer.release()
        #expect(bench.renderer.awaitStart())
        bench.renderer.release()
        #expect(bench.renderer.awaitEnd() && bench.renderer.awaitEnd())
        #expect(try bench.answer(bench.path("targets/car/crops")).status == 200)
    }

    @Test("a rendering whose job is deleted, or whose service stops, leaves nothing behind", arguments: [true, false])
    func canceled(isDeleted: Bool) throws {
        let bench = try Bench(isHeld: true)
        #expect(bench.service.send("GET", bench.path("video")).status == 202)
        #expect(bench.renderer.awaitStart())
        if isDeleted {
            #expect(bench.service.send("DELETE", "/v1/jobs/\(bench.id)").status == 204)
        } else {
            bench.service.api.stop()
        }
        bench.renderer.release()
        #expect(bench.renderer.awaitEnd())
        #expect(bench.service.files.allSatisfy { !$0.contains("video-") })
        if isDeleted {
            expectProblem(bench.service.send("GET", bench.path("video")), 404)
            #expect(try bench.service.isEmpty())
        } else {
            expectProblem(bench.service.send("GET", bench.path("targets/car/crops")), 503)
        }
    }

    @Test("what was made before a crash is sent, though the job was not told of it")
    func afterCrash() throws {
        let bench = try Bench()
        let writer = try bench.service.blobs.create(bench.id.videoKey(attempt: 1, fileExtension: "mp4"))
        try Sample.video(seed: 3).withUnsafeBytes(writer.write)
        _ = try writer.commit()
        #expect(bench.service.send("GET", bench.path("video")).body == Sample.video(seed: 3))
        #expect(bench.renderer.begun.withLock { $0.isEmpty })
    }

    @Test("an unfinished job has no videos yet", arguments: paths)
    func unfinished(suffix: String) throws {
        let service = try Service()
        let id = try service.submit(targets: ["car", "bus"])
        let answer = service.send("GET", "/v1/jobs/\(id)/\(suffix)")
        expectProblem(answer, 409, saying: "queued")
        #expect(answer.fields["Retry-After"] == "1")
    }

    @Test(
        "a job that ended without a frame has nothing to show, and says so", arguments: [JobStatus.failed, .canceled])
    func nothingTracked(status: JobStatus) throws {
        let service = try Service()
        for lines in [[], nil] as [[[UInt8]]?] {
            let id = try service.submit(video: .avi)
            try service.finish(id, as: status, lines: lines)
            expectProblem(service.send("GET", "/v1/jobs/\(id)/video"), 404, saying: status.rawValue)
            expectProblem(service.send("GET", "/v1/jobs/\(id)/targets/car/crops"), 404, saying: status.rawValue)
        }
    }

    @Test("a target that the job has not is 404, with those that it has")
    func noSuchTarget() throws {
        let bench = try Bench()
        expectProblem(bench.service.send("GET", bench.path("targets/boat/crops")), 404, saying: "car, bus")
    }

    @Test("for a tenant that stores as much as it may no video is made, and what is there is sent")
    func storedQuota() throws {
        let bench = try Bench()
        #expect(try bench.answer(bench.path("video")).status == 200)
        try bench.awaitVideoOfJob()
        let stored = try bench.service.store.usage(of: .anonymous).stored
        try bench.service.store.setQuota(TenantQuota(stored: stored), of: .anonymous)
        let refused = bench.service.send("GET", bench.path("targets/car/crops"))
        expectProblem(refused, 507, saying: "Delete jobs")
        #expect(refused.json?["type"] == "urn:lktrack:problem:stored-quota-exceeded")
        #expect(bench.service.send("GET", bench.path("video")).status == 200)
    }

    @Test("a source that is gone is 410, and a full disk 507")
    func gone() throws {
        let bench = try Bench()
        bench.service.blobs.free.withLock { $0 = 0 }
        expectProblem(bench.service.send("GET", bench.path("video")), 507)
        bench.service.blobs.free.withLock { $0 = nil }
        try bench.service.blobs.remove(bench.id.sourceKey)
        expectProblem(bench.service.send("GET", bench.path("video")), 410)
        #expect(bench.renderer.begun.withLock { $0.isEmpty })
    }
}
