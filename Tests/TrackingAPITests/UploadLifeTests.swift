import Foundation
import HTTPServer
import JobStoreContract
import Jobs
import Testing
import TrackingAPI

@Suite("The life of a resumable upload")
struct UploadLifeTests {
    @Test("a terminated upload is gone with its bytes, complete or not")
    func termination() throws {
        let service = try Service()
        let half = try service.create(10)
        #expect(service.patch(half, at: 0, [1, 2]).status == 204)
        for path in [half, try service.create(5), try service.upload(Sample.video())] {
            let answer = service.send("DELETE", path, Service.tus)
            #expect(answer.status == 204)
            #expect(service.head(path).status == 404)
            #expect(service.head(path).fields["Upload-Offset"] == nil)
            expectProblem(service.patch(path, at: 0, [1]), 404)
            expectProblem(service.send("DELETE", path, Service.tus), 404)
        }
        #expect(try service.uploadFolders().isEmpty)
    }

    @Test("a request that writes while its upload is terminated is told so, and leaves nothing behind")
    func terminationMeanwhile() throws {
        let service = try Service()
        let path = try service.create(5)
        let sink = try service.sink("PATCH", path, Service.chunk + [("Upload-Offset", "0")], count: 5)
        #expect(sink.take(Array("hel".utf8)) == nil)
        #expect(service.send("DELETE", path, Service.tus).status == 204)
        #expect(sink.take(Array("lo".utf8)) == nil)
        expectProblem(Answer(sink.finish()), 404)
        #expect(try service.uploadFolders().isEmpty)
    }

    @Test("an upload expires when nothing has come for so long, and every byte puts that off")
    func expiration() throws {
        let clock = ManualEnvironment(unixSeconds: 1_750_000_000)
        let service = try Service(environment: clock) { $0.uploadSeconds = 100 }
        let path = try service.create(10)
        #expect(service.head(path).fields["Upload-Expires"] == "Sun, 15 Jun 2025 15:08:20 GMT")
        clock.advance(99)
        let answer = service.patch(path, at: 0, [1])
        #expect(answer.fields["Upload-Expires"] == "Sun, 15 Jun 2025 15:09:59 GMT")
        clock.advance(99)
        #expect(service.offset(path) == 1)
        clock.advance(1)
        #expect(service.head(path).status == 410)
        #expect(service.head(path).fields["Upload-Offset"] == nil)
        expectProblem(service.patch(path, at: 1, [2]), 410, saying: "expired at 2025-06-15T15:09:59")
        #expect(service.send("DELETE", path, Service.tus).status == 204)
        #expect(try service.uploadFolders().isEmpty)
    }

    @Test("the sweeper removes what has expired, complete or not, and nothing else")
    func sweeper() throws {
        let clock = ManualEnvironment()
        let service = try Service(environment: clock) { $0.uploadSeconds = 100 }
        let half = try service.create(10)
        #expect(service.patch(half, at: 0, [1]).status == 204)
        let whole = try service.upload(Sample.video())
        clock.advance(50)
        let younger = try service.upload(Sample.video())
        service.sweeper().sweep()
        #expect(try service.uploadFolders().count == 3)
        clock.advance(50)
        service.sweeper().sweep()
        #expect(try service.uploadFolders() == [String(younger.split(separator: "/").last ?? "")])
        for path in [half, whole] {
            #expect(service.head(path).status == 410)
            expectProblem(service.patch(path, at: 1, [2]), 410, saying: "expired at")
            expectProblem(service.send("DELETE", path, Service.tus), 410)
            expectProblem(service.send("GET", path + "/frames/0"), 410)
        }
        #expect(service.track(younger).status == 202)
    }

    @Test("that an upload has expired is forgotten after a week")
    func forgotten() throws {
        let clock = ManualEnvironment()
        let service = try Service(environment: clock) { $0.uploadSeconds = 100 }
        let path = try service.create(10)
        clock.advance(100)
        service.sweeper().sweep()
        #expect(service.head(path).status == 410)
        clock.advance(7 * 86_400)
        service.sweeper().sweep()
        #expect(service.head(path).status == 404)
    }

    @Test("a tenant has so many uploads open at a time; one more is 429, until one of them is taken or removed")
    func openUploads() throws {
        let service = try Service { $0.openUploads = 2 }
        let first = try service.create(10)
        let whole = try service.upload(Sample.video())
        let length = [(name: "Upload-Length", value: "5")]
        let refused = service.send("POST", "/v1/uploads", Service.tus + length)
        expectProblem(refused, 429, saying: "2 uploads")
        #expect(refused.fields["Retry-After"] != nil && refused.fields["Tus-Resumable"] == "1.0.0")
        #expect(refused.json?["type"] == "urn:lktrack:problem:too-many-uploads")
        #expect(refused.fields["RateLimit-Policy"] == "\"open-uploads\";q=2")
        #expect(refused.fields["RateLimit"] == "\"open-uploads\";r=0")
        #expect(service.track(whole).status == 202)
        #expect(service.send("POST", "/v1/uploads", Service.tus + length).status == 201)
        expectProblem(service.send("POST", "/v1/uploads", Service.tus + length), 429)
        #expect(service.send("DELETE", first, Service.tus).status == 204)
        #expect(service.send("POST", "/v1/uploads", Service.tus + length).status == 201)
    }

    @Test("a sweep removes bytes that a crash left without an upload, or to one that a job took")
    func orphans() throws {
        let service = try Service()
        let orphan = UploadID(service.ids.next())
        try service.append("abc", to: orphan)
        let taken = try service.upload(Sample.video())
        let job = try #require(service.track(taken).jobID)
        let takenID = try #require(UploadID(path: taken))
        try service.append("abc", to: takenID)
        let open = try service.create(10)
        #expect(service.patch(open, at: 0, [1]).status == 204)
        #expect(try service.uploadFolders().count == 3)
        service.sweeper().sweep()
        #expect(try service.uploadFolders() == [String(open.split(separator: "/").last ?? "")])
        #expect(service.offset(open) == 1)
        #expect(service.send("GET", "/v1/jobs/\(job)/source").body == Sample.video())
    }

    @Test("somebody else's upload is not there")
    func tenants() throws {
        let service = try Service()
        let now = SystemEnvironment().now()
        let upload = Upload(
            id: UploadID(service.ids.next()), tenant: TenantID("other"), length: 3, createdAt: now,
            expiresAt: now.addingTimeInterval(1000))
        try service.store.create(upload)
        try service.append("abc", to: upload.id)
        let complete = try #require(
            try service.store.advance(upload, to: 3, length: 3, expiresAt: upload.expiresAt))
        let path = "/v1/uploads/\(upload.id)"
        #expect(service.head(path).status == 404)
        expectProblem(service.send("GET", path), 404)
        expectProblem(service.patch(path, at: 3, []), 404)
        expectProblem(service.send("DELETE", path, Service.tus), 404)
        expectProblem(service.track(path), 422, pointer: "#/source/upload")
        #expect(try service.store.upload(upload.id, tenant: TenantID("other")) == complete)
        #expect(try service.bytes(path) == Array("abc".utf8))
    }
}
