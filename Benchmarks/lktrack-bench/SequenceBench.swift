import Foundation
import Tracking

/// Success, precision and speed of every tracker on the public sequences: the same decoded frames, one thread, all
/// trackers in turn within each repeat.
struct SequenceBench {
    private let options: BenchOptions
    private let competitors = Competitor.ours + Competitor.peers

    init(_ options: BenchOptions) { self.options = options }

    private struct Result {
        let target: String
        var scores: [Competitor: OTBScore] = [:]
        /// Of all frames, in seconds, a number for each repeat.
        var seconds: [Competitor: [Double]] = [:]
        var frames = 0
    }

    func run(_ report: inout BenchReport) throws {
        guard let data = options.data else { return report.skip("there are no sequences") }
        let folder = data.appendingPathComponent("sequences")
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
        var results: [Result] = []
        for name in names {
            let path = folder.appendingPathComponent(name)
            let footage = try Footage(decoding: .folder(path: path.path))
            for (target, truth) in try PublicTargets.truths(in: path) {
                results.append(try measure(footage, target: target, truth: truth))
            }
        }
        tables(of: results, &report)
        speeds(of: results, &report)
    }

    private func measure(_ footage: Footage, target: String, truth: [Box?]) throws -> Result {
        guard let box = truth.first ?? nil else { throw BenchError("\(target): the first frame has no truth") }
        var result = Result(target: target, frames: footage.pictures.count)
        for _ in 0..<options.repeats {
            for competitor in competitors {
                let run = try competitor.run(over: footage.pictures, box: box)
                result.scores[competitor] = OTBScore(results: run.boxes, truth: truth)
                result.seconds[competitor, default: []].append(run.seconds.reduce(0, +))
            }
        }
        return result
    }

    private func tables(of results: [Result], _ report: inout BenchReport) {
        let columns = results.map(\.target) + ["mean"]
        func table(_ title: String, _ value: (Result, Competitor) -> Double) {
            report.add(
                table: title, columns: columns,
                rows: competitors.map { competitor in
                    let values = results.map { value($0, competitor) }
                    return (competitor.name, values + [values.reduce(0, +) / Double(max(values.count, 1))])
                })
        }
        table("success AUC") { $0.scores[$1]?.successAUC ?? 0 }
        table("precision at 20 px") { $0.scores[$1]?.precision ?? 0 }
        table("frames a second, median") { result, competitor in
            let seconds = (result.seconds[competitor] ?? []).sorted()
            return seconds.isEmpty ? 0 : Double(result.frames) / seconds[seconds.count / 2]
        }
    }

    /// Frames a second over all sequences, for each repeat, and those of ours against CSRT's in the same repeat.
    private func speeds(of results: [Result], _ report: inout BenchReport) {
        let frames = Double(results.reduce(0) { $0 + $1.frames })
        func rates(_ competitor: Competitor) -> [Double] {
            (0..<options.repeats).map { index in
                frames / results.reduce(0) { $0 + ($1.seconds[competitor]?[index] ?? 0) }
            }
        }
        let reference = rates(.peer(.csrt))
        for competitor in competitors {
            report.add("\(competitor.name): all sequences", rates(competitor), unit: "frames/s", target: "")
        }
        for competitor in Competitor.ours {
            report.add(
                "\(competitor.name) / CSRT: frames a second", zip(rates(competitor), reference).map { $0 / $1 },
                unit: "ratio", target: ">= 10, wanted 25")
        }
    }
}
