import Media
import Tracking

/// What one target of a sequence scored, over all of its starts.
struct EvaluationRow {
    let name: String
    let score: OTBScore
    let refinding: RefindingScore
    let reliability: ReliabilityScore
    /// Of every frame, the first included.
    let times: FrameTimes
    /// Of the frames in which the target was looked for.
    let trackingTimes: FrameTimes
}

/// Runs the tracker over one OTB folder. Each target and each start has a session of its own; the frames are decoded
/// once.
struct SequenceEvaluation {
    let sequence: OTBSequence
    let options: TrackerOptions
    /// The first frame that is left out.
    let stop: Int?
    /// 1: one-pass evaluation; more: temporal robustness evaluation.
    let starts: Int

    /// A row for each target.
    func run() throws -> [EvaluationRow] {
        var runs: [[Run]] = []
        for target in sequence.targets { runs.append(try makeRuns(target)) }
        let source = try CommandMedia.open(
            .folder(path: sequence.path),
            DecodeRequest(stop: stop, color: options.mode.needsColor))
        var progress = ProgressBar()
        defer { progress.end() }
        let total = min(stop ?? .max, source.info.frameCount ?? .max)
        var done = 0
        while let frame = try CommandMedia.next(source) {
            for target in runs.indices {
                for start in runs[target].indices { try runs[target][start].process(frame) }
            }
            done += 1
            progress.show(done: done, of: total == .max ? nil : total)
        }
        return zip(sequence.targets, runs).map { target, runs in Self.row(target, runs: runs) }
    }

    private func makeRuns(_ target: OTBSequence.Target) throws(CommandFailure) -> [Run] {
        let count = min(target.truth.count, stop ?? .max)
        var runs: [Run] = []
        for first in Self.starts(starts, truth: target.truth.prefix(count)) {
            runs.append(try Run(target: target, start: first.frame, box: first.box, options: options))
        }
        return runs
    }

    /// `count` frames spread evenly from the first; where one has no truth, the next that has.
    static func starts(_ count: Int, truth: ArraySlice<Box?>) -> [(frame: Int, box: Box)] {
        var starts: [(frame: Int, box: Box)] = []
        for number in 0..<count {
            let rest = truth.dropFirst(number * truth.count / count)
            guard let frame = rest.firstIndex(where: { $0 != nil }), let box = rest[frame] else { continue }
            if frame > starts.last?.frame ?? -1 { starts.append((frame, box)) }
        }
        return starts
    }

    private static func row(_ target: OTBSequence.Target, runs: [Run]) -> EvaluationRow {
        let scored = runs.map { run in (run.estimates, Array(target.truth.dropFirst(run.start))) }
        return EvaluationRow(
            name: target.name,
            score: OTBScore(pooling: scored.map { OTBScore(results: $0.map { $0?.box }, truth: $1) }),
            refinding: scored.map { RefindingScore(estimates: $0, truth: $1) }.reduce(RefindingScore(), +),
            reliability: scored.map { ReliabilityScore(estimates: $0, truth: $1) }.reduce(ReliabilityScore(), +),
            times: FrameTimes(seconds: runs.flatMap(\.seconds)),
            trackingTimes: FrameTimes(seconds: runs.flatMap { $0.seconds.dropFirst() }))
    }
}

extension SequenceEvaluation {
    /// One start of one target.
    private struct Run {
        let target: OTBSequence.Target
        let start: Int
        var session: TrackingSession
        /// From `start` on.
        var estimates: [TargetEstimate?] = []
        var seconds: [Double] = []

        init(
            target: OTBSequence.Target, start: Int, box: Box, options: TrackerOptions
        ) throws(CommandFailure) {
            self.target = target
            self.start = start
            do {
                session = try TrackingSession(
                    targets: [TargetRequest(id: target.name, box: box, startFrame: start)], options: options)
            } catch {
                throw CommandFailure(.usage, "\(target.name): \(error.message)")
            }
        }

        mutating func process(_ frame: Frame) throws(CommandFailure) {
            guard frame.index >= start else { return }
            let before = ContinuousClock.now
            do {
                estimates += try session.process(gray: frame.gray, color: frame.color, frame: frame.index)
            } catch {
                throw CommandFailure(.dataError, "\(target.name), frame \(frame.index): \(error.message)")
            }
            seconds.append((ContinuousClock.now - before) / .seconds(1))
        }
    }
}
