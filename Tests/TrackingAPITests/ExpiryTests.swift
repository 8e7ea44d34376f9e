import Foundation
import JobStoreContract
import Jobs
import Testing
import TrackingAPI

@Suite("A job that has expired")
struct ExpiryTests {
    @Test("keeps its state and is listed, and all that belongs to it is 410, from the moment that it named")
    func gone() throws {
        let clock = ManualEnvironment()
        let service = try Service(environment: clock, retentionSeconds: 100)
        let id = try service.submit(video: .mp4)
        #expect(service.send("GET", "/v1/jobs/\(id)").json?["expires_at"] == .null)
        try service.finish(id, lines: [Lines.frame(0)], video: Sample.video())
        let expiry = RFC3339.string(clock.now().addingTimeInterval(100))
        #expect(service.send("GET", "/v1/jobs/\(id)").json?["expires_at"] == .string(expiry))

        let parts = ["results", "results?format=csv", "results?partial=true", "video", "source", "frames/0"]
        clock.advance(99)
        for part in parts { #expect(service.send("GET", "/v1/jobs/\(id)/\(part)").status == 200, "\(part)") }
        clock.advance(1)
        for part in parts {
            expectProblem(service.send("GET", "/v1/jobs/\(id)/\(part)"), 410, saying: "expired at \(expiry)")
        }
        let again = service.send(
            "POST", "/v1/jobs", [("Content-Type", "application/json")],
            body: Array(#"{"source": {"job": "\#(id)"}, "targets": [{"box": [1, 2, 30, 40]}]}"#.utf8))
        expectProblem(again, 410, saying: "expired at \(expiry)")
        // And no different once the sweeper was there.
        try service.blobs.remove(id.blobPrefix)
        try service.store.markPurged([id])
        for part in parts { expectProblem(service.send("GET", "/v1/jobs/\(id)/\(part)"), 410) }
        let job = service.send("GET", "/v1/jobs/\(id)")
        #expect(job.json?["status"] == "succeeded")
        #expect(service.send("GET", "/v1/jobs?status=succeeded").json?["jobs"]?.arrayValue?.count == 1)
        #expect(service.send("DELETE", "/v1/jobs/\(id)").status == 204)
        expectProblem(service.send("GET", "/v1/jobs/\(id)/results"), 404)
    }

    @Test("that never had a result is 410 too, rather than a conflict")
    func withoutResult() throws {
        let clock = ManualEnvironment()
        let service = try Service(environment: clock, retentionSeconds: 100)
        let id = try service.submit()
        try service.finish(id, as: .failed, lines: nil)
        expectProblem(service.send("GET", "/v1/jobs/\(id)/results"), 409)
        clock.advance(100)
        expectProblem(service.send("GET", "/v1/jobs/\(id)/results"), 410)
    }
}
