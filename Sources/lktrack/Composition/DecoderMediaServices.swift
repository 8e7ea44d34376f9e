import Dispatch
import Jobs
import Media
import TrackingAPI

/// What the API needs of media: sniffing, and single frames out of a decoder process.
struct DecoderMediaServices: MediaServices {
    let limits: DecodeLimits
    let decoder: DecoderCommand
    /// The longest that somebody who waits for a picture is kept, in seconds: less than a job's decoder may take. A frame is
    /// found by decoding all before it, so that one far into a long video cannot be had this way.
    var mostSeconds = 60.0

    /// How soon a decoder ends that nobody waits for.
    private static let lookInterval = DispatchTimeInterval.milliseconds(250)
    /// Its own, because the global ones have no thread to spare where others block theirs.
    private static let queue = DispatchQueue(label: "lktrack.awaited-pictures")

    func recognise(prefix: [UInt8]) -> RecognisedMedia? {
        switch SourceFormat.recognise(prefix) {
        case .video(.mp4): RecognisedMedia(.video, mediaType: "video/mp4", fileExtension: "mp4")
        case .video(.matroska): RecognisedMedia(.video, mediaType: "video/x-matroska", fileExtension: "mkv")
        case .video(.avi): RecognisedMedia(.video, mediaType: "video/x-msvideo", fileExtension: "avi")
        case .archive(.zip): RecognisedMedia(.archive, mediaType: "application/zip", fileExtension: "zip")
        case .archive(.tar): RecognisedMedia(.archive, mediaType: "application/x-tar", fileExtension: "tar")
        case .archive(.tarGzip): RecognisedMedia(.archive, mediaType: "application/gzip", fileExtension: "tar.gz")
        case .image(.jpeg): RecognisedMedia(.image, mediaType: "image/jpeg", fileExtension: "jpg")
        case .image(.png): RecognisedMedia(.image, mediaType: "image/png", fileExtension: "png")
        case .image(.bmp): RecognisedMedia(.image, mediaType: "image/bmp", fileExtension: "bmp")
        case .image(.webp): RecognisedMedia(.image, mediaType: "image/webp", fileExtension: "webp")
        case .image(.tiff): RecognisedMedia(.image, mediaType: "image/tiff", fileExtension: "tiff")
        case nil: nil
        }
    }

    func frame(
        _ index: Int, of kind: JobSource.Kind, path: String, as format: FrameFormat,
        isWanted: @escaping @Sendable () -> Bool
    ) throws(MediaServiceError) -> [UInt8] {
        let input: MediaInput = kind == .video ? .video(path: path) : .archive(path: path)
        return try decode(index, of: input, isWanted: isWanted) { frame, isColor in
            let image = isColor ? frame.color ?? frame.gray : frame.gray
            return switch format {
            case .png: try ImageCodec.png(image)
            case .jpeg: try ImageCodec.jpeg(image)
            }
        }
    }

    /// Makes something of a single frame.
    func decode<Result>(
        _ index: Int, of input: MediaInput, isWanted: @escaping @Sendable () -> Bool,
        _ body: (_ frame: Frame, _ isColor: Bool) throws -> Result
    ) throws(MediaServiceError) -> Result {
        let (past, overflows) = index.addingReportingOverflow(1)
        guard !overflows else { throw MediaServiceError(.frameNotFound, "there is no frame \(index)") }
        var limits = limits
        limits.seconds = min(limits.seconds, mostSeconds)
        let cancellation = MediaCancellation()
        let watch = Self.cancel(cancellation, unless: isWanted)
        defer { watch.cancel() }
        do {
            let decoder = try DecoderProcess.open(
                input, request: DecodeRequest(start: index, stop: past, color: true, limits: limits),
                command: self.decoder, cancellation: cancellation)
            defer { decoder.close() }
            guard let frame = try decoder.next() else {
                throw MediaServiceError(.frameNotFound, "the source has no frame \(index)")
            }
            return try body(frame, decoder.info.isColor)
        } catch let error as MediaServiceError {
            throw error
        } catch let error as MediaError {
            throw MediaServiceError(code(of: error.code), error.message)
        } catch {
            throw MediaServiceError(.unavailable, "the frame could not be decoded")
        }
    }

    /// Looks now and then whether a picture is wanted still, until what is returned is canceled.
    private static func cancel(
        _ cancellation: MediaCancellation, unless isWanted: @escaping @Sendable () -> Bool
    ) -> any DispatchSourceTimer {
        let timer = DispatchSource.makeTimerSource(queue: queue)
        timer.schedule(deadline: .now() + lookInterval, repeating: lookInterval)
        timer.setEventHandler { if !isWanted() { cancellation.cancel() } }
        timer.activate()
        return timer
    }

    private func code(of code: MediaError.Code) -> MediaServiceError.Code {
        switch code {
        case .canceled: .canceled
        case .decoderTimeout: .timedOut
        case .limitExceeded: .limitExceeded
        case .storageFull: .storageFull
        case .system: .unavailable
        case .notFound, .noFrames: .frameNotFound
        default: .undecodable
        }
    }
}
