import Foundation

/// The tracker alone, on one thread, decoding apart: `lktrack eval`'s own clock.
struct TrackerBench {
    private let options: BenchOptions

    init(_ options: BenchOptions) { self.options = options }

    func run(_ report: inout BenchReport) throws {
        guard let data = options.data else { return }
        var rates: [Double] = []
        var success: [Double] = []
        for _ in 0..<options.repeats {
            let output = options.scratch.appendingPathComponent("eval.json")
            try Data().write(to: output)
            let process = Process()
            process.executableURL = URL(fileURLWithPath: options.lktrack)
            process.arguments = [
                "eval", data.appendingPathComponent("sequences/Car4").path, "--tracker", "template", "--stop", "135",
                "--json",
            ]
            process.standardOutput = try FileHandle(forWritingTo: output)
            try process.run()
            process.waitUntilExit()
            let json = try JSONSerialization.jsonObject(with: Data(contentsOf: output)) as? [String: Any]
            guard let target = (json?["targets"] as? [[String: Any]])?.first else { continue }
            rates.append(target["frames_per_second"] as? Double ?? 0)
            success.append(target["success_auc"] as? Double ?? 0)
        }
        report.add("Car4, 135 frames, template: success AUC", success, unit: "area", target: ">= 0.80")
        report.add("Car4, 135 frames, template: frames a second", rates, unit: "1/s", target: ">= 300")
    }
}
