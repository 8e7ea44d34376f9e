import Dispatch
import Foundation
import HTTPServer
import Jobs
import Synchronization
import Testing
import TrackingAPI
import Workers

@testable import lktrack

extension WorkersTests {
    @Suite("Workers and those who watch", .timeLimit(.minutes(10)))
    struct WatchTests {
        @Test("what a worker of this process does reaches a watcher without a look at the store")
        func told() async throws {
            let bench = try Bench()
            let scene = try Scene()
            let watch = JobWatch(
                store: bench.store, blobs: bench.blobs, timer: StoppedTimer(), logger: bench.logs.logger)
            let api = TrackingAPI(
                store: bench.store, uploads: bench.store, deliveries: bench.store, blobs: bench.blobs, media: NoMedia(),
                renderer: NoMedia(), version: "1",
                logger: bench.logs.logger,
                health: { ServiceHealth(workersExpected: 1, workersAlive: 1) }, onSubmit: {}, onCancel: { _ in },
                watch: watch)
            let job = try bench.submit(scene)
            let reader = try LiveReader(api, "/v1/jobs/\(job.id)/events", query: [("frames", "true")])
            let pool = try bench.pool(onEvent: { watch.note($0) })
            let hold = bench.events.hold(at: .tracked(job.id, frame: 5))
            try pool.start()

            // Held, it cannot have told of more.
            let half = await reader.read { $0.components(separatedBy: "event: frame").count - 1 == 6 }
            #expect(half.components(separatedBy: "event: status").count - 1 == 2)
            hold.open()
            let whole = await reader.read { $0.contains("event: end") }
            #expect(whole.contains("event: progress"))
            #expect(whole.components(separatedBy: "event: frame").count - 1 == scene.frames)
            #expect(whole.contains("\"status\":\"succeeded\""))
            await bench.stop(pool)
        }
    }
}

/// Time that does not pass: nothing is found by looking.
private struct StoppedTimer: WatchTimer {
    func now() -> Duration { .zero }
    func start(_ tick: @escaping @Sendable () -> Void) {}
    func stop() {}
}

private struct NoMedia: MediaServices, VideoRenderer {
    func recognise(prefix: [UInt8]) -> RecognisedMedia? { nil }

    func frame(
        _ index: Int, of kind: JobSource.Kind, path: String, as format: FrameFormat,
        isWanted: @escaping @Sendable () -> Bool
    ) throws(MediaServiceError) -> [UInt8] {
        throw MediaServiceError(.unavailable, "There are none.")
    }

    func trackability(
        of boxes: [PixelBox], on picture: StillPicture, isWanted: @escaping @Sendable () -> Bool
    ) throws(MediaServiceError) -> PictureTrackability {
        throw MediaServiceError(.unavailable, "There are none.")
    }

    func render(_ rendering: VideoRendering, isWanted: @Sendable () -> Bool) throws(MediaServiceError) {
        throw MediaServiceError(.unavailable, "There are none.")
    }
}

/// Reads a body that comes when it comes, off Swift's cooperative threads.
private final class LiveReader: Sendable {
    private let stream: any HTTPLiveBodyStream
    private let woken = DispatchSemaphore(value: 0)
    private let received = Mutex<[UInt8]>([])

    struct NoLiveBody: Error {}

    init(_ api: TrackingAPI, _ path: String, query: [(name: String, value: String)]) throws {
        let segments = path.split(separator: "/").map(String.init)
        let request = HTTPRequest(method: "GET", target: path, path: segments, query: query)
        guard case .work(let work) = api.begin(request), case .stream(let body) = work().body,
            let live = body as? any HTTPLiveBodyStream
        else { throw NoLiveBody() }
        stream = live
        live.attach { [woken] in woken.signal() }
    }

    /// Everything that came so far, as soon as it is so or the body is over.
    func read(until isSo: @escaping @Sendable (String) -> Bool) async -> String {
        await withCheckedContinuation { continuation in
            DispatchQueue.global().async { [self] in
                var buffer = [UInt8](repeating: 0, count: 4096)
                while true {
                    let count = (try? buffer.withUnsafeMutableBytes { try stream.read(into: $0) }) ?? 0
                    let text = received.withLock { received in
                        received += buffer[..<count]
                        return String(decoding: received, as: UTF8.self)
                    }
                    if isSo(text) || (count == 0 && !stream.pending()) { return continuation.resume(returning: text) }
                    if count == 0 { woken.wait() }
                }
            }
        }
    }
}
