import Foundation

/// How much longer a video with three targets takes to track than to decode with the same backend and nothing else.
/// Both are whole processes, start included, run in turn.
struct OverlapBench {
    private let options: BenchOptions

    init(_ options: BenchOptions) { self.options = options }

    func run(_ report: inout BenchReport) throws {
        let video: String
        let boxes: [String]
        if let data = options.data {
            video = data.appendingPathComponent("videos/vtest.avi").path
            boxes = ["254,218,30,90", "500,156,30,78", "640,240,45,82"]
        } else {
            (video, boxes) = try synthetic()
        }
        var ratios: [Double] = []
        var alone: [Double] = []
        for _ in 0..<options.repeats {
            let decoding = try Stopwatch.seconds(options.decodeAlone, [video])
            let tracking = try Stopwatch.seconds(
                options.lktrack,
                ["track", video, "--output", "/dev/null", "--tracker", "template", "--format", "ndjson"]
                    + boxes.flatMap { ["--roi", $0] })
            alone.append(decoding)
            ratios.append(tracking / decoding)
        }
        report.add("decoding alone, OpenCV in process", alone, unit: "s", target: "")
        report.add("lktrack track with 3 targets, template / decoding alone", ratios, unit: "ratio", target: "<= 1.5")
    }

    private func synthetic() throws -> (String, [String]) {
        let path = options.scratch.appendingPathComponent("scene.avi").path
        _ = try Stopwatch.seconds(
            options.lktrack, ["synth", path, "--frames", "400", "--size", "768x576", "--targets", "3"])
        let truth = try String(
            contentsOf: options.scratch.appendingPathComponent("scene.truth.csv"), encoding: .utf8)
        return (
            path,
            truth.split(separator: "\n").dropFirst().prefix(3).map {
                $0.split(separator: ",")[4..<8].joined(separator: ",")
            }
        )
    }
}
