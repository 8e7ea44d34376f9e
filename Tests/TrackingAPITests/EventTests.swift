import Foundation
import HTTPServer
import Jobs
import Testing

@testable import TrackingAPI

@Suite("Events of a job", .timeLimit(.minutes(2)))
struct EventTests {
    private let service: Service
    private let id: JobID
    private var path: String { "/v1/jobs/\(id)/events" }

    init() throws {
        service = try Service()
        id = try service.submit()
    }

    private func lines(_ frames: Range<Int>) -> [String] {
        frames.map { String(decoding: Lines.frame($0).dropLast(), as: UTF8.self) }
    }

    private func frames(_ events: [ServerEvent]) -> [String] { events.filter { $0.name == "frame" }.map(\.data) }

    /// `status` events as `running 1`.
    private func states(_ events: [ServerEvent]) -> [String] {
        events.filter { $0.name == "status" }.map {
            "\($0.json?["status"]?.stringValue ?? "?") \($0.json?["attempt"]?.intValue ?? -1)"
        }
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
        #expect(client.take { frames($0.events).count == 40 })
        try worker.end(done: 40)
        #expect(client.takeAll())

        let events = client.events
        #expect(events.prefix(6).map(\.name) == ["status", "status", "frame", "frame", "frame", "progress"])
        #expect(events.suffix(3).map(\.name) == ["progress", "status", "end"])
        #expect(states(events) == ["queued 0", "running 1", "succeeded 1"])
        #expect(frames(events) == lines(0..<40))
        #expect(events[5].json == ["frames_done": 3, "frames_total": 40, "frames_per_second": 25])
        #expect(events.last?.json == service.send("GET", "/v1/jobs/\(id)").json)
        #expect(Set(events.map(\.id)).count == events.count)
    }

    @Test("after any event, a client that comes back gets what follows, without a gap and nothing twice")
    func resume() throws {
        let worker = try service.claim()
        try worker.track(0..<25)
        try worker.end(done: 25)
        for query in ["?frames=true", ""] {
            let whole = try service.open(path + query)
            #expect(whole.takeAll())
            #expect(whole.events.count == (query.isEmpty ? 5 : 30))
            for (index, event) in whole.events.enumerated().dropLast() {
                let rest = try service.open(path + query, [("Last-Event-ID", event.id)])
                #expect(rest.takeAll())
                #expect(rest.events == Array(whole.events[(index + 1)...]), "after \(event.id)")
            }
            // HTML §9.2.3: what keeps a browser from coming back for ever.
            let last = try #require(whole.events.last)
            let answer = service.send("GET", path + query, [("Last-Event-ID", last.id)])
            #expect(answer.status == 204)
            #expect(answer.body.isEmpty)
        }
    }

    @Test("a client that is cut off again and again while the job runs has every event once", arguments: [1, 2, 7])
    func cutOff(step: Int) throws {
        var events: [ServerEvent] = []
        func connect() throws {
            let fields = events.last.map { [("Last-Event-ID", $0.id)] } ?? []
            let client = try service.open(path + "?frames=true", fields)
            service.settle()
            client.take()
            events += client.events
        }
        try connect()
        let worker = try service.claim()
        for first in stride(from: 0, to: 28, by: step) {
            try worker.track(first..<min(first + step, 28))
            try worker.report(first)
            try connect()
        }
        try worker.end(done: 28)
        try connect()
        #expect(frames(events) == lines(0..<28))
        #expect(states(events) == ["queued 0", "running 1", "succeeded 1"])
        #expect(events.last?.name == "end")
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
        #expect(states(client.events) == ["queued 0", "running 1", "queued 1", "running 2", "failed 2"])
        #expect(client.events.suffix(3).map(\.name) == ["progress", "status", "end"])
    }

    @Test("frames that were told are not told again where the job starts over", arguments: [false, true])
    func startedOver(isReleased: Bool) throws {
        let client = try service.open(path + "?frames=true")
        let first = try service.claim()
        try first.track(0..<5)
        #expect(client.take { frames($0.events).count == 5 })
        if isReleased { try first.release() } else { try first.die() }
        #expect(client.take { states($0.events).count == 3 })
        let second = try service.claim()
        try second.track(0..<3)
        service.settle()
        client.take()
        #expect(frames(client.events).count == 5)
        try second.track(3..<9)
        #expect(client.take { frames($0.events).count == 9 })
        try second.end(done: 9)
        #expect(client.takeAll())
        #expect(frames(client.events) == lines(0..<9))
        let attempts = isReleased ? ["queued 0", "running 1"] : ["queued 1", "running 2"]
        #expect(states(client.events) == ["queued 0", "running 1"] + attempts + ["succeeded \(isReleased ? 1 : 2)"])
    }

    @Test("what another process does is seen within a second")
    func otherProcess() throws {
        let client = try service.open(path + "?frames=true")
        #expect(client.take { $0.events.count == 1 })
        let worker = try service.claim(tells: false)
        service.timer.advance(.seconds(1))
        #expect(client.take { states($0.events).count == 2 })
        try worker.track(0..<4)
        service.timer.advance(.seconds(1))
        #expect(client.take { frames($0.events).count == 4 })
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
        #expect(states(client.events) == ["queued 0", "canceled 0"])
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
            #expect(frames(client.events) == lines(0..<2))
        }
    }

    // MARK: Requests

    @Test(
        "an id that the client made up gets everything",
        arguments: ["", "x", "7", "r1-0", "r1--1-0", "q99999999999-0-0"])
    func strangeID(text: String) throws {
        let client = try service.open(path, [("Last-Event-ID", text)])
        #expect(client.take { $0.events.count == 1 })
        #expect(states(client.events) == ["queued 0"])
    }

    /// Of a life of the job that a restored backup knows nothing of, or made up.
    private static let impossibleIDs = ["r9-900-900", "ended-5-5", "over-7-3", "q3-0-0", "r2-0-1", "r1-0-999999"]

    @Test("with an id that cannot be, a queued job's client gets everything", arguments: impossibleIDs)
    func futureID(text: String) throws {
        let client = try service.open(path + "?frames=true", [("Last-Event-ID", text)])
        #expect(client.take { $0.events.count == 1 })
        let worker = try service.claim()
        try worker.track(0..<3)
        try worker.end(done: 3)
        #expect(client.takeAll())
        #expect(states(client.events) == ["queued 0", "running 1", "succeeded 1"])
        #expect(frames(client.events) == lines(0..<3))
        #expect(client.events.last?.name == "end")
    }

    @Test("so does a running job's, also after it came back", arguments: impossibleIDs)
    func impossibleWhileRunning(text: String) throws {
        let worker = try service.claim()
        try worker.track(0..<3)
        try worker.report(3, of: 5)
        let first = try service.open(path + "?frames=true", [("Last-Event-ID", text)])
        #expect(first.take { $0.events.last?.name == "progress" })
        #expect(states(first.events) == ["queued 0", "running 1"])
        #expect(frames(first.events) == lines(0..<3))
        try worker.track(3..<5)
        try worker.end(done: 5)
        let last = try #require(first.events.last)
        let second = try service.open(path + "?frames=true", [("Last-Event-ID", last.id)])
        #expect(second.takeAll())
        #expect(states(second.events) == ["succeeded 1"])
        #expect(frames(second.events) == lines(3..<5))
        #expect(second.events.last?.name == "end")
    }

    @Test("more frames than a finished job has are impossible, though nobody said how many there would be")
    func impossibleAtTheEnd() throws {
        let worker = try service.claim()
        try worker.track(0..<3)
        let waiting = try service.open(path + "?frames=true", [("Last-Event-ID", "r1-0-999999")])
        service.settle()
        waiting.take()
        #expect(waiting.events.isEmpty)
        try worker.end(done: 3)
        #expect(waiting.takeAll())
        #expect(frames(waiting.events) == lines(0..<3))
        let late = try service.open(path + "?frames=true", [("Last-Event-ID", "r1-0-999999")])
        #expect(late.takeAll())
        #expect(states(late.events) == ["queued 0", "running 1", "succeeded 1"])
        #expect(frames(late.events) == lines(0..<3))
    }

    @Test("who has more frames than a job that started over waits for the next, and gets none twice")
    func aheadOfTheJob() throws {
        let first = try service.claim()
        try first.track(0..<5)
        try first.report(5, of: 9)
        let before = try service.open(path + "?frames=true")
        #expect(before.take { frames($0.events).count == 5 && $0.events.last?.name == "progress" })
        try first.release()
        let second = try service.claim()
        try second.track(0..<3)
        try second.report(3, of: 9)
        let after = try service.open(path + "?frames=true", [("Last-Event-ID", try #require(before.events.last).id)])
        try second.track(3..<9)
        try second.end(done: 9)
        #expect(after.takeAll())
        #expect(frames(after.events) == lines(5..<9))
    }

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
