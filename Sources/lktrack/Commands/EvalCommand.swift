import ArgumentParser
import Foundation
import Glibc
import Jobs
import Media
import Tracking
import Workers

struct EvalCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "eval",
        abstract: "Scores the tracker on OTB folders.",
        discussion: """
            One-pass evaluation of the Online Tracking Benchmark (Wu, Lim, Yang 2013): the first box is given, no resets. \
            Success AUC is the mean share of frames whose overlap is over 0, 0.05 … 1; precision is the share whose \
            centre is within 20 pixels. Frames a second count the tracker alone, on one thread, decoding apart.

              lktrack eval OTB/Car4 OTB/Jogging --stop 135
            """
    )

    @Argument(help: "Folders with img/ and groundtruth_rect.txt.")
    var sequences: [String]

    @OptionGroup(title: "Frames") var frames: FrameRangeFlags
    @OptionGroup(title: "Tracker") var tracker: TrackerFlags

    @Flag(help: "Print JSON instead of a table.")
    var json = false

    func validate() throws {
        guard !sequences.isEmpty else { throw ValidationError("name at least one sequence") }
        guard frames.start == 0, frames.step == 1 else {
            throw ValidationError("an evaluation starts at frame 0 and takes every frame; --stop may cut it short")
        }
    }

    func run() throws {
        var rows: [Row] = []
        for path in sequences {
            let sequence = try OTBSequence(path: path)
            for target in sequence.targets { rows.append(try evaluate(target, of: sequence)) }
        }
        let text = json ? String(decoding: report(rows).encoded(), as: UTF8.self) + "\n" : table(rows)
        guard Console.write(text, to: STDOUT_FILENO) else {
            throw CommandFailure(.cannotCreate, "the report could not be written to standard output")
        }
    }

    private struct Row {
        let name: String
        let score: OTBScore
        let framesPerSecond: Double
    }

    private func evaluate(_ target: OTBSequence.Target, of sequence: OTBSequence) throws -> Row {
        let source = try CommandMedia.open(
            .folder(path: sequence.path), DecodeRequest(stop: frames.stop))
        var session: TrackingSession
        do {
            session = try TrackingSession(
                targets: [TargetRequest(id: target.name, box: target.firstBox)],
                options: TrackerOptions(tracker.spec))
        } catch {
            throw CommandFailure(.usage, error.message)
        }
        var boxes: [Box?] = []
        var busy = Duration.zero
        var progress = ProgressBar()
        defer { progress.end() }
        let total = min(frames.stop ?? .max, source.info.frameCount ?? .max)
        while let frame = try CommandMedia.next(source) {
            let start = ContinuousClock.now
            do {
                let estimates = try session.process(gray: frame.gray, color: frame.color, frame: frame.index)
                boxes.append(estimates.first??.box)
            } catch {
                throw CommandFailure(.dataError, "\(target.name), frame \(frame.index): \(error.message)")
            }
            busy += ContinuousClock.now - start
            progress.show(done: boxes.count, of: total == .max ? nil : total)
        }
        let truth = Array(target.truth.prefix(boxes.count))
        return Row(
            name: target.name, score: OTBScore(results: boxes, truth: truth),
            framesPerSecond: Double(boxes.count) / (busy / .seconds(1)))
    }

    private func table(_ rows: [Row]) -> String {
        var text = "target            frames  success AUC  precision@20  frames/s\n"
        for row in rows {
            text += line(row.name, row.score.frames, row.score.successAUC, row.score.precision, row.framesPerSecond)
        }
        if rows.count > 1 {
            text += line(
                "mean", rows.map(\.score.frames).reduce(0, +), mean(rows.map(\.score.successAUC)),
                mean(rows.map(\.score.precision)), mean(rows.map(\.framesPerSecond)))
        }
        return text
    }

    private func line(_ name: String, _ frames: Int, _ auc: Double, _ precision: Double, _ rate: Double) -> String {
        let padded = name.padding(toLength: max(16, name.count), withPad: " ", startingAt: 0)
        return padded + String(format: "%8d%13.3f%14.3f%10.0f\n", frames, auc, precision, rate)
    }

    private func report(_ rows: [Row]) -> JSONValue {
        let targets = rows.map { row -> JSONValue in
            [
                "target": .string(row.name), "frames": .int(row.score.frames),
                "success_auc": .number(row.score.successAUC), "precision_20": .number(row.score.precision),
                "frames_per_second": .number(row.framesPerSecond),
            ]
        }
        return [
            "version": .string(Version.text), "targets": .array(targets),
            "mean": [
                "success_auc": .number(mean(rows.map(\.score.successAUC))),
                "precision_20": .number(mean(rows.map(\.score.precision))),
            ],
        ]
    }

    private func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(max(values.count, 1)) }
}
