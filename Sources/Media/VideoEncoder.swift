import CVBridge
import Glibc
import LucasKanade

/// Writes a video file of BGR frames: MP4 with H.264 (its index first, 4:2:0, so that a browser plays it), or AVI with
/// Motion JPEG.
///
/// The file appears at its path when ``finish()`` returns, not before; without that nothing stays behind. Used by one
/// thread at a time. An odd width or height is padded by one column or row that repeats the last.
///
/// `@unchecked Sendable`: all its state belongs to the one thread that uses it; who hands it on synchronises.
public final class VideoEncoder: @unchecked Sendable {
    private let path: String
    private let container: VideoContainer
    private let size: (width: Int, height: Int)
    private let frameRate: Double
    /// What the encoder writes; the final file is made from it.
    private let draft: String
    private var writer: OpaquePointer?
    private var times: [Double] = []

    /// The rates that every encoder takes.
    private static let frameRates = 0.1...1000.0

    /// Starts a file. `container` is ``VideoContainer/mp4`` or ``VideoContainer/avi``; `frameRate` is brought into
    /// 0.1...1000. Throws ``MediaError/Code/cannotWrite``.
    public init(
        path: String, container: VideoContainer, width: Int, height: Int, frameRate: Double
    ) throws(MediaError) {
        guard container != .matroska else {
            throw MediaError(.cannotWrite, "a video is written as MP4 or AVI, not as Matroska")
        }
        guard let sides = FrameLayout(width: width, height: height, color: true) else {
            throw MediaError(.cannotWrite, "a video cannot be \(width)x\(height)")
        }
        // The finished file takes the path's place at the end.
        var present = stat()
        guard stat(path, &present) != 0 || present.st_mode & S_IFMT == S_IFREG else {
            throw MediaError(.cannotWrite, "cannot write \(path): it is not a file, as a video has to be")
        }
        self.path = path
        self.container = container
        size = (sides.width, sides.height)
        let rate = frameRate.isFinite ? frameRate : Self.frameRates.lowerBound
        self.frameRate = min(max(rate, Self.frameRates.lowerBound), Self.frameRates.upperBound)
        draft = "\(path).draft.\(container.rawValue)"
        try Self.create(draft, for: path)
        var opened: OpaquePointer?
        do {
            try Bridge.check("cannot write \(path)", code: .cannotWrite) {
                cvb_writer_open(draft, self.frameRate, Int32(sides.width), Int32(sides.height), &opened, $0)
            }
        } catch {
            unlink(draft)
            throw error
        }
        writer = opened
    }

    deinit { abort() }

    /// Makes an empty file: where that cannot be, the system says why.
    private static func create(_ draft: String, for path: String) throws(MediaError) {
        let number = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard number >= 0 else { throw MediaError.system("cannot write \(path)", .cannotWrite) }
        close(number)
    }

    /// Adds a frame. `time` is when it is shown, in seconds from any origin, rising: MP4 keeps it, so a source with a
    /// variable frame rate stays in step; AVI, and frames without a time, go by the frame rate.
    public func append(_ frame: Image, time: Double? = nil) throws(MediaError) {
        guard let writer else { throw MediaError(.cannotWrite, "the video \(path) is finished already") }
        guard frame.width == size.width, frame.height == size.height, frame.channels == 3 else {
            throw MediaError(
                .cannotWrite,
                "a frame of the video must be BGR and \(size.width)x\(size.height), not \(frame.width)x\(frame.height)")
        }
        try Bridge.check("cannot write \(path)", code: .cannotWrite) { error in
            frame.withView { cvb_writer_append(writer, $0, error) }
        }
        let expected = times.last.map { $0 + 1 / frameRate } ?? 0
        times.append(time.flatMap { $0.isFinite ? $0 : nil } ?? expected)
    }

    /// The size of the file so far, in bytes: what the encoder holds back is not in it. As much again is needed for a
    /// while when it is finished.
    public var bytesWritten: Int64 {
        var status = stat()
        return stat(writer == nil ? path : draft, &status) == 0 ? Int64(status.st_size) : 0
    }

    /// Completes the file and moves it into place.
    public func finish() throws(MediaError) {
        guard let writer else { throw MediaError(.cannotWrite, "the video \(path) is finished already") }
        self.writer = nil
        cvb_writer_close(writer)
        let complete = "\(path).complete.\(container.rawValue)"
        defer {
            unlink(draft)
            unlink(complete)
        }
        guard !times.isEmpty else { throw MediaError(.cannotWrite, "the video \(path) has no frame") }
        try Bridge.check("cannot write \(path)", code: .cannotWrite) {
            cvb_remux(draft, complete, container.rawValue, times, times.count, $0)
        }
        guard rename(complete, path) == 0 else { throw MediaError.system("cannot write \(path)", .cannotWrite) }
    }

    /// Drops what was written.
    public func abort() {
        guard let writer else { return }
        self.writer = nil
        cvb_writer_close(writer)
        unlink(draft)
    }
}
