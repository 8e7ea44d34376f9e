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

    func recognise(prefix: [UInt8]) -> RecognisedMedia? { media.recognise(prefix: prefix) }

    func frame(
        _ index: Int, of kind: JobSource.Kind, path: String, as format: FrameFormat
    ) throws(MediaServiceError) -> [UInt8] {
        started.signal()
        guard released.wait(timeout: .now() + Self.patience) == .success else {
            throw MediaServiceError(.unavailable, "The test did not release the frame.")
        }
        return try media.frame(index, of: kind, path: path, as: format)
    }

    func trackability(
        of boxes: [PixelBox], on picture: StillPicture
    ) throws(MediaServiceError) -> PictureTrackability {
        started.signal()
        guard released.wait(timeout: .now() + Self.patience) == .success else {
            throw MediaServiceError(.unavailable, "The test did not release the picture.")
        }
        return try media.trackability(of: boxes, on: picture)
    }
}
