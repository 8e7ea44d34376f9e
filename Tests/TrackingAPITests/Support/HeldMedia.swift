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

    /// Asks once: who leaves in these tests has left by the time that the decode begins.
    private func hold(_ isWanted: () -> Bool) throws(MediaServiceError) {
        started.signal()
        guard isWanted() else { throw MediaServiceError(.canceled, "Nobody wants the picture any more.") }
        guard released.wait(timeout: .now() + Self.patience) == .success else {
            throw MediaServiceError(.unavailable, "The test did not release the picture.")
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
