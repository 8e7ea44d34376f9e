import CVBridge

/// The frames of a video, timed by the container.
///
/// The container's index, read before, says which time stamps there are; a frame takes the next one, or a later one
/// where its own stamp says that frames in between could not be decoded (a damaged packet, pictures before the first
/// key frame). Frames are counted as they are decoded: they have no gaps.
final class VideoPictures: PictureSource {
    private(set) var info: SourceInfo

    private let input: Descriptor
    private let index: ContainerIndex
    private let video: OpaquePointer
    private let heartbeat: Heartbeat
    /// How many frames were grabbed, and the last one's place in the index.
    private var grabbed = 0
    private var place = -1

    init(
        _ input: Descriptor, container: VideoContainer, limits: DecodeLimits, heartbeat: Heartbeat
    ) throws(MediaError) {
        self.input = input
        self.heartbeat = heartbeat
        let index = try ContainerIndex(input, container: container, limits: limits, heartbeat: heartbeat)
        guard index.count > 0 else {
            throw index.truncation(at: 0) ?? MediaError(.noFrames, "the video holds no frame")
        }
        var opened: OpaquePointer?
        try Bridge.check("the video cannot be decoded") {
            cvb_video_open(input.number, container.demuxer, Int64(limits.pixels), index.orientation, &opened, $0)
        }
        guard let opened else { throw MediaError(.system, "the video cannot be opened") }
        self.index = index
        video = opened
        info = index.info
        guard try grab() else {
            throw index.truncation(at: 0)
                ?? MediaError(.undecodable, "none of the video's \(index.count) frames can be decoded")
        }
        (info.width, info.height) = size
        try Bridge.check("frame 0 cannot be converted", frame: 0) { cvb_video_is_color(video, &info.isColor, $0) }
    }

    deinit { cvb_video_close(video) }

    func load(_ number: Int) throws(MediaError) -> Int64? {
        while grabbed <= number {
            guard try grab() else {
                // What follows a change of size may be larger than the limit and is not decoded then.
                if index.resizedFrame != nil { throw resized(grabbed) }
                if let truncation = index.truncation(at: grabbed) { throw truncation }
                return nil
            }
            heartbeat.beat()
        }
        if let first = index.resizedFrame, place >= first { throw resized(number) }
        guard size == (info.width, info.height) else { throw resized(number) }
        return index.stamp(place)
    }

    func write(to base: UnsafeMutableRawPointer, layout: FrameLayout) throws(MediaError) {
        let (gray, color) = layout.views(base)
        try Bridge.check("frame \(grabbed - 1) cannot be converted", frame: grabbed - 1) {
            cvb_video_write(video, gray, color, $0)
        }
    }

    private var size: (Int, Int) { (Int(cvb_video_width(video)), Int(cvb_video_height(video))) }

    private func resized(_ number: Int) -> MediaError {
        MediaError(.sizeChanged, "frame \(number) has another size than the first", frame: number)
    }

    /// Decodes the next frame. `false` after the last one of the index.
    private func grab() throws(MediaError) -> Bool {
        guard place + 1 < index.count,
            try Bridge.check("the video cannot be decoded", { cvb_video_grab(video, $0) })
        else { return false }
        var stamp: Int64 = 0
        let hasStamp = cvb_video_stamp(video, &stamp)
        place = index.place(after: place, stamp: hasStamp ? stamp : nil)
        grabbed += 1
        return true
    }
}

/// What the container says of a video's frames.
final class ContainerIndex {
    private let handle: OpaquePointer
    private let content: cvb_index_info

    init(
        _ input: Descriptor, container: VideoContainer, limits: DecodeLimits, heartbeat: Heartbeat
    ) throws(MediaError) {
        var opened: OpaquePointer?
        let context = Unmanaged.passUnretained(heartbeat)
        try Bridge.check("the video cannot be read") { error in
            cvb_index_open(
                input.number, container.demuxer, limits.frames, Int64(limits.pixels),
                { context in
                    guard let context else { return }
                    Unmanaged<Heartbeat>.fromOpaque(context).takeUnretainedValue().beat()
                }, context.toOpaque(), &opened, error)
        }
        guard let opened else { throw MediaError(.system, "the video cannot be read") }
        handle = opened
        content = cvb_index_get(opened)
    }

    deinit { cvb_index_close(handle) }

    var count: Int { content.count }
    var orientation: cvb_orientation { content.orientation }
    var resizedFrame: Int? { content.resized_frame >= 0 ? Int(content.resized_frame) : nil }

    /// What is wrong with a video of which the end is missing, as an error in the first frame that is not there.
    func truncation(at frame: Int) -> MediaError? {
        guard content.truncated else { return nil }
        let declared = content.declared_frames > count ? " of \(content.declared_frames)" : ""
        return MediaError(
            .undecodable,
            "the video is cut off: \(count)\(declared) frames can be read; copy or upload it again, and completely",
            frame: frame)
    }

    func stamp(_ place: Int) -> Int64 { content.stamps[place] }

    /// The place of the frame that follows `previous`. Where its stamp is exactly that of a later frame, the ones between
    /// were lost.
    func place(after previous: Int, stamp: Int64?) -> Int {
        let expected = previous + 1
        guard content.has_presentation_stamps, let stamp, stamp > self.stamp(expected) else { return expected }
        let place = firstPlace(from: stamp, after: expected)
        return place < count && self.stamp(place) == stamp ? place : expected
    }

    /// The first place after `lowest` whose stamp is not before `stamp`; ``count`` where there is none.
    private func firstPlace(from stamp: Int64, after lowest: Int) -> Int {
        var low = lowest
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if self.stamp(middle) < stamp { low = middle + 1 } else { high = middle }
        }
        return low
    }

    private var secondsPerUnit: Double {
        guard content.time_base_denominator > 0 else { return 0 }
        return Double(content.time_base_numerator) / Double(content.time_base_denominator)
    }

    var info: SourceInfo {
        SourceInfo(
            width: Int(content.width), height: Int(content.height), frameCount: count, frameRate: frameRate,
            timeBase: SourceInfo.Rational(content.time_base_numerator, content.time_base_denominator),
            codec: String(cString: content.codec), isColor: false)
    }

    /// The container's average where it agrees with the time stamps (which are rounded, so they are the worse number),
    /// else theirs.
    private var frameRate: Double {
        let named = Double(content.rate_numerator) / Double(content.rate_denominator)
        let isNamed = named.isFinite && named > 0
        let span = count > 1 ? Double(stamp(count - 1)) - Double(stamp(0)) : 0
        guard span > 0, secondsPerUnit > 0 else { return isNamed ? named : Self.nominalRate }
        let measured = Double(count - 1) / (span * secondsPerUnit)
        return isNamed && abs(named / measured - 1) < Self.rateTolerance ? named : measured
    }

    /// For a single frame without a rate.
    private static let nominalRate = 30.0
    private static let rateTolerance = 0.02
}
