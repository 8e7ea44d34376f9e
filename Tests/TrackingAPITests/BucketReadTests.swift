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

    @Test("a stop ends those who follow a result, though the bucket does not answer")
    func stop() throws {
        let held = try HeldFollow(frames: 2)
        held.service.watch.stop()
        #expect(held.client.take { $0.isCut || $0.isOver })
        #expect(held.client.isCut)
        held.hold.release()
    }
}
