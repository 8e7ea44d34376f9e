import Dispatch
import HTTPServer
import Jobs
import Synchronization
import Testing

@testable import TrackingAPI

@Suite("The disk's reserve")
struct DiskSpaceTests {
    private static let reserve: Int64 = 4 << 20
    /// What the disk has beside it.
    private static let room: Int64 = (10 << 20) + 100_000
    private static let piece = 256 << 10

    private let service: Service

    init() throws {
        service = try Service { $0.diskReserveBytes = Self.reserve }
        service.blobs.disk.withLock { $0 = .init(free: Self.reserve + Self.room) }
    }

    private func sink(announcing count: Int? = nil) throws -> any HTTPBodySink {
        try service.sink("POST", "/v1/jobs?roi=1,2,30,40", [("Content-Type", "video/mp4")], count: count)
    }

    private var least: Int64 { service.blobs.disk.withLock { $0?.least } ?? 0 }

    /// That nothing is set aside: as much is free for a next body as the disk has beside its reserve.
    private func expectAllGivenBack(sourceLocation: SourceLocation = #_sourceLocation) throws {
        let rest = Int(try service.blobs.availableBytes() - Self.reserve)
        for (count, isRefused) in [(rest + 1, true), (rest, false)] {
            let next = try sink(announcing: count)
            let answer = next.take(Sample.video(bytes: 5_000))
            #expect((answer == 507) == isRefused, "\(count) bytes", sourceLocation: sourceLocation)
            next.abort()
            service.api.finishUploads()
        }
    }

    @Test("many bodies of unknown length at once leave it free, and those that fit are taken")
    func jobs() throws {
        let sinks = try (0..<16).map { _ in try sink() }
        let statuses = Mutex<[Int]>([])
        DispatchQueue.concurrentPerform(iterations: sinks.count) { index in
            var status: Int?
            for number in 0..<12 where status == nil {
                status = sinks[index].take(
                    number == 0 ? Sample.video(bytes: 5_000) : [UInt8](repeating: 1, count: Self.piece))
            }
            if status != nil { sinks[index].abort() }
            let last = status ?? Answer(sinks[index].finish()).status
            statuses.withLock { $0.append(last) }
        }
        let counts = statuses.withLock { $0 }.reduce(into: [:]) { $0[$1, default: 0] += 1 }
        #expect(Set(counts.keys).isSubset(of: [202, 507]), "\(counts)")
        #expect((1...3).contains(counts[202] ?? 0), "\(counts)")
        #expect(least >= Self.reserve)
        try expectAllGivenBack()
    }

    @Test("many requests to resumable uploads at once leave it free, and what came is kept")
    func uploads() throws {
        let paths = try (0..<16).map { _ in try service.create(nil) }
        let sinks = try paths.map { try service.sink("PATCH", $0, Service.chunk + [("Upload-Offset", "0")]) }
        let refusals = Atomic(0)
        DispatchQueue.concurrentPerform(iterations: sinks.count) { index in
            for _ in 0..<12 {
                guard let status = sinks[index].take([UInt8](repeating: 1, count: Self.piece)) else { continue }
                #expect(status == 507)
                sinks[index].abort()
                refusals.wrappingAdd(1, ordering: .relaxed)
                return
            }
            #expect(Answer(sinks[index].finish()).status == 204)
        }
        service.api.finishUploads()
        #expect(refusals.load(ordering: .relaxed) >= 13)
        #expect(least >= Self.reserve)
        let kept = paths.reduce(0) { $0 + (service.offset($1) ?? 0) }
        #expect(Int64(kept) == Self.reserve + Self.room - (try service.blobs.availableBytes()))
        try expectAllGivenBack()
    }

    @Test(
        "what a body announces is set aside as long as it comes",
        arguments: ["taken", "refused", "given up", "shorter", "dropped"])
    func announced(end: String) throws {
        let body = Sample.video(bytes: 6 << 20)
        do {
            let first = try sink(announcing: body.count)
            #expect(first.take(Array(body.prefix(5_000))) == nil)
            let second = try sink(announcing: body.count)
            #expect(second.take(Array(body.prefix(5_000))) == 507)
            let small = try sink(announcing: 3 << 20)
            #expect(small.take(Array(body.prefix(5_000))) == nil)
            small.abort()
            service.api.finishUploads()
            switch end {
            case "taken":
                #expect(first.take(Array(body.dropFirst(5_000))) == nil)
                #expect(Answer(first.finish()).status == 202)
            case "refused":
                service.blobs.fullAfter.withLock { $0 = 9_000 }
                #expect(first.take(Array(body.dropFirst(5_000))) == 507)
                service.blobs.fullAfter.withLock { $0 = .max }
            case "given up": first.abort()
            case "shorter": #expect(Answer(first.finish()).status == 202)
            default: break
            }
        }
        service.api.finishUploads()
        try expectAllGivenBack()
    }

    @Test("what a request to a resumable upload announces is set aside as long as it comes", arguments: [false, true])
    func announcedChunk(isWhole: Bool) throws {
        let paths = try (0..<2).map { _ in try service.create(6 << 20) }
        let fields = Service.chunk + [("Upload-Offset", "0")]
        let bytes = [UInt8](repeating: 1, count: 6 << 20)
        let first = try service.sink("PATCH", paths[0], fields, count: bytes.count)
        #expect(first.take(Array(bytes.prefix(5_000))) == nil)
        expectProblem(service.patch(paths[1], at: 0, bytes, pieces: [1 << 20]), 507)
        if isWhole {
            #expect(first.take(Array(bytes.dropFirst(5_000))) == nil)
            #expect(Answer(first.finish()).status == 204)
        } else {
            first.abort()
            service.api.finishUploads()
        }
        try expectAllGivenBack()
    }

    @Test("a body that is whole is refused where others have eaten into it meanwhile, and leaves nothing behind")
    func eatenMeanwhile() throws {
        let body = Sample.video(bytes: 5_000)
        let sink = try sink(announcing: body.count)
        #expect(sink.take(body) == nil)
        service.blobs.free.withLock { $0 = Self.reserve - 1 }
        let answer = Answer(sink.finish())
        expectProblem(answer, 507)
        #expect(try service.isEmpty(), "\(service.files)")
    }
}
