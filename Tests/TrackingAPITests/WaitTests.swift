import Dispatch
import HTTPServer
import Jobs
import Testing

@testable import TrackingAPI

@Suite("Prefer: wait", .timeLimit(.minutes(10)))
struct WaitTests {
    private let service: Service
    private let id: JobID
    private var path: String { "/v1/jobs/\(id)" }

    init() throws {
        service = try Service()
        id = try service.submit()
    }

    private func tag() throws -> String { try #require(service.send("GET", path).fields["ETag"]) }

    @Test("the answer is held until the job's state changes")
    func change() throws {
        let held = try service.hold(path, [("Prefer", "wait=30")])
        #expect(!held.isAnswered)
        let worker = try service.claim()
        let running = Answer(try #require(held.wait()))
        #expect(running.status == 200)
        #expect(running.route == "/v1/jobs/{id}")
        #expect(running.json?["status"] == "running")
        #expect(running.fields["Preference-Applied"] == "wait=30")
        #expect(running.fields["ETag"] == (try tag()))

        let second = try service.hold(path, [("Prefer", "respond-async, wait=30")])
        try worker.report(5)
        service.settle()
        #expect(!second.isAnswered, "progress is no change of state")
        try worker.end(done: 5)
        #expect(Answer(try #require(second.wait())).json?["status"] == "succeeded")
    }

    @Test("when the time is over, the job comes as it is")
    func timeOver() throws {
        let held = try service.hold(path, [("Prefer", "wait=10")])
        service.timer.advance(.milliseconds(9_900))
        service.settle()
        #expect(!held.isAnswered)
        service.timer.advance(.milliseconds(100))
        let answer = Answer(try #require(held.wait()))
        #expect(answer.status == 200)
        #expect(answer.json?["status"] == "queued")
        #expect(answer.fields["Preference-Applied"] == "wait=10")
    }

    @Test("with the tag that the client has, 304 comes when the time is over, and 200 on any change before")
    func ifNoneMatch() throws {
        let known = [("Prefer", "wait=10"), ("If-None-Match", try tag())]
        let unchanged = try service.hold(path, known)
        service.timer.advance(.seconds(10))
        let same = Answer(try #require(unchanged.wait()))
        #expect(same.status == 304)
        #expect(same.body.isEmpty)
        #expect(same.fields["Preference-Applied"] == "wait=10")

        let worker = try service.claim()
        let at = [("Prefer", "wait=10"), ("If-None-Match", try tag())]
        let held = try service.hold(path, at)
        #expect(!held.isAnswered)
        try worker.report(5, of: 9)
        let answer = Answer(try #require(held.wait()))
        #expect(answer.status == 200)
        #expect(answer.json?["progress"]?["frames_done"] == 5)

        let other = try service.hold(path, known)
        #expect(Answer(try #require(other.wait())).json?["status"] == "running")
    }

    @Test("the job is read whatever those who watch other jobs are held up by")
    func readByItself() throws {
        try service.claim().end()
        let others = DispatchSemaphore(value: 0)
        service.watch.queue.async { others.wait() }
        defer { others.signal() }
        let request = Service.request("GET", path, HTTPFields([("Prefer", "wait=30")]))
        guard case .later(let start) = service.api.begin(request) else { throw LiveClient.NoLiveBody(status: 0) }
        #expect(Answer(try #require(HeldRequest(start).wait())).json?["status"] == "succeeded")
    }

    @Test("a change by another process is seen within a second")
    func otherProcess() throws {
        let held = try service.hold(path, [("Prefer", "wait=30")])
        _ = try service.claim(tells: false)
        service.timer.advance(.seconds(1))
        #expect(Answer(try #require(held.wait())).json?["status"] == "running")
    }

    @Test("a job that has ended is not waited for, whatever the client knows of it")
    func ended() throws {
        try service.claim().end()
        let held = try service.hold(path, [("Prefer", "wait=30")])
        #expect(Answer(try #require(held.wait())).json?["status"] == "succeeded")
        let same = try service.hold(path, [("Prefer", "wait=30"), ("If-None-Match", try tag())])
        #expect(Answer(try #require(same.wait())).status == 304)
        #expect(!service.timer.isRunning)
    }

    @Test("no more than a minute is waited, and the answer says so")
    func cap() throws {
        let held = try service.hold(path, [("Prefer", "wait=99999999999999999999")])
        service.timer.advance(.seconds(60))
        #expect(Answer(try #require(held.wait())).fields["Preference-Applied"] == "wait=60")
        let none = try service.hold(path, [("Prefer", "wait=0")])
        service.timer.advance(.zero)
        #expect(Answer(try #require(none.wait())).fields["Preference-Applied"] == "wait=0")
    }

    @Test("a preference that is none is passed over", arguments: ["wait=soon", "wait", "waiting=5", "wait=-1"])
    func passedOver(text: String) {
        let answer = service.send("GET", path, [("Prefer", text)])
        #expect(answer.status == 200)
        #expect(answer.fields["Preference-Applied"] == nil)
    }

    @Test("a job that is deleted meanwhile, or belongs to somebody else, is 404")
    func missing() throws {
        let held = try service.hold(path, [("Prefer", "wait=30")])
        #expect(service.send("DELETE", path).status == 204)
        expectProblem(Answer(try #require(held.wait())), 404)
        let foreign = try service.submit(tenant: TenantID("somebody-else"))
        let other = try service.hold("/v1/jobs/\(foreign)", [("Prefer", "wait=30")])
        expectProblem(Answer(try #require(other.wait())), 404)
    }

    @Test("a condition that fails is answered at once")
    func ifMatch() throws {
        let held = try service.hold(path, [("Prefer", "wait=30"), ("If-Match", "\"other\"")])
        expectProblem(Answer(try #require(held.wait())), 412)
    }

    @Test("when the service stops, whoever waits is answered")
    func stopped() throws {
        let held = try (0..<50).map { _ in try service.hold(path, [("Prefer", "wait=30")]) }
        service.watch.stop()
        for request in held { #expect(Answer(try #require(request.wait())).json?["status"] == "queued") }
        let late = try service.hold(path, [("Prefer", "wait=30")])
        #expect(Answer(try #require(late.wait())).status == 200)
    }

    @Test("whose key is revoked meanwhile gets 401 and not the job, also where that changes; other keys wait on")
    func revoked() throws {
        let service = try Service(keys: .required)
        let tenant = TenantID("acme")
        let key = try service.key(tenant, id: "k1")
        let other = try service.key(tenant, id: "k2")
        let path = "/v1/jobs/\(try service.submit(tenant: tenant))"
        let held = try service.hold(path, [key, ("Prefer", "wait=30")])
        let others = try service.hold(path, [other, ("Prefer", "wait=30")])
        // Let in, but not waiting yet.
        let request = Service.request("GET", path, HTTPFields([key, ("Prefer", "wait=30")]))
        guard case .later(let late) = service.api.begin(request) else {
            Issue.record("not held")
            return
        }
        _ = try service.store.revokeKey("k1")
        service.ring?.refresh()
        let refused = Answer(try #require(held.wait()))
        expectProblem(refused, 401)
        #expect(refused.fields["WWW-Authenticate"]?.contains("invalid_token") == true)
        #expect(refused.fields["ETag"] == nil)
        #expect(!others.isAnswered)
        _ = try service.claim()
        expectProblem(Answer(try #require(HeldRequest(late).wait())), 401)
        #expect(Answer(try #require(others.wait())).json?["status"] == "running")
    }

    @Test("who was answered is forgotten")
    func forgotten() throws {
        let held = try service.hold(path, [("Prefer", "wait=10")])
        #expect(service.timer.isRunning)
        service.timer.advance(.seconds(10))
        _ = try #require(held.wait())
        service.settle()
        service.timer.advance(.seconds(1))
        #expect(!service.timer.isRunning)
    }
}
