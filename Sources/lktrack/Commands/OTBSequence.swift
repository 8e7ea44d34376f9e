import Foundation
import Jobs
import Tracking

/// A folder of the Online Tracking Benchmark: `img/` and one ground truth a target (`groundtruth_rect.txt`, or
/// `groundtruth_rect.1.txt`, `.2.txt` … where there are several).
struct OTBSequence {
    struct Target {
        let name: String
        /// A box a frame; `nil` where a line holds none.
        let truth: [Box?]
        let firstBox: Box
    }

    let name: String
    let path: String
    let targets: [Target]

    init(path: String) throws(CommandFailure) {
        self.path = path
        let folder = URL(fileURLWithPath: path)
        name = folder.standardizedFileURL.lastPathComponent
        let files: [String]
        do {
            files = try FileManager.default.contentsOfDirectory(atPath: path)
        } catch {
            throw CommandFailure(.noInput, "\(path): no such folder, or it cannot be read")
        }
        let truths = files.filter { $0.hasPrefix("groundtruth_rect") && $0.hasSuffix(".txt") }.sorted()
        guard !truths.isEmpty else {
            throw CommandFailure(
                .noInput, "\(path): no groundtruth_rect.txt; an OTB folder holds img/ and a line x,y,w,h a frame")
        }
        var targets: [Target] = []
        for file in truths {
            targets.append(
                try Self.target(
                    file: folder.appendingPathComponent(file).path, sequence: name,
                    number: truths.count > 1 ? targets.count + 1 : nil))
        }
        self.targets = targets
    }

    private static func target(file: String, sequence: String, number: Int?) throws(CommandFailure) -> Target {
        guard let text = try? String(contentsOfFile: file, encoding: .utf8) else {
            throw CommandFailure(.noInput, "\(file): cannot be read")
        }
        do {
            let truth = try GroundTruth.parse(text)
            guard let first = truth.first ?? nil else {
                throw CommandFailure(.dataError, "\(file): the first line holds no box")
            }
            return Target(name: number.map { "\(sequence)-\($0)" } ?? sequence, truth: truth, firstBox: first)
        } catch let failure as CommandFailure {
            throw failure
        } catch {
            throw CommandFailure(.dataError, "\(file): \((error as? TrackingError)?.message ?? "\(error)")")
        }
    }
}
