import Foundation
import HTTPServer
import Jobs
import Testing

@testable import TrackingAPI

/// What a client gets that comes back with an id, its own or one that cannot be, and where the job starts over.
@Suite("Events after those that a client has", .timeLimit(.minutes(10)))
struct EventResumeTests {
    private let service: Service
    private let id: JobID
    private var path: String { "/v1/jobs/\(id)/events" }

    init() throws {
        service = try Service()
        id = try service.submit()
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
        #expect(events.frames == Lines.texts(0..<28))
        #expect(events.states == ["queued 0", "running 1", "succeeded 1"])
        #expect(events.last?.name == "end")
        #expect(Set(events.map(\.id)).count == events.count)
    }

    @Test("frames that were told are not told again where the job starts over", arguments: [false, true])
    func startedOver(isReleased: Bool) throws {
        let client = try service.open(path + "?frames=true")
        let first = try service.claim()
        try first.track(0..<5)
        #expect(client.take { $0.events.frames.count == 5 })
        if isReleased { try first.release() } else { try first.die() }
        #expect(client.take { $0.events.states.count == 3 })
        let second = try service.claim()
        try second.track(0..<3)
        service.settle()
        client.take()
        #expect(client.events.frames.count == 5)
        try second.track(3..<9)
        #expect(client.take { $0.events.frames.count == 9 })
        try second.end(done: 9)
        #expect(client.takeAll())
        #expect(client.events.frames == Lines.texts(0..<9))
        let attempts = isReleased ? ["queued 0", "running 1"] : ["queued 1", "running 2"]
        #expect(client.events.states == ["queued 0", "running 1"] + attempts + ["succeeded \(isReleased ? 1 : 2)"])
    }

    @Test(
        "an id that the client made up gets everything",
        arguments: ["", "x", "7", "r1-0", "r1--1-0", "q99999999999-0-0"])
    func strangeID(text: String) throws {
        let client = try service.open(path, [("Last-Event-ID", text)])
        #expect(client.take { $0.events.count == 1 })
        #expect(client.events.states == ["queued 0"])
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
        #expect(client.events.states == ["queued 0", "running 1", "succeeded 1"])
        #expect(client.events.frames == Lines.texts(0..<3))
        #expect(client.events.last?.name == "end")
    }

    @Test("so does a running job's, also after it came back", arguments: impossibleIDs)
    func impossibleWhileRunning(text: String) throws {
        let worker = try service.claim()
        try worker.track(0..<3)
        try worker.report(3, of: 5)
        let first = try service.open(path + "?frames=true", [("Last-Event-ID", text)])
        #expect(first.take { $0.events.last?.name == "progress" })
        #expect(first.events.states == ["queued 0", "running 1"])
        #expect(first.events.frames == Lines.texts(0..<3))
        try worker.track(3..<5)
        try worker.end(done: 5)
        let last = try #require(first.events.last)
        let second = try service.open(path + "?frames=true", [("Last-Event-ID", last.id)])
        #expect(second.takeAll())
        #expect(second.events.states == ["succeeded 1"])
        #expect(second.events.frames == Lines.texts(3..<5))
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
        #expect(waiting.events.frames == Lines.texts(0..<3))
        let late = try service.open(path + "?frames=true", [("Last-Event-ID", "r1-0-999999")])
        #expect(late.takeAll())
        #expect(late.events.states == ["queued 0", "running 1", "succeeded 1"])
        #expect(late.events.frames == Lines.texts(0..<3))
    }

    @Test("who has more frames than a job that started over waits for the next, and gets none twice")
    func aheadOfTheJob() throws {
        let first = try service.claim()
        try first.track(0..<5)
        try first.report(5, of: 9)
        let before = try service.open(path + "?frames=true")
        #expect(before.take { $0.events.frames.count == 5 && $0.events.last?.name == "progress" })
        try first.release()
        let second = try service.claim()
        try second.track(0..<3)
        try second.report(3, of: 9)
        let after = try service.open(path + "?frames=true", [("Last-Event-ID", try #require(before.events.last).id)])
        try second.track(3..<9)
        try second.end(done: 9)
        #expect(after.takeAll())
        #expect(after.events.frames == Lines.texts(5..<9))
    }
}
