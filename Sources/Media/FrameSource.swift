import LucasKanade

/// One decoded frame. It may hold a slot of a decoder's ring until its images are gone: take what is needed, then let
/// it go, or the decoder cannot run ahead.
public struct Frame: Sendable {
    /// Counts from 0 in the source, skipped frames included.
    public var index: Int
    /// The container's presentation time stamp in units of ``SourceInfo/timeBase``; the index for images.
    public var pts: Int64
    /// `pts` in seconds.
    public var time: Double
    public var gray: Image
    /// Where colour was asked for: BGR (grey repeated where the source has none).
    public var color: Image?

    public init(index: Int, pts: Int64, time: Double, gray: Image, color: Image?) {
        self.index = index
        self.pts = pts
        self.time = time
        self.gray = gray
        self.color = color
    }
}

/// What a decoder found when it opened the source.
public struct SourceInfo: Hashable, Sendable {
    /// As displayed: a rotated phone video is turned already.
    public var width, height: Int
    /// In all, before `start`, `stop` and `step`, as the container has them; `nil` where it does not tell. A damaged
    /// video may give fewer.
    public var frameCount: Int?
    /// Average frames a second; images have a nominal 30.
    public var frameRate: Double
    /// Seconds a unit of `pts`: numerator and denominator.
    public var timeBase: Rational
    /// `h264`, `mpeg4`, `png`, `jpeg` …
    public var codec: String
    /// Whether any of the first frame's pixels is not grey.
    public var isColor: Bool

    public struct Rational: Hashable, Sendable {
        public var numerator, denominator: Int64
        public init(_ numerator: Int64, _ denominator: Int64) {
            self.numerator = numerator
            self.denominator = denominator
        }
    }

    public init(
        width: Int, height: Int, frameCount: Int?, frameRate: Double, timeBase: Rational, codec: String, isColor: Bool
    ) {
        self.width = width
        self.height = height
        self.frameCount = frameCount
        self.frameRate = frameRate
        self.timeBase = timeBase
        self.codec = codec
        self.isColor = isColor
    }
}

/// Frames of a video or an image sequence, in order. Calls block; used by one thread at a time but for ``cancel()``.
public protocol FrameSource: AnyObject, Sendable {
    var info: SourceInfo { get }
    /// The next frame, `nil` after the last.
    func next() throws(MediaError) -> Frame?
    /// Makes a blocked or later ``next()`` throw ``MediaError/Code/canceled``. From any thread.
    func cancel()
}

/// What to decode: always a local file or folder.
public enum MediaInput: Hashable, Sendable {
    /// A video container.
    case video(path: String)
    /// A zip or tar of images, used in the natural order of their names.
    case archive(path: String)
    /// A folder of images, used in the natural order of their names (`img/` inside it where there is one: OTB).
    case folder(path: String)
    /// A single image: one frame.
    case image(path: String)
}

/// Which frames, in which form.
public struct DecodeRequest: Hashable, Sendable {
    public var start: Int
    /// The first frame left out; `nil`: to the end.
    public var stop: Int?
    public var step: Int
    /// Whether ``Frame/color`` is wanted.
    public var color: Bool
    public var limits: DecodeLimits

    public init(start: Int = 0, stop: Int? = nil, step: Int = 1, color: Bool = false, limits: DecodeLimits = .init()) {
        self.start = start
        self.stop = stop
        self.step = step
        self.color = color
        self.limits = limits
    }
}

/// What a source may ask of the machine. A source that passes one fails with ``MediaError/Code/limitExceeded``.
public struct DecodeLimits: Hashable, Sendable {
    /// Width × height of a frame.
    public var pixels: Int
    /// In the whole source, whatever range of it is decoded.
    public var frames: Int
    /// Wall-clock seconds without a sign of life after which a decoder that is waited for counts as hung. Frames are
    /// such signs, and, up to the next frame, word that it goes on reading the container, decoding frames that are left
    /// out, or unpacking an archive. How long a frame may take in all is bounded by ``seconds`` alone.
    public var stallSeconds: Double
    /// Unpacked bytes of an archive; those of more than 64 MiB may also not unpack to more than 100 times their size.
    public var archiveBytes: Int64
    /// Free space of the disk that unpacking leaves alone: an archive that would take it fails with
    /// ``MediaError/Code/storageFull``. 0: none.
    public var diskFloorBytes: Int64
    /// Address space of a decoder process, its libraries included. Less than 400 MiB is not enough to start.
    public var memoryBytes: Int
    /// Wall-clock seconds from a decoder's start to its end. On each core that it can use it may compute as long.
    public var seconds: Double

    public init(
        pixels: Int = 3840 * 2160 * 2, frames: Int = 1_000_000, stallSeconds: Double = 30,
        archiveBytes: Int64 = 8 << 30, diskFloorBytes: Int64 = 0, memoryBytes: Int = 2 << 30, seconds: Double = 21_600
    ) {
        self.pixels = pixels
        self.frames = frames
        self.stallSeconds = stallSeconds
        self.archiveBytes = archiveBytes
        self.diskFloorBytes = diskFloorBytes
        self.memoryBytes = memoryBytes
        self.seconds = seconds
    }
}
