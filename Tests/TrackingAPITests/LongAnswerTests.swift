import HTTPServer
import Jobs
import Testing

@testable import TrackingAPI

@Suite("Long answers in memory", .timeLimit(.minutes(10)))
struct LongAnswerTests {
    /// Of a job whose text is long.
    private static let keyframes = 4_000

    /// Submissions that announce as much text as there may be, less `bytes`, and do not send it.
    private func submissions(_ service: Service, butFor bytes: Int = 0) throws -> [any HTTPBodySink] {
        var left = APILimits.allTextBytes - bytes
        var sinks: [any HTTPBodySink] = []
        while left > 0 {
            let length = min(left + APILimits.ordinaryTextBytes, APILimits.textBytes)
            let fields = HTTPFields([("Content-Type", "application/json"), ("Content-Length", "\(length)")])
            guard case .receive(let sink, _, _) = service.api.begin(Service.request("POST", "/v1/jobs", fields)) else {
                throw NotTaken()
            }
            try #require(Array(" ".utf8).withUnsafeBytes { sink.receive($0) } == nil)
            sinks.append(sink)
            left -= length - APILimits.ordinaryTextBytes
        }
        return sinks
    }

    private struct NotTaken: Error {}

    private func expectNoRoom(_ answer: Answer, sourceLocation: SourceLocation = #_sourceLocation) {
        expectProblem(answer, 503, saying: "wait", sourceLocation: sourceLocation)
        #expect(answer.fields["Retry-After"] == "1", sourceLocation: sourceLocation)
    }

    /// An answer that nobody has read yet.
    private func unread(_ service: Service, _ path: String) throws -> HTTPResponse {
        guard case .work(let work) = service.api.begin(Service.request("GET", path)) else { throw NotTaken() }
        return work()
    }

    @Test("a long job and a list with it have their bytes, and their length")
    func whole() throws {
        let service = try Service()
        let id = try service.submit(keyframes: Self.keyframes)
        let job = try #require(try service.store.job(id, tenant: .anonymous))
        let (one, list) = (service.send("GET", "/v1/jobs/\(id)"), service.send("GET", "/v1/jobs"))
        #expect(one.body == JobWriter.json(job).encoded())
        #expect(one.body.count > LongTexts.bytes)
        #expect(one.length == Int64(one.body.count))
        #expect(list.body == Array(#"{"jobs":["#.utf8) + one.body + Array("]}".utf8))
        #expect(list.length == Int64(list.body.count))
    }

    @Test("long answers that nobody reads are bounded together, short ones are given all the same")
    func bounded() throws {
        let service = try Service()
        let (long, short) = (try service.submit(keyframes: Self.keyframes), try service.submit())
        let each = service.send("GET", "/v1/jobs/\(long)").body.count - APILimits.ordinaryTextBytes
        // The last of them begins within the limit and ends beyond it.
        let held = try submissions(service, butFor: 5 * each / 2)
        var answers: [HTTPResponse] = []
        while answers.count < 9 {
            let answer = try unread(service, "/v1/jobs/\(long)")
            guard answer.status == 200 else { break }
            answers.append(answer)
        }
        #expect(answers.count == 3)
        expectNoRoom(service.send("GET", "/v1/jobs/\(long)"))
        expectNoRoom(service.send("GET", "/v1/jobs"))
        expectNoRoom(service.send("GET", "/v1/jobs/\(long)/results?format=json&partial=true"))
        #expect(service.send("GET", "/v1/jobs/\(long)/results?format=ndjson&partial=true").status == 200)
        #expect(service.send("GET", "/v1/jobs/\(short)").status == 200)
        #expect(service.send("GET", "/v1/jobs?limit=1").status == 200)
        // Nor does an answer without a body need room.
        let tag = try #require(answers[0].fields["ETag"])
        #expect(service.send("GET", "/v1/jobs/\(long)", [("If-None-Match", tag)]).status == 304)
        // Those that are sent leave room.
        answers.removeLast()
        #expect(service.send("GET", "/v1/jobs/\(long)").status == 200)
        withExtendedLifetime((held, answers)) {}
    }

    @Test("a long job that there is no room to tell of is not canceled, a short one is")
    func cancel() throws {
        let service = try Service()
        let (long, short) = (try service.submit(keyframes: Self.keyframes), try service.submit())
        let held = try submissions(service)
        expectNoRoom(service.send("POST", "/v1/jobs/\(long)/cancel"))
        #expect(try service.store.job(long, tenant: .anonymous)?.status == .queued)
        #expect(service.send("POST", "/v1/jobs/\(short)/cancel").status == 202)
        #expect(service.send("POST", "/v1/jobs/none/cancel").status == 404)
        withExtendedLifetime(held) {}
    }

    /// A client that watches a long job, which has ended, while there is no room to tell so.
    private func watcher(_ service: Service, of id: JobID) throws -> (LiveClient, held: [any HTTPBodySink]) {
        try service.finish(id, lines: [Lines.frame(0)])
        let held = try submissions(service)
        let client = try service.open("/v1/jobs/\(id)/events")
        service.settle()
        client.take()
        return (client, held)
    }

    @Test("the end of a long job is told to its watchers once there is room, and signs meanwhile")
    func events() throws {
        let service = try Service()
        let id = try service.submit(keyframes: Self.keyframes)
        var (client, held) = try watcher(service, of: id)
        // All but the end comes, and the signs.
        #expect(client.events.map(\.name) == ["status", "status", "status"], "\(client.text.prefix(300))")
        service.timer.advance(.seconds(15))
        client.take()
        #expect(!client.isOver && client.text.hasSuffix("\n\n:\n\n"), "\(client.text.suffix(100))")
        held.removeAll()
        service.timer.advance(.seconds(1))
        #expect(client.takeAll())
        #expect(client.events.last?.name == "end")
        #expect(client.events.last?.json?["id"] == .string(id.description))
    }

    @Test("the end of a long job is not written by the thread that sends it")
    func writtenElsewhere() throws {
        let service = try Service()
        let id = try service.submit(keyframes: Self.keyframes)
        try service.finish(id, lines: [Lines.frame(0)])
        let client = try service.open("/v1/jobs/\(id)/events")
        service.settle()
        client.take()
        #expect(client.events.map(\.name) == ["status", "status", "status"], "\(client.text.prefix(300))")
        #expect(client.takeAll())
        #expect(client.events.last?.name == "end")
    }

    @Test("what is held up for want of room ends with the service")
    func stop() throws {
        let service = try Service()
        let (client, held) = try watcher(service, of: service.submit(keyframes: Self.keyframes))
        #expect(!client.isOver)
        service.watch.stop()
        #expect(client.takeAll())
        withExtendedLifetime(held) {}
    }

    @Test("so many jobs with long specs are watched at a time, others as ever")
    func watched() throws {
        let service = try Service()
        let ids = try (0..<65).map { _ in try service.submit(keyframes: 2_000) }
        var clients = try ids.dropLast().map { try service.open("/v1/jobs/\($0)/events") }
        let last = "/v1/jobs/\(try #require(ids.last))/events"
        expectProblem(service.send("GET", last), 503, saying: "long specs")
        clients.append(try service.open("/v1/jobs/\(ids[0])/events"))
        clients.append(try service.open("/v1/jobs/\(try service.submit())/events"))
        // Held answers are given at once.
        let held = try service.hold("/v1/jobs/\(try #require(ids.last))", [("Prefer", "wait=30")])
        let answer = Answer(try #require(held.wait()))
        #expect(answer.status == 200)
        #expect(answer.fields["Preference-Applied"] == nil)
        clients.removeAll()
        _ = try service.open(last)
    }
}
