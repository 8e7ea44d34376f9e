import Foundation
import Synchronization
import Tracking

/// The public sequences, decoded once, and what settings of our tracker reach on them.
struct PublicTargets {
    private struct Target {
        let pictures: [Footage.Picture]
        let box: Box
        let truth: [Box?]
    }

    let names: [String]
    private let targets: [Target]

    init(in folder: URL) throws {
        var (names, targets): ([String], [Target]) = ([], [])
        for sequence in try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() {
            let path = folder.appendingPathComponent(sequence)
            let footage = try Footage(decoding: .folder(path: path.path))
            for (name, truth) in try Self.truths(in: path) {
                guard let box = truth.first ?? nil else { throw BenchError("\(name): the first frame has no truth") }
                names.append(name)
                targets.append(Target(pictures: footage.pictures, box: box, truth: truth))
            }
        }
        (self.names, self.targets) = (names, targets)
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

    /// Success AUC of every target under every setting; settings are shared among the processors.
    func success(of settings: [TrackerOptions]) throws -> [[Double]] {
        let results = Mutex<[Result<[Double], Error>?]>(Array(repeating: nil, count: settings.count))
        DispatchQueue.concurrentPerform(iterations: settings.count) { index in
            let result = Result { try targets.map { try Self.success(of: settings[index], on: $0) } }
            results.withLock { $0[index] = result }
        }
        return try results.withLock { try $0.map { try $0!.get() } }
    }

    private static func success(of options: TrackerOptions, on target: Target) throws -> Double {
        var session = try TrackingSession(
            targets: [TargetRequest(id: "target", box: target.box)], options: options)
        var boxes: [Box?] = []
        for (index, picture) in target.pictures.enumerated() {
            let estimates = try session.process(gray: picture.gray, color: picture.color, frame: index)
            boxes.append(estimates[0]?.box)
        }
        return OTBScore(results: boxes, truth: target.truth).successAUC
    }
}

extension [Double] {
    var mean: Double { isEmpty ? 0 : reduce(0, +) / Double(count) }
}
