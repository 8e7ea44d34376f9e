import HTTPServer
import Jobs
import Synchronization
import Testing

@testable import TrackingAPI

/// Clients that want what lies far ahead in a long result.
@Suite("Watching long results", .timeLimit(.minutes(10)))
struct LongResultTests {
    /// Of some 4 KiB each.
    private static let lineCount = 2_000
    /// What one call may look at; the result has 8 MB.
    private static let most: Int64 = 512 << 10
    private let service: Service
    private let worker: TestWorker
    private var id: JobID { worker.id }

    init() throws {
        service = try Service()
        _ = try service.submit()
        worker = try service.claim()
    }

    private static func line(_ frame: Int) -> String {
        "{\"frame\":\(frame),\"padding\":\"\(String(repeating: "x", count: 4_000))\"}\n"
    }

    private static func lines(_ frames: Range<Int>) -> String { frames.map(line).joined() }

    /// Bytes that tell how many of them were read.
    private final class CountingReader: BlobReader {
        private let content: [UInt8]
        private let bytesRead = Mutex<Int64>(0)

        init(_ text: String) { content = Array(text.utf8) }

        var count: Int64 { Int64(content.count) }
        var fileDescriptor: Int32? { nil }

        /// Since the last call.
        func takeBytesRead() -> Int64 {
            bytesRead.withLock { count in
                defer { count = 0 }
                return count
            }
        }

        func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) -> Int {
            let piece = content.dropFirst(Int(offset)).prefix(buffer.count)
            buffer.copyBytes(from: piece)
            bytesRead.withLock { $0 += Int64(piece.count) }
            return piece.count
        }
    }

    /// Calls a feed until it has something or waits, as a body does.
    ///
    /// - Returns: what it appended, and how often it was called.
    private func run(_ feed: inout some JobFeed, _ reader: CountingReader) throws -> (text: String, calls: Int) {
        let job = try #require(try service.store.job(id, tenant: .anonymous))
        let seen = WatchedJob.Snapshot(job: job, result: reader, isResultKnown: true)
        var bytes: [UInt8] = []
        var calls = 0
        var step = FeedStep.looksOn
        while step == .looksOn, bytes.isEmpty {
            step = try feed.append(seen, to: &bytes) { _ in nil }
            calls += 1
            #expect(reader.takeBytesRead() <= Self.most)
        }
        return (String(decoding: bytes, as: UTF8.self), calls)
    }

    private func followFeed(from frame: Int) throws -> FollowFeed {
        let job = try #require(try service.store.job(id, tenant: .anonymous))
        let provenance = ResultProvenance(version: "1", job: id, source: job.source, spec: job.spec)
        return FollowFeed(
            try ResultEncoder(format: .ndjson, provenance: provenance, slice: ResultSlice(from: frame)))
    }

    @Test(
        "a followed slice far ahead is found, or not, by a look at little of the result", arguments: [0, 1, 999, 1_900])
    func follow(from frame: Int) throws {
        let reader = CountingReader(Self.lines(0..<Self.lineCount))
        var feed = try followFeed(from: frame)
        let (text, calls) = try run(&feed, reader)
        #expect(text.hasPrefix("{\"frame\":\(frame),"))
        #expect(calls <= 2)
        var absent = try followFeed(from: 999_999)
        let (nothing, absentCalls) = try run(&absent, reader)
        #expect(nothing.isEmpty)
        #expect(absentCalls <= 2)
    }

    @Test("frames that were sent are not sent again where another result takes the place of the first")
    func replaced() throws {
        let first = CountingReader(Self.lines(0..<3))
        var feed = try followFeed(from: 1)
        #expect(try run(&feed, first).text == Self.lines(1..<3))
        let other = CountingReader("\n" + Self.lines(0..<5))
        var text = try run(&feed, other).text
        text += try run(&feed, other).text
        #expect(text == Self.lines(3..<5))
    }

    @Test(
        "no call for an event stream that goes on far ahead looks at much of the result", arguments: [10, 1_900, 5_000])
    func events(after frames: Int) throws {
        let reader = CountingReader(Self.lines(0..<Self.lineCount))
        let position = try #require(EventPosition("r1-0-\(frames)"))
        var feed = EventFeed(id, after: position, wantsFrames: true)
        let (text, calls) = try run(&feed, reader)
        if frames < Self.lineCount {
            #expect(text.contains("\nevent: frame\ndata: {\"frame\":\(frames),"))
            #expect(!text.contains("{\"frame\":\(frames - 1),"))
        } else {
            #expect(text.isEmpty)
        }
        #expect(calls > frames / 200)
    }

    @Test("a result that comes as a whole while its clients wait is looked through, and each gets what it wants")
    func comesAtOnce() throws {
        let path = "/v1/jobs/\(id)"
        let followed = try service.open(path + "/results?format=ndjson&partial=true&follow=true&from=1990")
        let absent = try service.open(path + "/results?format=ndjson&partial=true&follow=true&from=999999")
        let events = try service.open(path + "/events?frames=true", [("Last-Event-ID", "r1-0-1990")])
        for client in [followed, absent, events] { client.take() }
        try worker.append(Array(Self.lines(0..<Self.lineCount).utf8))
        #expect(followed.take { $0.text.hasSuffix(Self.line(1_999)) })
        #expect(events.take { $0.events.last?.id == "r1-0-2000" })
        try worker.end(done: Self.lineCount)
        for client in [followed, absent, events] { #expect(client.takeAll()) }
        #expect(followed.text == Self.lines(1_990..<2_000))
        #expect(absent.text.isEmpty)
        let frames = events.events.filter { $0.name == "frame" }
        #expect(frames.map { $0.data + "\n" } == (1_990..<2_000).map(Self.line))
    }

    @Test("a client that comes back far ahead to a job that has ended gets the rest")
    func comesBack() throws {
        try worker.append(Array(Self.lines(0..<Self.lineCount).utf8))
        try worker.end(done: Self.lineCount)
        let client = try service.open("/v1/jobs/\(id)/events?frames=true", [("Last-Event-ID", "r1-0-1995")])
        #expect(client.takeAll())
        #expect(client.events.filter { $0.name == "frame" }.map { $0.data + "\n" } == (1_995..<2_000).map(Self.line))
        #expect(client.events.last?.name == "end")
    }
}
