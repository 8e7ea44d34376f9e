import Dispatch
import HTTPServer
import Jobs
import Synchronization
import Testing

@testable import TrackingAPI

/// What is sent of blobs that are not files: they may be long in coming, and no connection's thread waits for them.
@Suite("Blobs that are sent out of a bucket", .timeLimit(.minutes(10)))
struct BucketReadTests {
    private static let lines = (0..<2000).map { Lines.frame($0) }

    private static func finished(_ service: Service) throws -> String {
        try service.finishedResult(lines: lines) + "?format=ndjson"
    }

    /// A result with some frames that is followed, and a first read of it that waits.
    private struct HeldFollow {
        let service: Service
        let hold: ReadHold
        let client: LiveClient
        let worker: TestWorker

        init(frames: Int) throws {
            service = try Service()
            let id = try service.submit()
            hold = service.blobs.holdReads()
            client = try service.open("/v1/jobs/\(id)/results?format=ndjson&partial=true&follow=true")
            worker = try service.claim()
            try worker.track(0..<frames)
            service.settle()
            client.take()
            #expect(hold.awaitRead())
        }

        /// Takes what comes of the reads that go on, until the last has found nothing.
        func finishReads() {
            // One may go on already, of which something is taken still.
            for _ in 0..<2 {
                client.take()
                #expect(service.api.bucketReads.unfinished.wait(timeout: .now() + 30) == .success)
            }
        }
    }

    @Test("while the bucket does not answer, every other request is answered; then what was asked for comes whole")
    func others() async throws {
        try await Wire.run(try Service()) { wire in
            let path = try Self.finished(wire.service)
            let whole = Self.lines.flatMap { $0 }
            let hold = wire.service.blobs.holdReads()
            let replies = Mutex<[(range: Range<Int>, reply: Wire.Reply?)]>([])
            let group = DispatchGroup()
            let downloads = 12
            for number in 0..<downloads {
                DispatchQueue(label: "download").async(group: group) {
                    let range = number % 2 == 0 ? 0..<whole.count : number..<whole.count - number
                    let reply = try? wire.curl(path, "-r", "\(range.lowerBound)-\(range.upperBound - 1)")
                    replies.withLock { $0.append((range, reply)) }
                }
            }
            for _ in 0..<downloads { #expect(hold.awaitRead()) }
            for other in ["/healthz", "/v1/jobs", String(path.prefix { $0 != "?" }.dropLast("/results".count))] {
                #expect(try wire.curl(other, "-m", "20").status == 200)
            }
            #expect(replies.withLock { $0.isEmpty })
            hold.release()
            #expect(group.wait(timeout: .now() + 90) == .success)
            let all = replies.withLock { $0 }
            #expect(all.count == downloads)
            for (range, reply) in all {
                let isExact = reply?.body == Array(whole[range])
                #expect(isExact, "\(range)")
                #expect(reply?.head.contains("Content-Length: \(range.count)") == true)
            }
        }
    }

    @Test("only so many are sent at a time; a client that leaves makes room")
    func bounded() throws {
        let service = try Service { $0.bucketBodies = 1 }
        let path = try Self.finished(service)
        service.blobs.holdReads().release()
        try service.expectOnePlace(path)
        #expect(service.send("GET", path).body == Self.lines.flatMap { $0 })
    }

    @Test("a result is followed without a read on the connection's thread, and looked at again only when it has grown")
    func followed() throws {
        let held = try HeldFollow(frames: 40)
        let (client, worker) = (held.client, held.worker)
        client.take()
        #expect(client.bytes.isEmpty)
        held.hold.release()
        #expect(client.take { $0.bytes == worker.written })
        for first in stride(from: 40, to: 200, by: 40) {
            try worker.track(first..<first + 40)
            #expect(client.take { $0.bytes == worker.written })
            #expect(client.takeUntilQuiet())
        }
        held.finishReads()
        let reads = held.hold.reads
        for _ in 0..<3 {
            held.service.timer.advance(.seconds(1))
            held.service.settle()
            held.finishReads()
        }
        #expect(held.hold.reads == reads)
        try worker.end(done: 200)
        #expect(client.takeAll())
        #expect(client.bytes == worker.written)
    }

    @Test("events with frames come out of a bucket, too")
    func events() throws {
        let service = try Service()
        let id = try service.submit()
        service.blobs.holdReads().release()
        let client = try service.open("/v1/jobs/\(id)/events?frames=true")
        let worker = try service.claim()
        try worker.track(0..<3)
        try worker.report(3)
        #expect(client.take { $0.events.filter { $0.name == "frame" }.count == 3 })
        #expect(client.takeUntilQuiet())
        try worker.track(3..<5)
        try worker.end(done: 5)
        #expect(client.takeAll())
        let frames = client.events.filter { $0.name == "frame" }.map(\.data)
        #expect(frames == String(decoding: worker.written, as: UTF8.self).split(separator: "\n").map(String.init))
        #expect(client.events.last?.name == "end")
    }

    @Test(
        "while a result is not opened, who wants none learns what happens; then it comes whole, though its job ended",
        arguments: [false, true])
    func openings(isOtherTenant: Bool) throws {
        let service = try Service(keys: .required)
        let owner = TenantID("owner")
        let other = isOtherTenant ? TenantID("other") : owner
        let (key, otherKey) = (try service.key(owner, id: "k1"), try service.key(other, id: "k2"))
        _ = try service.submit(tenant: owner)
        let worker = try service.claim()
        try worker.track(0..<40)
        let path = "/v1/jobs/\(try service.submit(tenant: other))"
        let plain = try service.open(path + "/events", [otherKey])
        let answer = try service.hold(path, [otherKey, ("Prefer", "wait=30")])
        let hold = service.blobs.holdOpens()
        let follow = "/v1/jobs/\(worker.id)/results?format=ndjson&partial=true&follow=true"
        let follower = try service.open(follow, [key])
        #expect(hold.awaitRead())
        let second = try service.claim()
        #expect(Answer(try #require(answer.wait())).json?["status"] == "running")
        try second.end()
        #expect(plain.takeAll())
        #expect(plain.events.states == ["queued 0", "running 1", "succeeded 1"])
        try worker.end(done: 40)
        follower.take()
        #expect(follower.bytes.isEmpty)
        hold.release()
        #expect(follower.takeAll())
        #expect(follower.bytes == worker.written)
    }

    @Test("an event stream without frames does not wait for a result that another client follows")
    func withoutFrames() throws {
        let held = try HeldFollow(frames: 2)
        let plain = try held.service.open("/v1/jobs/\(held.worker.id)/events")
        try held.worker.end(done: 2)
        #expect(plain.takeAll())
        #expect(plain.events.last?.name == "end")
        #expect(held.client.bytes.isEmpty)
        held.hold.release()
        #expect(held.client.takeAll())
        #expect(held.client.bytes == held.worker.written)
    }

    @Test("a result that could not be read is opened again, and comes whole", arguments: [1, 3])
    func readAgain(failures: Int) throws {
        let held = try HeldFollow(frames: 40)
        held.hold.fail(failures)
        held.hold.release()
        #expect(held.client.take { $0.bytes == held.worker.written })
        held.hold.fail(failures)
        try held.worker.track(40..<80)
        try held.worker.end(done: 80)
        #expect(held.client.takeAll())
        #expect(held.client.bytes == held.worker.written)
    }

    @Test("one that can never be read is cut off after a few attempts")
    func unreadable() throws {
        let held = try HeldFollow(frames: 40)
        held.hold.fail(.max)
        held.hold.release()
        #expect(held.client.take { $0.isCut || $0.isOver })
        #expect(held.client.isCut)
        #expect(held.client.bytes.isEmpty)
        #expect(held.hold.reads == 4)
    }

    @Test("a stop ends those who follow a result, though the bucket does not answer")
    func stop() throws {
        let held = try HeldFollow(frames: 2)
        held.service.watch.stop()
        #expect(held.client.take { $0.isCut || $0.isOver })
        #expect(held.client.isCut)
        held.hold.release()
    }
}
