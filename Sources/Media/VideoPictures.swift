import CVBridge

/// The frames of a video: decoded by OpenCV, timed by the container.
///
/// OpenCV 4.6 tells a frame's position, but not its time stamp, and derives frame numbers from an average rate. So the
/// container's index, read before, says which time stamps there are; a frame takes the next one, or a later one
/// where its position says that frames in between could not be decoded (a damaged packet, pictures before the first
/// key frame). Frames are counted as they are decoded: they have no gaps.
final class VideoPictures: PictureSource {
    let picture: Picture
    private(set) var info: SourceInfo

    private let input: Descriptor
    private let index: ContainerIndex
    private let video: OpaquePointer
    private let heartbeat: Heartbeat
    /// How many frames were grabbed, and the last one's place in the index.
    private var grabbed = 0
    private var place = -1
    /// The frame that ``picture`` holds.
    private var loaded = -1

    init(
        _ input: Descriptor, container: VideoContainer, limits: DecodeLimits, heartbeat: Heartbeat
    ) throws(MediaError) {
        self.input = input
        self.heartbeat = heartbeat
        let path = "/proc/self/fd/\(input.number)"
        index = try ContainerIndex(path: path, container: container, limits: limits, heartbeat: heartbeat)
        guard index.count > 0 else {
            throw index.truncation(at: 0) ?? MediaError(.noFrames, "the video holds no frame")
        }
        picture = try Picture()
        var opened: OpaquePointer?
        try Bridge.check("the video cannot be decoded") { cvb_video_open(path, container.demuxer, &opened, $0) }
        guard let opened else { throw MediaError(.system, "the video cannot be opened") }
        video = opened
        info = index.info
        guard try load(0) != nil else {
            throw MediaError(.undecodable, "none of the video's \(index.count) frames can be decoded")
        }
        info.width = picture.width
        info.height = picture.height
        info.isColor = picture.isColor
    }

    deinit { cvb_video_close(video) }

    func load(_ number: Int) throws(MediaError) -> Int64? {
        while grabbed <= number {
            guard try grab() else {
                if let truncation = index.truncation(at: grabbed) { throw truncation }
                return nil
            }
            heartbeat.beat()
        }
        if loaded != number {
            if let resized = index.resizedFrame, place >= resized {
                throw MediaError(.sizeChanged, "frame \(number) has another size than the first", frame: number)
            }
            try Bridge.check("frame \(number) cannot be decoded", frame: number) {
                cvb_video_retrieve(video, index.orientation, picture.handle, $0)
            }
            if loaded >= 0, picture.width != info.width || picture.height != info.height {
                throw MediaError(.sizeChanged, "frame \(number) has another size than the first", frame: number)
            }
            loaded = number
        }
        return index.stamp(place)
    }

    /// Decodes the next frame. A damaged packet ends OpenCV's call, not the video: as many are skipped as the index has
    /// frames left.
    private func grab() throws(MediaError) -> Bool {
        while place + 1 < index.count {
            for _ in place..<index.count {
                guard try Bridge.check("the video cannot be decoded", { cvb_video_grab(video, $0) }) else { continue }
                place = index.place(after: place, position: cvb_video_position(video))
                grabbed += 1
                return true
            }
            return false
        }
        return false
    }
}

/// What the container says of a video's frames.
final class ContainerIndex {
    private let handle: OpaquePointer
    private let content: cvb_index_info

    init(
        path: String, container: VideoContainer, limits: DecodeLimits, heartbeat: Heartbeat
    ) throws(MediaError) {
        var opened: OpaquePointer?
        let context = Unmanaged.passUnretained(heartbeat)
        try Bridge.check("the video cannot be read") { error in
            cvb_index_open(
                path, container.demuxer, limits.frames, Int64(limits.pixels),
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

    /// The place of the frame that follows `previous`. OpenCV gives a position in milliseconds from the start; where it
    /// is exactly that of a later frame, the ones between were lost.
    func place(after previous: Int, position: Double) -> Int {
        let expected = previous + 1
        guard content.has_presentation_stamps, position.isFinite, secondsPerUnit > 0 else { return expected }
        let units = (position / 1000 / secondsPerUnit).rounded()
        guard let offset = Int64(exactly: units) else { return expected }
        let (stamp, overflow) = offset.addingReportingOverflow(content.start_stamp)
        guard !overflow, stamp > self.stamp(expected) else { return expected }
        // OpenCV takes a stamp of 0 for none and gives the position of whatever was read last.
        if self.stamp(expected) <= 0, stamp > 0 { return expected }
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
