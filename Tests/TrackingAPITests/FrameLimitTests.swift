import Dispatch
import HTTPServer
import Synchronization
import Testing
import TrackingAPI

@Suite("The limit on frames that are decoded at a time", .timeLimit(.minutes(10)))
struct FrameLimitTests {
    /// A request that is under way while the test goes on.
    private final class Request: Sendable {
        private let reply = Mutex<Wire.Reply?>(nil)
        private let done = DispatchGroup()

        init(_ wire: Wire, _ path: String) {
            DispatchQueue.global().async(group: done) {
                let reply = try? wire.curl(path)
                self.reply.withLock { $0 = reply }
            }
        }

        func status() -> Int? {
            guard done.wait(timeout: .now() + 60) == .success else { return nil }
            return reply.withLock { $0?.status }
        }
    }

    @Test("with the limit reached, a further frame is refused at once, and the job can be read")
    func limit() async throws {
        let media = HeldMedia()
        try await Wire.run(try Service(media: media) { $0.frameDecodes = 1 }) { wire in
            let path = "/v1/jobs/\(try wire.service.submit())"
            let first = Request(wire, path + "/frames/0")
            #expect(media.awaitDecode())
            let second = try wire.curl(path + "/frames/1", "-m", "10")
            #expect(second.status == 503)
            #expect(second.head.contains("Retry-After: 1"))
            #expect(second.head.contains("application/problem+json"))
            #expect(try wire.curl(path, "-m", "10").status == 200)
            media.release()
            #expect(first.status() == 200)
        }
    }

    @Test("a client that leaves, or a stop, ends its decode and makes room", arguments: [false, true])
    func left(isStop: Bool) throws {
        let media = HeldMedia()
        let health = ServiceHealth(workersExpected: 0, workersAlive: 0, isStopping: isStop)
        let service = try Service(health: health, media: media) { $0.frameDecodes = 1 }
        let id = try service.submit()
        let hasLeft = Atomic(!isStop)
        for frame in 0..<2 {
            let request = HTTPRequest(
                method: "GET", target: "/v1/jobs/\(id)/frames/\(frame)",
                path: ["v1", "jobs", "\(id)", "frames", "\(frame)"], id: "request-1",
                hasClientLeft: { hasLeft.load(ordering: .relaxed) })
            guard case .work(let work) = service.api.begin(request) else {
                Issue.record("not worked on")
                return
            }
            expectProblem(Answer(work()), 503, saying: "Nobody wants the picture")
        }
        hasLeft.store(false, ordering: .relaxed)
        guard !isStop else { return }
        media.release()
        #expect(service.send("GET", "/v1/jobs/\(id)/frames/0").status == 200)
    }

    @Test("a decode makes room when it ends, also where it fails")
    func room() throws {
        let service = try Service { $0.frameDecodes = 1 }
        let path = "/v1/jobs/\(try service.submit())/frames"
        for (frame, status) in [(99, 404), (0, 200), (1, 200)] {
            #expect(service.send("GET", "\(path)/\(frame)").status == status)
        }
    }
}
