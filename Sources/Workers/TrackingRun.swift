import Jobs
import LucasKanade
import Media
import Tracking

/// How far a run came.
public struct TrackingSummary: Hashable, Sendable {
    public var framesDone: Int
    /// Whether it was stopped before the end.
    public var wasStopped: Bool

    public init(framesDone: Int, wasStopped: Bool) {
        self.framesDone = framesDone
        self.wasStopped = wasStopped
    }
}

/// Follows a spec's targets through a source. Knows neither jobs nor stores: the command line uses it as it is.
public struct TrackingRun: Sendable {
    public let spec: JobSpec
    /// Which of the spec's targets are followed.
    private let followed: [Int]
    private let concurrency: Int
    private let niceness: Int32

    /// - Parameters:
    ///   - targets: indices of those that are followed; `nil`: all. Each one's results are the same whichever others are.
    ///   - concurrency: how many threads may follow targets at the same time; the results are the same for any number.
    ///   - niceness: how much further than the caller's thread the one that follows targets stands back, see
    ///     setpriority(2); with a concurrency of 1.
    public init(_ spec: JobSpec, targets: [Int]? = nil, concurrency: Int = 1, niceness: Int32 = 0) {
        self.spec = spec
        followed = targets ?? Array(spec.targets.indices)
        self.concurrency = concurrency
        self.niceness = niceness
    }

    /// Which frames the source must give, and whether in colour.
    ///
    /// - Parameter forDrawing: whether they are drawn on, which needs colours in every mode.
    public func decodeRequest(limits: DecodeLimits = DecodeLimits(), forDrawing: Bool = false) -> DecodeRequest {
        DecodeRequest(
            start: spec.startFrame, stop: spec.stopFrame, step: spec.frameStep,
            color: forDrawing || TrackerOptions(spec.tracker).mode.needsColor, limits: limits)
    }

    /// How many frames will be tracked; `nil` where the source does not tell.
    public func frameCount(in info: SourceInfo) -> Int? {
        guard let end = [spec.stopFrame, info.frameCount].compactMap({ $0 }).min(), info.frameCount != nil else {
            return nil
        }
        return end > spec.startFrame ? (end - spec.startFrame - 1) / spec.frameStep + 1 : 0
    }

    /// Tracks the source's frames to the end, or until it is stopped.
    ///
    /// - Parameters:
    ///   - source: opened with ``decodeRequest(limits:forDrawing:)``.
    ///   - shouldStop: asked before each frame.
    ///   - sink: takes a record for each frame, in order.
    /// - Throws: `MediaError`, `TrackingError`, what `sink` throws; ``JobFailure`` where a target's start or a keyframe
    ///   is past the end.
    public func track(
        _ source: some FrameSource, shouldStop: () -> Bool = { false }, sink: (FrameRecord) throws -> Void
    ) throws -> TrackingSummary {
        if let count = source.info.frameCount { try checkReached(end: count) }
        let groups = try TargetGroups(spec, followed: followed, concurrency: concurrency, niceness: niceness)
        var framesDone = 0
        var end = spec.startFrame
        while !shouldStop() {
            guard let frame = try source.next() else {
                if framesDone == 0 { throw noFrame }
                try checkReached(end: end)
                return TrackingSummary(framesDone: framesDone, wasStopped: false)
            }
            try sink(record(frame, try groups.process(frame)))
            framesDone += 1
            end = frame.index + spec.frameStep
        }
        return TrackingSummary(framesDone: framesDone, wasStopped: true)
    }

    private func record(_ frame: Frame, _ estimates: [TargetEstimate?]) -> FrameRecord {
        let targets = zip(followed, estimates).compactMap { target, estimate in
            estimate.map { TargetRecord(id: spec.targets[target].id, $0) }
        }
        return FrameRecord(frame: frame.index, pts: frame.pts, time: frame.time, targets: targets)
    }

    // MARK: What only the video can tell

    private var noFrame: JobFailure {
        JobFailure(
            code: .invalidSpec, message: "the source has no frame \(spec.startFrame)", frame: spec.startFrame,
            pointer: "#/start_frame")
    }

    /// Refuses boxes that were drawn in frames which the source has not.
    ///
    /// - Parameter end: the first frame that is not there.
    private func checkReached(end: Int) throws(JobFailure) {
        if spec.startFrame >= end { throw noFrame }
        for (index, target) in spec.targets.enumerated() {
            if target.startFrame >= end {
                throw pastTheEnd("the start_frame of target \"\(target.id)\"", end, "#/targets/\(index)/start_frame")
            }
            if let late = target.keyframes.firstIndex(where: { $0.frame >= end }) {
                throw pastTheEnd(
                    "keyframe \(target.keyframes[late].frame) of target \"\(target.id)\"", end,
                    "#/targets/\(index)/keyframes/\(late)/frame")
            }
        }
    }

    private func pastTheEnd(_ what: String, _ end: Int, _ pointer: String) -> JobFailure {
        JobFailure(
            code: .invalidSpec, message: "\(what) is past the end: the last frame is \(end - 1)", pointer: pointer)
    }
}
