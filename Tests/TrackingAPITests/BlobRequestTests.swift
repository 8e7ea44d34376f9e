import Dispatch
import HTTPServer
import Jobs
import Synchronization
import Testing

@testable import TrackingAPI

/// Requests that look for blobs in a bucket, which may not answer.
@Suite("Requests that wait for a bucket", .timeLimit(.minutes(10)))
struct BlobRequestTests {
    private static let lines = (0..<200).map { Lines.frame($0) }

    @Test("while the bucket does not answer, whoever needs nothing of it is answered; then all get what they asked for")
    func others() async throws {
        try await Wire.run(try Service()) { wire in
            let path = try wire.service.finishedResult(lines: Self.lines) + "?format=ndjson"
            let hold = wire.service.blobs.holdOpens()
            let replies = Mutex<[Wire.Reply?]>([])
            let group = DispatchGroup()
            // More than there are threads of any kind.
            let downloads = 2 * HTTPServerConfiguration().handlerThreads
            for _ in 0..<downloads {
                DispatchQueue(label: "download").async(group: group) {
                    let reply = try? wire.curl(path)
                    replies.withLock { $0.append(reply) }
                }
            }
            for _ in 0..<APIConfiguration().bucketThreads { #expect(hold.awaitRead()) }
            let job = String(path.prefix { $0 != "?" }.dropLast("/results".count))
            for other in ["/healthz", "/readyz", "/metrics", "/v1/jobs", job] {
                #expect(try wire.curl(other, "-m", "20").status == 200)
            }
            let upload = try wire.curl(
                "/v1/uploads", "-m", "20", "-X", "POST", "-H", "Tus-Resumable: 1.0.0", "-H", "Upload-Length: 5")
            #expect(upload.status == 201)
            #expect(replies.withLock { $0.isEmpty })
            hold.release()
            #expect(group.wait(timeout: .now() + 90) == .success)
            let whole = Self.lines.flatMap { $0 }
            let all = replies.withLock { $0 }
            let isRight = all.count == downloads && all.allSatisfy { $0?.status == 200 && $0?.body == whole }
            #expect(isRight)
        }
    }

    @Test("what is to be deleted is deleted, though its client has left; who only asked is not answered")
    func left() throws {
        let service = try Service { ($0.bucketThreads, $0.bucketRequests) = (1, 8) }
        let path = try service.finishedResult(lines: Self.lines)
        let id = try service.submit()
        let hold = service.blobs.holdOpens()
        let first = try service.hold(path + "?format=ndjson")
        #expect(hold.awaitRead())
        let asked = try service.hold(path + "?format=ndjson", hasClientLeft: true)
        let deleted = try service.hold("/v1/jobs/\(id)", method: "DELETE", hasClientLeft: true)
        hold.release()
        #expect(first.wait()?.status == 200)
        #expect(asked.wait()?.status == 503)
        #expect(deleted.wait()?.status == 204)
        #expect(try service.store.job(id, tenant: .anonymous) == nil)
    }

    @Test("events with frames of a job that has ended wait for the bucket, and keep no handler")
    func events() throws {
        let service = try Service()
        let path = try service.finishedResult(lines: Self.lines)
        let job = String(path.dropLast("/results".count))
        let hold = service.blobs.holdOpens()
        let held = try service.hold(job + "/events?frames=true")
        #expect(hold.awaitRead())
        #expect(try service.open(job + "/events").takeAll())
        hold.release()
        #expect(try LiveClient(#require(held.wait())).takeAll())
    }

    @Test("no tenant takes more than half of the threads and places, and one too many is told to come back")
    func shares() throws {
        let (a, b) = (TenantID("a"), TenantID("b"))
        let service = try Service(keys: .required) { ($0.bucketThreads, $0.bucketRequests) = (2, 4) }
        let keys = [a: try service.key(a, id: "k1"), b: try service.key(b, id: "k2")]
        let paths = [
            a: try service.finishedResult(tenant: a, lines: Self.lines) + "?format=ndjson",
            b: try service.finishedResult(tenant: b, lines: Self.lines) + "?format=ndjson",
        ]
        let hold = service.blobs.holdOpens()
        func ask(_ tenant: TenantID) throws -> HeldRequest {
            try service.hold(#require(paths[tenant]), [#require(keys[tenant])])
        }
        let first = try (0..<2).map { _ in try ask(a) }
        #expect(hold.awaitRead())
        let refused = service.send("GET", try #require(paths[a]), [try #require(keys[a])])
        expectProblem(refused, 503)
        #expect(refused.fields["Retry-After"] == "1")
        // The other tenant's has a thread, though one of the first's still waits for its turn.
        let second = try ask(b)
        #expect(hold.awaitRead())
        #expect(hold.reads == 2)
        hold.release()
        for held in first + [second] { #expect(held.wait()?.status == 200) }
        #expect(service.send("GET", try #require(paths[a]), [try #require(keys[a])]).status == 200)
    }

    @Test("HEAD needs no place among the bodies that are sent")
    func head() throws {
        let service = try Service { $0.bucketBodies = 1 }
        let path = try service.finishedResult(lines: Self.lines) + "?format=ndjson"
        service.blobs.holdReads().release()
        let client = try service.open(path)
        guard case .later(let start) = service.api.begin(Service.request("GET", path).asked(by: "HEAD")) else {
            Issue.record("answered at once")
            return
        }
        #expect(HeldRequest(start).wait()?.status == 200)
        expectProblem(service.send("GET", path), 503)
        #expect(client.takeAll())
    }

    @Test("a slice of a result in a bucket leaves the threads that make others of files")
    func slices() throws {
        let service = try Service { ($0.conversionThreads, $0.bucketThreads) = (1, 4) }
        let far = try service.finishedResult(lines: Self.lines)
        let near = try service.finishedResult(lines: Self.lines)
        let hold = service.blobs.holdReads()
        let slices = try (0..<2).map { _ in try service.open(far + "?format=ndjson&from=10") }
        for slice in slices { slice.take() }
        #expect(hold.awaitRead())
        service.blobs.endHolds()
        #expect(try service.open(near + "?format=ndjson&from=10").takeAll())
        hold.release()
        for slice in slices { #expect(slice.takeAll()) }
    }
}
