import Dispatch
import Jobs
import TrackingAPI

/// Media whose frames take until they are released.
struct HeldMedia: MediaServices {
    private let media = TestMedia()
    private let started = DispatchSemaphore(value: 0)
    private let released = DispatchSemaphore(value: 0)
    private static let patience = DispatchTimeInterval.seconds(30)

    /// Returns when a decode has begun; false where none does.
    func awaitDecode() -> Bool { started.wait(timeout: .now() + Self.patience) == .success }

    /// Lets one decode end.
    func release() { released.signal() }

    private func hold(_ isWanted: () -> Bool) throws(MediaServiceError) {
        started.signal()
        let deadline = DispatchTime.now() + Self.patience
        while released.wait(timeout: .now() + .milliseconds(10)) != .success {
            guard isWanted() else { throw MediaServiceError(.canceled, "Nobody wants the picture any more.") }
            guard DispatchTime.now() < deadline else {
                throw MediaServiceError(.unavailable, "The test did not release the picture.")
            }
        }
    }

    func recognise(prefix: [UInt8]) -> RecognisedMedia? { media.recognise(prefix: prefix) }

    func frame(
        _ index: Int, of kind: JobSource.Kind, path: String, as format: FrameFormat,
        isWanted: @escaping @Sendable () -> Bool
    ) throws(MediaServiceError) -> [UInt8] {
        try hold(isWanted)
        return try media.frame(index, of: kind, path: path, as: format, isWanted: isWanted)
    }

    func trackability(
        of boxes: [PixelBox], on picture: StillPicture, isWanted: @escaping @Sendable () -> Bool
    ) throws(MediaServiceError) -> PictureTrackability {
        try hold(isWanted)
        return try media.trackability(of: boxes, on: picture, isWanted: isWanted)
    }
}
