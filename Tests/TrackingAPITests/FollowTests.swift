import HTTPServer
import Jobs
import Testing

@testable import TrackingAPI

@Suite("Results that are followed", .timeLimit(.minutes(10)))
struct FollowTests {
    private static let query = "?format=ndjson&partial=true&follow=true"
    private let service: Service
    private let id: JobID
    private var path: String { "/v1/jobs/\(id)/results" }

    init() throws {
        service = try Service()
        id = try service.submit(targets: ["car", "bus"])
    }

    @Test("lines come while they are made, until the job has ended: the complete file")
    func whole() throws {
        let client = try service.open(path + Self.query)
        #expect(client.response.fields["Content-Type"] == "application/x-ndjson")
        #expect(client.response.fields["ETag"] == nil)
        client.take()
        #expect(client.bytes.isEmpty)
        let worker = try service.claim()
        for first in stride(from: 0, to: 200, by: 40) {
            try worker.track(first..<first + 40)
            #expect(client.take { $0.bytes == worker.written })
        }
        try worker.end(done: 200)
        #expect(client.takeAll())
        #expect(client.bytes == service.send("GET", path + "?format=ndjson").body)
    }

    @Test("a job that starts over goes on where it was")
    func startedOver() throws {
        let client = try service.open(path + Self.query)
        let first = try service.claim()
        try first.track(0..<5)
        #expect(client.take { $0.bytes == first.written })
        try first.die()
        let second = try service.claim()
        try second.track(0..<3)
        try second.track(3..<8)
        try second.end(done: 8)
        #expect(client.takeAll())
        #expect(client.bytes == second.written)
    }

    @Test("a slice is followed too")
    func slice() throws {
        let client = try service.open(path + Self.query + "&from=2&to=6&target=bus")
        let worker = try service.claim()
        try worker.append((0..<9).flatMap { Lines.frame($0, targets: ["car", "bus"]) })
        try worker.end(done: 9)
        #expect(client.takeAll())
        let whole = service.send("GET", path + "?format=ndjson&from=2&to=6&target=bus").body
        #expect(client.bytes == whole)
        #expect(client.text.split(separator: "\n").count == 4)
    }

    @Test("the end of a slice ends the body, though the job goes on", arguments: [nil, "bus"])
    func sliceEnds(target: String?) throws {
        let client = try service.open(path + Self.query + "&to=6" + (target.map { "&target=\($0)" } ?? ""))
        let worker = try service.claim()
        try worker.append((0..<4).flatMap { Lines.frame($0, targets: ["car", "bus"]) })
        #expect(client.take { $0.text.split(separator: "\n").count == 4 })
        #expect(!client.isOver)
        try worker.append((4..<6).flatMap { Lines.frame($0, targets: ["car", "bus"]) })
        #expect(client.takeAll())
        #expect(client.text.split(separator: "\n").count == 6)
    }

    @Test("a job that ends before a frame was tracked ends the body")
    func nothing() throws {
        let client = try service.open(path + Self.query)
        try service.claim().end(.failed)
        #expect(client.takeAll())
        #expect(client.bytes.isEmpty)
    }

    @Test("a body that is not whole is cut off: the job was deleted, or the service stops", arguments: [false, true])
    func cutOff(isStop: Bool) throws {
        let client = try service.open(path + Self.query)
        let worker = try service.claim()
        try worker.track(0..<2)
        #expect(client.take { $0.bytes == worker.written })
        if isStop { service.watch.stop() } else { _ = service.send("DELETE", "/v1/jobs/\(id)") }
        #expect(client.take { $0.isCut || $0.isOver })
        #expect(client.isCut)
    }

    @Test("a job that has ended is sent as it is stored")
    func ended() throws {
        let worker = try service.claim()
        try worker.track(0..<4)
        try worker.end(done: 4)
        let answer = service.send("GET", path + Self.query)
        #expect(answer.body == worker.written)
        #expect(answer.length == Int64(worker.written.count))
        #expect(answer.fields["ETag"] != nil)
    }

    @Test(
        "only a growing result can be followed",
        arguments: ["follow=true", "follow=true&partial=true", "follow=true&format=ndjson", "follow=maybe"])
    func refused(query: String) {
        expectProblem(service.send("GET", "\(path)?\(query)"), 422, pointer: "#/follow")
    }

    @Test("another tenant's result is 404")
    func otherTenant() throws {
        let foreign = try service.submit(tenant: TenantID("somebody-else"))
        expectProblem(service.send("GET", "/v1/jobs/\(foreign)/results\(Self.query)"), 404)
    }
}
