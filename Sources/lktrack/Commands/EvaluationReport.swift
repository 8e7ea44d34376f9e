import Foundation
import Jobs
import Tracking

/// The table and the JSON of `lktrack eval`.
struct EvaluationReport {
    let rows: [EvaluationRow]

    private var refinding: RefindingScore { rows.map(\.refinding).reduce(RefindingScore(), +) }
    private var reliability: ReliabilityScore { rows.map(\.reliability).reduce(ReliabilityScore(), +) }
    private var trackingTimes: FrameTimes { FrameTimes(seconds: rows.flatMap(\.trackingTimes.seconds)) }

    private func mean(_ value: (EvaluationRow) -> Double) -> Double {
        rows.map(value).reduce(0, +) / Double(max(rows.count, 1))
    }

    var table: String {
        let width = max(16, rows.map(\.name.count).max() ?? 0)
        func line(_ name: String, _ cells: [String]) -> String {
            let columns = zip(Self.columns, cells).map { column, cell in
                String(repeating: " ", count: max(column.count + 2 - cell.count, 1)) + cell
            }
            return name.padding(toLength: width, withPad: " ", startingAt: 0) + columns.joined() + "\n"
        }
        var text = line("target", Self.columns)
        for row in rows {
            text += line(
                row.name,
                cells(
                    frames: row.score.frames, success: row.score.successAUC, precision: row.score.precision,
                    rate: row.times.framesPerSecond, times: row.trackingTimes, refinding: row.refinding,
                    reliability: row.reliability))
        }
        if rows.count > 1 {
            text += line(
                "mean",
                cells(
                    frames: rows.reduce(0) { $0 + $1.score.frames }, success: mean(\.score.successAUC),
                    precision: mean(\.score.precision), rate: mean(\.times.framesPerSecond), times: trackingTimes,
                    refinding: refinding, reliability: reliability))
        }
        return text
    }

    private static let columns = [
        "frames", "success AUC", "precision@20", "frames/s", "p50 ms", "p99 ms", "lost", "refound", "  ECE", " over",
        " held",
    ]

    private func cells(
        frames: Int, success: Double, precision: Double, rate: Double, times: FrameTimes, refinding: RefindingScore,
        reliability: ReliabilityScore
    ) -> [String] {
        func decimal(_ value: Double?, _ places: Int) -> String {
            value.map { String(format: "%.\(places)f", $0) } ?? "-"
        }
        return [
            "\(frames)", decimal(success, 3), decimal(precision, 3), decimal(rate, 0),
            decimal(1000 * times.percentile(50), 2), decimal(1000 * times.percentile(99), 2), "\(refinding.lost)",
            "\(refinding.refound)", decimal(reliability.calibrationError, 3),
            decimal(reliability.overconfidence, 3), decimal(reliability.heldShare, 3),
        ]
    }

    var json: JSONValue {
        let targets = rows.map { row -> JSONValue in
            var object = JSONObject([
                ("target", .string(row.name)), ("frames", .int(row.score.frames)),
                ("success_auc", .number(row.score.successAUC)), ("precision_20", .number(row.score.precision)),
                ("frames_per_second", .number(row.times.framesPerSecond)),
            ])
            append(row.trackingTimes, row.refinding, row.reliability, to: &object)
            return .object(object)
        }
        var pooled = JSONObject([("frames", .int(rows.reduce(0) { $0 + $1.score.frames }))])
        append(trackingTimes, refinding, reliability, to: &pooled)
        pooled["calibration_bins"] = .array(
            reliability.bins.map { bin in
                [
                    "frames": .int(bin.frames), "confidence": .number(bin.confidence),
                    "accuracy": .number(bin.accuracy),
                ]
            })
        return [
            "version": .string(Version.text), "targets": .array(targets),
            "mean": [
                "success_auc": .number(mean(\.score.successAUC)), "precision_20": .number(mean(\.score.precision)),
                "frames_per_second": .number(mean(\.times.framesPerSecond)),
            ],
            "pooled": .object(pooled),
        ]
    }

    private func append(
        _ times: FrameTimes, _ refinding: RefindingScore, _ reliability: ReliabilityScore, to object: inout JSONObject
    ) {
        object["frame_ms_p50"] = .number(1000 * times.percentile(50))
        object["frame_ms_p99"] = .number(1000 * times.percentile(99))
        object["lost"] = .int(refinding.lost)
        object["refound"] = .int(refinding.refound)
        object["refound_share"] = refinding.share.map { .number($0) } ?? .null
        object["calibration_error"] = .number(reliability.calibrationError)
        object["overconfidence"] = .number(reliability.overconfidence)
        object["tracked_frames"] = .int(reliability.tracked)
        object["tracked_held_share"] = reliability.heldShare.map { .number($0) } ?? .null
    }
}
