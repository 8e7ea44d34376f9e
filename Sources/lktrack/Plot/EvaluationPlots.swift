import Foundation
import Tracking

/// The two plots of the Online Tracking Benchmark: a curve for each target and their mean, best first in the legend.
struct EvaluationPlots {
    let success: LineChart
    let precision: LineChart

    init(rows: [EvaluationRow]) { self.init(scores: rows.map { ($0.name, $0.score) }) }

    init(scores: [(name: String, score: OTBScore)]) {
        let share = { (title: String) in LineChart.Axis(title: title, range: 0...1, spacing: 0.2, decimals: 1) }
        success = LineChart(
            title: "Success plot [AUC]", horizontal: share("overlap threshold"), vertical: share("success rate"),
            curves: Self.curves(
                scores.map { ($0.name, $0.score.successAUC, $0.score.successCurve) }, over: OTBScore.thresholds))
        precision = LineChart(
            title: "Precision plot [at \(Int(OTBScore.precisionRadius)) px]",
            horizontal: LineChart.Axis(
                title: "centre error threshold, px", range: 0...(OTBScore.distances.last ?? 1), spacing: 10, decimals: 0
            ),
            vertical: share("precision"),
            curves: Self.curves(
                scores.map { ($0.name, $0.score.precision, $0.score.precisionCurve) }, over: OTBScore.distances))
    }

    private static func curves(
        _ targets: [(name: String, value: Double, curve: [Double])], over thresholds: [Double]
    ) -> [LineChart.Curve] {
        func curve(_ name: String, _ value: Double, _ values: [Double], isMain: Bool) -> LineChart.Curve {
            LineChart.Curve(
                name: name, value: String(format: "%.3f", value),
                points: zip(thresholds, values).map { ($0, $1) }, isMain: isMain)
        }
        let sorted = targets.sorted { $0.value > $1.value }
        guard sorted.count > 1 else { return sorted.map { curve($0.name, $0.value, $0.curve, isMain: true) } }
        let count = Double(sorted.count)
        let mean = thresholds.indices.map { index in sorted.reduce(0) { $0 + $1.curve[index] } / count }
        let value = sorted.reduce(0) { $0 + $1.value } / count
        return [curve("mean of \(sorted.count) targets", value, mean, isMain: true)]
            + sorted.map { curve($0.name, $0.value, $0.curve, isMain: false) }
    }
}
