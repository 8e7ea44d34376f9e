import Dispatch
import Foundation
import Jobs
import Synchronization
import TrackingAPI

/// Makes videos of a few bytes that tell what was asked for, when the test lets it.
final class TestRenderer: VideoRenderer {
    private let blobs: any BlobStore
    /// What was begun.
    let begun = Mutex<[VideoRendering]>([])
    /// What the next renderings fail with.
    let failure = Mutex<MediaServiceError?>(nil)
    private let started = DispatchSemaphore(value: 0)
    private let released: DispatchSemaphore?
    private let ended = DispatchSemaphore(value: 0)
    private static let patience = DispatchTimeInterval.seconds(30)

    /// - Parameter isHeld: whether each rendering waits for ``release()``.
    init(_ blobs: any BlobStore, isHeld: Bool = false) {
        self.blobs = blobs
        released = isHeld ? DispatchSemaphore(value: 0) : nil
    }

    /// Returns when a rendering has begun; false where none does.
    func awaitStart() -> Bool { started.wait(timeout: .now() + Self.patience) == .success }

    /// Returns when a rendering has ended, well or not; false where none does.
    func awaitEnd() -> Bool { ended.wait(timeout: .now() + Self.patience) == .success }

    func release() { released?.signal() }

    static func content(_ rendering: VideoRendering) -> [UInt8] {
        Sample.video() + Array("\(rendering.content)".utf8)
    }

    func render(_ rendering: VideoRendering, isWanted: @Sendable () -> Bool) throws(MediaServiceError) {
        defer { ended.signal() }
        begun.withLock { $0.append(rendering) }
        started.signal()
        if let released, released.wait(timeout: .now() + Self.patience) != .success {
            throw MediaServiceError(.unavailable, "The test did not release the rendering.")
        }
        guard isWanted() else { throw MediaServiceError(.canceled, "Nobody wants it.") }
        if let error = failure.withLock({ $0 }) { throw error }
        do {
            let writer = try blobs.create(rendering.key)
            try Self.content(rendering).withUnsafeBytes(writer.write)
            _ = try writer.commit()
        } catch {
            throw MediaServiceError(.unavailable, "\(error)")
        }
    }
}

/// A time of day that goes on when the test says so.
final class TestClock: Environment {
    private let skipped = Mutex(0.0)
    private let base = SystemEnvironment()
    private let start = SystemEnvironment().now()

    func skip(seconds: Double) { skipped.withLock { $0 += seconds } }

    func now() -> Date { start.addingTimeInterval(skipped.withLock { $0 }) }
    func randomBytes(_ count: Int) -> [UInt8] { base.randomBytes(count) }
}
