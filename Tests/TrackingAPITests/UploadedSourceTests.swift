import Crypto
import Foundation
import HTTPServer
import JobStoreContract
import Jobs
import Synchronization
import Testing
import TrackingAPI

@Suite("A job from an upload")
struct UploadedSourceTests {
    @Test("a complete upload becomes a job's source, byte for byte, and is used up")
    func taken() throws {
        let service = try Service()
        let video = Sample.video(bytes: 300_000)
        let path = try service.upload(video, [("Upload-Metadata", "filename Li4vbcO2Lm1wNA==")])
        let answer = service.track(path)
        #expect(answer.status == 202, "\(answer.text)")
        #expect(service.signals.submissions.withLock { $0 } == 1)
        let job = try service.kept(answer)
        let digest = Hexadecimal.text(SHA256.hash(data: video))
        #expect(
            job.source
                == JobSource(
                    kind: .video, blobKey: job.id.sourceKey, bytes: Int64(video.count), sha256: digest,
                    fileName: "mö.mp4"))
        #expect(job.spec.targets.map(\.box) == [PixelBox(x: 1, y: 2, width: 30, height: 40)])
        #expect(service.send("GET", "/v1/jobs/\(job.id)/source").body == video)
        #expect(try service.uploadFolders().isEmpty, "the bytes are the job's alone")

        #expect(service.head(path).status == 410)
        expectProblem(service.patch(path, at: video.count, []), 410, saying: "\(job.id)")
        expectProblem(service.track(path), 409, pointer: "#/source/upload", saying: "\(job.id)")
        #expect(try service.store.counts()[.queued] == 1)
        #expect(try service.blobs.children(of: "jobs") == [job.id.description])

        #expect(service.send("DELETE", path, Service.tus).status == 204)
        #expect(service.send("GET", "/v1/jobs/\(job.id)/source").body == video, "the upload's end is not the job's")
    }

    @Test("an upload that came through this process is not read again when it is taken, however it came")
    func digestOnTheWay() throws {
        let service = try Service()
        let video = Sample.video(bytes: 300_000)
        let path = try service.create(video.count)
        #expect(service.patch(path, at: 0, video[..<100_000]).status == 204)
        // One whose checksum is wrong leaves nothing, one that is cut off what came of it.
        let wrong = ("Upload-Checksum", "sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=")
        #expect(service.patch(path, at: 100_000, video[100_000..<150_000], [wrong]).status == 460)
        try service.cut(path, at: 100_000, video[100_000..<200_000], of: 200_000)
        #expect(service.patch(path, at: 200_000, video[200_000...]).status == 204)
        let answer = service.track(path)
        #expect(answer.status == 202, "\(answer.text)")
        let digest = Hexadecimal.text(SHA256.hash(data: video))
        #expect(try service.kept(answer).source.sha256 == digest)
        #expect(service.blobs.uploadBytesRead.withLock { $0 } <= 4096, "what it is recognised by")
    }

    @Test("an upload that came in part through another process has the same digest")
    func digestOfTwoProcesses() throws {
        let service = try Service()
        let video = Sample.video(bytes: 30_000)
        let path = try service.create(video.count)
        #expect(service.patch(path, at: 0, video[..<10_000]).status == 204)
        let other = try service.restarted()
        #expect(other.patch(path, at: 10_000, video[10_000...]).status == 204)
        let answer = service.track(path)
        #expect(answer.status == 202, "\(answer.text)")
        let digest = Hexadecimal.text(SHA256.hash(data: video))
        #expect(try service.kept(answer).source.sha256 == digest)
    }

    @Test("an archive is taken as one")
    func archive() throws {
        let service = try Service()
        let answer = service.track(try service.upload(Sample.zip()))
        #expect(answer.json?["source"]?["kind"] == "archive", "\(answer.text)")
    }

    @Test("an upload that is not complete is 409 that tells where to go on, and can be completed and taken then")
    func unfinished() throws {
        let service = try Service()
        let video = Sample.video()
        let path = try service.create(video.count)
        expectProblem(service.track(path), 409, pointer: "#/source/upload", saying: "offset 0")
        #expect(service.patch(path, at: 0, video[..<500]).status == 204)
        expectProblem(service.track(path), 409, pointer: "#/source/upload", saying: "offset 500")
        let deferred = try service.create(nil)
        expectProblem(service.track(deferred), 409, pointer: "#/source/upload", saying: "length is not known")
        #expect(try service.isEmpty() == false && service.blobs.children(of: "jobs").isEmpty)
        #expect(service.patch(path, at: 500, video[500...]).status == 204)
        #expect(service.track(path).status == 202)
    }

    @Test("what cannot be tracked is refused by its first bytes, and the upload stays")
    func untrackable() throws {
        let service = try Service()
        for (bytes, status) in [(Sample.text, 415), (Sample.image(), 415)] {
            let path = try service.upload(bytes, [("Upload-Metadata", "filename YS5tcDQ=")])
            for _ in 1...2 { expectProblem(service.track(path), status, pointer: "#/source/upload") }
            #expect(service.offset(path) == bytes.count)
            #expect(try service.bytes(path) == bytes)
            #expect(service.send("DELETE", path, Service.tus).status == 204)
        }
        let empty = try service.create(0)
        expectProblem(service.track(empty), 422, pointer: "#/source/upload", saying: "empty")
        #expect(service.offset(empty) == 0)
        #expect(try service.blobs.children(of: "jobs").isEmpty)
        #expect(try service.store.counts()[.queued] == 0)
    }

    @Test("a spec that is wrong, or a full queue, costs no upload")
    func refused() throws {
        let service = try Service { $0.queuedJobs = 1 }
        let path = try service.upload(Sample.video())
        let wrong = service.track(path, spec: #""targets": [{"box": [1, 2, 3, 40]}]"#)
        expectProblem(wrong, 422, pointer: "#/targets/0/box")
        _ = try service.submit()
        expectProblem(service.track(path), 503)
        _ = try service.store.claim(owner: "worker", leaseSeconds: 30)
        #expect(service.track(path).status == 202)
    }

    @Test(
        "a source that names nothing, or too much, is 422 with all that is wrong",
        arguments: [
            (#"{"upload": "0197a0b1-0000-7000-8000-000000000000"}"#, "#/source/upload"),
            (#"{"upload": "x"}"#, "#/source/upload"), (#"{"upload": 7}"#, "#/source/upload"),
            (#"{"upload": "x", "job": "y"}"#, "#/source"), ("{}", "#/source/job"), (#""x""#, "#/source"),
            (#"{"url": "x"}"#, "#/source/url"),
        ])
    func wrongReference(source: String, pointer: String) throws {
        let service = try Service()
        let body = #"{"source": \#(source), "targets": [{"box": [1, 2, 3, 40]}]}"#
        let answer = service.send("POST", "/v1/jobs", [("Content-Type", "application/json")], body: Array(body.utf8))
        expectProblem(answer, 422, pointer: pointer)
        #expect(answer.pointers.contains("#/targets/0/box"))
    }

    @Test("an expired upload is no source")
    func expired() throws {
        let clock = ManualEnvironment()
        let service = try Service(environment: clock) { $0.uploadSeconds = 100 }
        let path = try service.upload(Sample.video())
        clock.advance(100)
        expectProblem(service.track(path), 422, pointer: "#/source/upload", saying: "expired")
    }

    @Test("a submission that was cut after any of its steps is made again, with the same bytes")
    func crashes() throws {
        let service = try Service()
        let video = Sample.video(bytes: 50_000)
        // After the upload was finished; after its bytes got the job's key.
        for step in 1...2 {
            let path = try service.upload(video)
            let id = try #require(UploadID(path: path))
            let appender = try #require(try service.blobs.resume(id.dataKey))
            try appender.commit()
            let dead = service.ids.next()
            if step == 2 { #expect(try service.blobs.copy(id.dataKey, to: dead.sourceKey)) }
            #expect(service.offset(path) == video.count)
            #expect(service.patch(path, at: video.count, []).status == 204)
            let again = try service.restarted()
            again.sweeper().sweep()
            let job = try #require(again.track(path).jobID)
            if step == 2 { try again.blobs.remove(dead.blobPrefix) }  // What the workers' start removes.
            #expect(again.send("GET", "/v1/jobs/\(job)/source").body == video)
            #expect(try again.uploadFolders().isEmpty)
        }
    }

    @Test("of many that submit the same upload at the same time one gets it, and the others leave nothing behind")
    func race() throws {
        let service = try Service()
        let video = Sample.video(bytes: 400_000)
        for _ in 1...5 {
            let path = try service.upload(video)
            let answers = Mutex<[Answer]>([])
            onThreads(8) { _ in
                let answer = service.track(path)
                answers.withLock { $0.append(answer) }
            }
            let winners = answers.withLock { $0.filter { $0.status == 202 } }
            #expect(winners.count == 1)
            for answer in answers.withLock({ $0 }) where answer.status != 202 {
                expectProblem(answer, 409, pointer: "#/source/upload")
            }
            let job = try #require(winners.first?.jobID)
            #expect(try service.blobs.children(of: "jobs").contains(job.description))
            #expect(service.send("GET", "/v1/jobs/\(job)/source").body == video)
            #expect(service.send("DELETE", "/v1/jobs/\(job)").status == 204)
            #expect(try service.blobs.children(of: "jobs").isEmpty && service.uploadFolders().isEmpty)
        }
    }

    @Test("a submission and a DELETE at the same time: the job has its bytes, or there is no job")
    func raceWithTermination() throws {
        let service = try Service()
        let video = Sample.video(bytes: 200_000)
        for _ in 1...20 {
            let path = try service.upload(video)
            let answer = Mutex<Answer?>(nil)
            onThreads(2) { index in
                if index == 0 {
                    _ = service.send("DELETE", path, Service.tus)
                } else {
                    let tracked = service.track(path)
                    answer.withLock { $0 = tracked }
                }
            }
            let tracked = try #require(answer.withLock { $0 })
            if let job = tracked.jobID {
                #expect(service.send("GET", "/v1/jobs/\(job)/source").body == video)
                #expect(service.send("DELETE", "/v1/jobs/\(job)").status == 204)
            } else {
                expectProblem(tracked, 422, pointer: "#/source/upload")
            }
            #expect(try service.blobs.children(of: "jobs").isEmpty)
        }
        service.sweeper().sweep()
        #expect(try service.uploadFolders().isEmpty)
    }
}
