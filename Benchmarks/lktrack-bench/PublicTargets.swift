import Foundation
import Synchronization
import Tracking

/// The public sequences, decoded once, and what settings of our tracker reach on them.
///
/// Besides the one pass from the first frame that `lktrack eval` makes, each target is followed from five later frames,
/// and backwards from five (compare the temporal robustness evaluation of Wu, Lim & Yang, CVPR 2013): a single pass hangs
/// on single moments, in which any change of a parameter may tip a target either way.
struct PublicTargets {
    private struct Target {
        let pictures: [Footage.Picture]
        let truth: [Box?]
    }

    /// One target over a part of its sequence.
    private struct Run {
        let target: Int
        let start: Int
        let isBackwards: Bool
    }

    let names: [String]
    private let targets: [Target]
    private let runs: [Run]

    /// Shorter runs say nothing.
    private static let leastFrames = 20
    private static let laterStarts = 5

    init(in folder: URL) throws {
        var (names, targets): ([String], [Target]) = ([], [])
        for sequence in try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() {
            let path = folder.appendingPathComponent(sequence)
            let footage = try Footage(decoding: .folder(path: path.path))
            for (name, truth) in try Self.truths(in: path) {
                names.append(name)
                targets.append(Target(pictures: footage.pictures, truth: Array(truth.prefix(footage.pictures.count))))
            }
        }
        (self.names, self.targets) = (names, targets)
        runs = targets.indices.flatMap { Self.runs(of: $0, truth: targets[$0].truth) }
    }

    /// The one pass comes first.
    private static func runs(of target: Int, truth: [Box?]) -> [Run] {
        let forwards = (0...laterStarts).map {
            Run(target: target, start: truth.count * $0 / (laterStarts + 2), isBackwards: false)
        }
        let backwards = (0..<laterStarts).map {
            Run(target: target, start: truth.count * $0 / (laterStarts + 1), isBackwards: true)
        }
        return (forwards + backwards).compactMap { run in
            let ordered = run.isBackwards ? truth.reversed() : truth
            // A truth that is missing, or under the size a box must have, is passed over.
            let start = ordered.indices.dropFirst(run.start).first {
                min(ordered[$0]?.width ?? 0, ordered[$0]?.height ?? 0) >= TargetRequest.smallestSide
            }
            guard let start, ordered.count - start > leastFrames else { return nil }
            return Run(target: target, start: start, isBackwards: run.isBackwards)
        }
    }

    /// The ground truths of an OTB folder (Jogging has two), each with the target's name.
    static func truths(in folder: URL) throws -> [(String, [Box?])] {
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path)
            .filter { $0.hasPrefix("groundtruth_rect") && $0.hasSuffix(".txt") }.sorted()
        return try files.enumerated().map { index, file in
            let text = try String(contentsOf: folder.appendingPathComponent(file), encoding: .utf8)
            let name = folder.lastPathComponent + (files.count > 1 ? "-\(index + 1)" : "")
            return (name, try GroundTruth.parse(text))
        }
    }

    /// Success AUC under one setting.
    struct Success {
        /// Of each target, from the first frame.
        let onePass: [Double]
        /// Of each target, over all runs.
        let allRuns: [Double]
    }

    /// Settings are shared among the processors.
    func success(of settings: [TrackerOptions]) throws -> [Success] {
        let results = Mutex<[Result<Success, Error>?]>(Array(repeating: nil, count: settings.count))
        DispatchQueue.concurrentPerform(iterations: settings.count) { index in
            let result = Result { try success(of: settings[index]) }
            results.withLock { $0[index] = result }
        }
        return try results.withLock { try $0.map { try $0!.get() } }
    }

    private func success(of options: TrackerOptions) throws -> Success {
        let values = try runs.map { (target: $0.target, success: try success(of: options, on: $0)) }
        let ofTargets = targets.indices.map { target in values.filter { $0.target == target }.map(\.success) }
        return Success(onePass: ofTargets.map { $0.first ?? 0 }, allRuns: ofTargets.map(\.mean))
    }

    private func success(of options: TrackerOptions, on run: Run) throws -> Double {
        let target = targets[run.target]
        let order = Array(run.isBackwards ? target.truth.indices.reversed() : Array(target.truth.indices))
            .dropFirst(run.start)
        guard let first = order.first, let box = target.truth[first] else { return 0 }
        var session = try TrackingSession(targets: [TargetRequest(id: "target", box: box)], options: options)
        var boxes: [Box?] = []
        for (number, index) in order.enumerated() {
            let picture = target.pictures[index]
            let estimates = try session.process(gray: picture.gray, color: picture.color, frame: number)
            boxes.append(estimates[0]?.box)
        }
        return OTBScore(results: boxes, truth: order.map { target.truth[$0] }).successAUC
    }
}

extension [Double] {
    var mean: Double { isEmpty ? 0 : reduce(0, +) / Double(count) }
}
