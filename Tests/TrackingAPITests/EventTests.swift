import Foundation
import HTTPServer
import Jobs
import Testing

@testable import TrackingAPI

@Suite("Events of a job", .timeLimit(.minutes(10)))
struct EventTests {
    private let service: Service
    private let id: JobID
    private var path: String { "/v1/jobs/\(id)/events" }

    init() throws {
        service = try Service()
        id = try service.submit()
    }

    @Test("a job's whole life comes as it happens: its states, its progress, each frame once, its end")
    func life() throws {
        let client = try service.open(path + "?frames=true")
        #expect(client.response.status == 200)
        #expect(client.response.fields["Content-Type"] == "text/event-stream")
        #expect(client.response.fields["Cache-Control"] == "no-store")
        #expect(client.take { $0.events.count == 1 })
        let worker = try service.claim()
        #expect(client.take { $0.events.count == 2 })
        try worker.track(0..<3)
        #expect(client.take { $0.events.count == 5 })
        try worker.report(3, of: 40)
        #expect(client.take { $0.events.count == 6 })
        try worker.track(3..<40)
        #expect(client.take { $0.events.frames.count == 40 })
        try worker.end(done: 40)
        #expect(client.takeAll())

        let events = client.events
        #expect(events.prefix(6).map(\.name) == ["status", "status", "frame", "frame", "frame", "progress"])
        #expect(events.suffix(3).map(\.name) == ["progress", "status", "end"])
        #expect(events.states == ["queued 0", "running 1", "succeeded 1"])
        #expect(events.frames == Lines.texts(0..<40))
        #expect(events[5].json == ["frames_done": 3, "frames_total": 40, "frames_per_second": 25])
        #expect(events.last?.json == service.send("GET", "/v1/jobs/\(id)").json)
        #expect(Set(events.map(\.id)).count == events.count)
    }

    @Test("a client that slept through states is told them all the same")
    func missedStates() throws {
        let client = try service.open(path)
        #expect(client.take { $0.events.count == 1 })
        try service.claim(tells: false).die()
        try service.claim(tells: false).end(.failed, done: 7)
        service.watch.jobChanged(id)
        #expect(client.takeAll())
        #expect(client.events.states == ["queued 0", "running 1", "queued 1", "running 2", "failed 2"])
        #expect(client.events.suffix(3).map(\.name) == ["progress", "status", "end"])
    }

    @Test("what another process does is seen within a second")
    func otherProcess() throws {
        let client = try service.open(path + "?frames=true")
        #expect(client.take { $0.events.count == 1 })
        let worker = try service.claim(tells: false)
        service.timer.advance(.seconds(1))
        #expect(client.take { $0.events.states.count == 2 })
        try worker.track(0..<4)
        service.timer.advance(.seconds(1))
        #expect(client.take { $0.events.frames.count == 4 })
        try worker.report(4)
        service.timer.advance(.seconds(1))
        #expect(client.take { $0.events.last?.name == "progress" })
        try worker.end(done: 4)
        service.timer.advance(.seconds(1))
        #expect(client.takeAll())
        #expect(client.events.last?.name == "end")
    }

    @Test("a comment comes after 15 seconds without an event, and every 15 seconds from then on")
    func comments() throws {
        let client = try service.open(path)
        #expect(client.take { $0.events.count == 1 })
        func comments() -> Int { client.text.components(separatedBy: "\n\n").count { $0 == ":" } }
        service.timer.advance(.milliseconds(14_900))
        service.settle()
        client.take()
        #expect(comments() == 0)
        service.timer.advance(.milliseconds(100))
        #expect(client.take { _ in comments() == 1 })
        service.timer.advance(.seconds(10))
        _ = try service.claim()
        #expect(client.take { $0.events.count == 2 })
        service.timer.advance(.seconds(14))
        service.settle()
        client.take()
        #expect(comments() == 1)
        for count in 2...4 {
            service.timer.advance(.seconds(15))
            #expect(client.take { _ in comments() == count })
        }
        #expect(client.events.count == 2)
    }

    @Test("a job that is canceled while it is watched ends its streams")
    func canceled() throws {
        let client = try service.open(path)
        #expect(service.send("POST", "/v1/jobs/\(id)/cancel").status == 202)
        #expect(client.takeAll())
        #expect(client.events.states == ["queued 0", "canceled 0"])
        #expect(client.events.last?.json?["status"] == "canceled")
    }

    @Test("a job that is deleted while it is watched ends its streams", arguments: [false, true])
    func deleted(isRunning: Bool) throws {
        let client = try service.open(path + "?frames=true")
        let worker = isRunning ? try service.claim() : nil
        try worker?.track(0..<3)
        #expect(client.take { $0.events.count == (isRunning ? 5 : 1) })
        #expect(service.send("DELETE", "/v1/jobs/\(id)").status == 204)
        #expect(client.takeAll())
        #expect(client.events.last?.name == "end")
        #expect(client.events.last?.json == ["id": .string("\(id)"), "status": "deleted"])
        expectProblem(service.send("GET", path, [("Last-Event-ID", client.events.last?.id ?? "")]), 404)
    }

    @Test("when the service stops, streams end before their jobs, so that clients come back to the next")
    func stopped() throws {
        let client = try service.open(path)
        #expect(client.take { $0.events.count == 1 })
        service.watch.stop()
        #expect(client.takeAll())
        #expect(client.events.count == 1)
        let later = service.send("GET", path)
        expectProblem(later, 503)
        #expect(later.fields["Retry-After"] != nil)
    }

    @Test("who leaves is forgotten, and nothing ticks while nobody watches")
    func left() throws {
        #expect(!service.timer.isRunning)
        var client: LiveClient? = try service.open(path)
        let other: LiveClient? = try service.open(path)
        #expect(client?.take { $0.events.count == 1 } == true)
        client = nil
        service.timer.advance(.seconds(1))
        #expect(service.timer.isRunning)
        withExtendedLifetime(other) {}
    }

    @Test("the last who leaves ends the ticking")
    func lastLeft() throws {
        do {
            let client = try service.open(path)
            #expect(client.take { $0.events.count == 1 })
            #expect(service.timer.isRunning)
        }
        service.timer.advance(.seconds(1))
        #expect(!service.timer.isRunning)
        service.watch.jobChanged(id)
        service.settle()
        let client = try service.open(path)
        #expect(service.timer.isRunning)
        #expect(client.take { $0.events.count == 1 })
    }

    @Test("frames come from one open file, however many watch")
    func manyWatchers() throws {
        let clients = try (0..<300).map { _ in try service.open(path + "?frames=true") }
        let worker = try service.claim()
        try worker.track(0..<2)
        service.settle()
        let open = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").filter { descriptor in
            let file = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(descriptor)")
            return file?.hasPrefix(service.folder + "/blobs") == true
        }
        #expect((1...3).contains(open.count))
        try worker.end(done: 2)
        for client in clients {
            #expect(client.takeAll())
            #expect(client.events.frames == Lines.texts(0..<2))
        }
    }

    // MARK: Requests

    @Test("another tenant's job, one that is not there and a text that is no id have no events")
    func missing() throws {
        let foreign = try service.submit(tenant: TenantID("somebody-else"))
        for id in ["\(foreign)", "0197aaaa-0000-7000-8000-000000000000", "x"] {
            expectProblem(service.send("GET", "/v1/jobs/\(id)/events"), 404)
        }
    }

    @Test("what cannot be is refused with the parameter or the type named")
    func refused() {
        expectProblem(service.send("GET", path + "?frames=1"), 422, pointer: "#/frames")
        expectProblem(service.send("GET", path + "?from=1"), 422, pointer: "#/from")
        expectProblem(service.send("GET", path, [("Accept", "application/json")]), 406, saying: "text/event-stream")
        let wrong = service.send("POST", path, body: [])
        expectProblem(wrong, 405)
        #expect(wrong.fields["Allow"] == "GET, HEAD, OPTIONS")
        let options = service.send("OPTIONS", path)
        #expect(options.status == 204)
        #expect(options.fields["Allow"] == "GET, HEAD, OPTIONS")
    }

    @Test("a result that is gone is 410 for who wants its frames, and nothing for who does not")
    func gone() throws {
        let worker = try service.claim()
        try worker.track(0..<3)
        try worker.end(done: 3)
        try service.blobs.remove(id.resultKey(attempt: 1))
        expectProblem(service.send("GET", path + "?frames=true"), 410)
        let client = try service.open(path)
        #expect(client.takeAll())
    }
}
