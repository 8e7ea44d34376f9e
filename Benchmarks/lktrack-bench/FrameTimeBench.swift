import Tracking

/// How long single frames take: a target of 60×80 pixels in made-up frames of 640×360.
struct FrameTimeBench {
    private let options: BenchOptions

    init(_ options: BenchOptions) { self.options = options }

    func run(_ report: inout BenchReport) throws {
        let scene = try SyntheticScene(
            .init(
                width: 640, height: 360, frames: 240, targetWidth: 60, targetHeight: 80, speed: 3, noise: 3,
                gain: 0.8...1.2))
        let footage = Footage(scene)
        let box = scene.truth(frame: 0)[0].box
        var times: [Competitor: [FrameTimes]] = [:]
        let competitors = Competitor.ours + [.peer(.csrt)]
        for _ in 0..<options.repeats {
            for competitor in competitors {
                let run = try competitor.run(over: footage.pictures, box: box)
                times[competitor, default: []].append(FrameTimes(seconds: Array(run.seconds.dropFirst())))
            }
        }
        for competitor in competitors {
            let target = competitor == .peer(.csrt) ? "" : "<= 4, wanted 1.5"
            for (percent, target) in [(50.0, ""), (99, target)] {
                report.add(
                    "\(competitor.name): percentile \(Int(percent)) of a frame",
                    (times[competitor] ?? []).map { 1000 * $0.percentile(percent) }, unit: "ms", target: target)
            }
        }
    }
}
