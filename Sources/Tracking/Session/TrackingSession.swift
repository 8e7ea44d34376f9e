import LucasKanade

/// Follows several targets over a stream of frames.
///
/// A value without hidden state: the same frames give the same estimates, and a target's estimates do not depend on
/// which other targets there are. The cost is linear in the number of targets.
public struct TrackingSession: Sendable {
    private let options: TrackerOptions
    private let preprocessor: FramePreprocessor
    private var targets: [TrackedTarget]
    private var size: FrameSize?
    private var lastFrame: Int?

    private struct FrameSize: Hashable {
        var width, height: Int
    }

    /// - Throws: ``TrackingError`` naming the target and keyframe, or the option, that cannot be used.
    public init(targets: [TargetRequest], options: TrackerOptions = TrackerOptions()) throws(TrackingError) {
        try options.validate()
        try TargetValidation.check(targets, mode: options.mode)
        self.options = options
        preprocessor = FramePreprocessor(options)
        self.targets = targets.map(TrackedTarget.init)
    }

    /// Whether ``process(gray:color:frame:)`` looks at colours.
    public var needsColor: Bool { options.mode.needsColor }

    /// Finds every target in the next frame.
    ///
    /// The first call checks every box, of later keyframes too, against the frame's size.
    ///
    /// - Parameters:
    ///   - gray: the frame, 1 channel.
    ///   - color: the same frame in colour, 3 channels; may be `nil` where ``needsColor`` is `false`. Of a frame without
    ///     colours each channel is the grey one.
    ///   - frame: its number, at least 0 and above that of the call before; numbers may be left out.
    /// - Returns: an estimate for each target in the order they were given, `nil` before its start.
    /// - Throws: ``TrackingError`` with the frame's number where the frame does not fit, with the target's and the
    ///   keyframe's where a box has no overlap with the frame. Nothing has changed then.
    public mutating func process(
        gray: Image, color: Image?, frame: Int
    ) throws(TrackingError) -> [TargetEstimate?] {
        try checkColor(color, gray, frame)
        try checkFrame(gray, frame)
        let prepared = PreparedFrame(
            gray: preprocessor.apply(to: gray), color: color, workspace: AlignmentWorkspace())
        lastFrame = frame
        return targets.indices.map { targets[$0].process(prepared, frame: frame, options: options) }
    }

    private func checkColor(_ color: Image?, _ gray: Image, _ frame: Int) throws(TrackingError) {
        guard needsColor else { return }
        guard let color else {
            throw TrackingError(
                .invalidFrame,
                "frame \(frame) has no colour image, and mode \(options.mode.rawValue) looks at colours; of a grey frame, "
                    + "give it three times", frame: frame)
        }
        guard color.channels == 3, color.width == gray.width, color.height == gray.height else {
            throw TrackingError(
                .invalidFrame,
                "frame \(frame) has a colour image of \(color.width)×\(color.height) pixels and \(color.channels) "
                    + "channels; it must have 3 and the grey one's size, \(gray.width)×\(gray.height)", frame: frame)
        }
    }

    private mutating func checkFrame(_ gray: Image, _ frame: Int) throws(TrackingError) {
        guard gray.channels == 1 else {
            throw TrackingError(.invalidFrame, "frame \(frame) is not grey", frame: frame)
        }
        guard frame > lastFrame ?? -1 else {
            let expected = lastFrame.map { "a frame after \($0)" } ?? "a frame from 0 on"
            throw TrackingError(.invalidFrame, "frame \(frame) came where \(expected) was due", frame: frame)
        }
        let found = FrameSize(width: gray.width, height: gray.height)
        if let size {
            guard found == size else {
                throw TrackingError(
                    .invalidFrame,
                    "frame \(frame) has \(found.width)×\(found.height) pixels, the first \(size.width)×\(size.height)",
                    frame: frame)
            }
        } else {
            try TargetValidation.check(targets.map(\.request), width: gray.width, height: gray.height)
            size = found
        }
    }
}

/// One target of a session and its tracker, once it has started.
private struct TrackedTarget: Sendable {
    let request: TargetRequest
    private var tracker: (any TargetTracker)?
    /// Boxes not used yet, ordered by frame; the first is the start's.
    private var pending: ArraySlice<TargetRequest.Keyframe>

    init(_ request: TargetRequest) {
        self.request = request
        pending = ([.init(frame: request.startFrame, box: request.box)] + request.keyframes)[...]
    }

    mutating func process(_ prepared: PreparedFrame, frame: Int, options: TrackerOptions) -> TargetEstimate? {
        var due: TargetRequest.Keyframe?
        while let next = pending.first, next.frame <= frame { due = pending.removeFirst() }
        if let due {
            let started = options.makeTracker(box: due.box, points: request.points(in: due.box), in: prepared)
            tracker = started
            var estimate = TargetEstimate(given: due.box)
            estimate.points = started.pointEstimates
            return estimate
        }
        return tracker?.track(prepared)
    }
}

extension TargetEstimate {
    /// The estimate of a frame in which the box was given.
    init(given box: Box) {
        self.init(
            box: box, quad: box.quad, affine: .identity, state: .tracked, confidence: 1, zncc: 1, residual: 0,
            iterations: 0, isKeyframe: true)
    }
}
