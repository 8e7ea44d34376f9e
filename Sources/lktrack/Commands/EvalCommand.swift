import ArgumentParser
import Foundation
import Glibc
import Jobs
import Tracking
import Workers

struct EvalCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "eval",
        abstract: "Scores the tracker on OTB folders.",
        discussion: """
            One-pass evaluation of the Online Tracking Benchmark (Wu, Lim, Yang 2013): the first box is given, no resets.

            success AUC   mean share of frames whose overlap (IoU) is over 0, 0.05 … 1
            precision@20  share of frames whose centre is within 20 pixels
            frames/s      the tracker alone, on one thread, decoding apart
            p50, p99 ms   percentiles of the time of one frame, the first left out
            lost          how often the overlap was at most 0.1 for 5 frames in a row,
                          or the tracker said `lost`
            refound       how often a lost target was tracked again: a frame with the
                          state `tracked` and an overlap over 0.5
            ECE           expected calibration error of the confidence against an
                          overlap of at least 0.5; ten equally wide bins
            over          overconfidence: how far the share of correct frames, among
                          those with a confidence of at least c, falls short of c, at
                          worst over c = 0.1 … 0.9
            held          share of the frames with the state `tracked` whose overlap
                          is over 0.3

            ECE, over and held leave out the first frame, and all leave out frames without truth.

            The mean line averages success, precision and frames a second over the targets; its other columns are of all
            targets' frames together.

              lktrack eval OTB/Car4 OTB/Jogging --stop 135
              lktrack eval OTB/* --plot plots.svg
              lktrack eval --convergence > convergence.md
            """
    )

    @Argument(help: "Folders with img/ and groundtruth_rect.txt.")
    var sequences: [String] = []

    @Option(help: "The first frame that is left out. (default: to the end)")
    var stop: Int?

    @Option(
        help: """
            Temporal robustness evaluation: so many starts, spread evenly over the frames, each followed to the end; \
            scores are of the frames of all.
            """)
    var tre = 1

    @OptionGroup(title: "Tracker") var tracker: TrackerFlags

    @Flag(help: "Print JSON instead of a table.")
    var json = false

    @Option(
        help: ArgumentHelp(
            "Draw success and precision plots: both into FILE.svg, or success.svg and precision.svg into a folder.",
            valueName: "FILE.svg|FOLDER"))
    var plot: String?

    @Flag(
        help: """
            Print the aligners' frequency of convergence (Baker and Matthews 2004) on made-up pictures, as Markdown. \
            Takes minutes and no sequence.
            """)
    var convergence = false

    func validate() throws {
        if convergence {
            guard sequences.isEmpty, plot == nil, !json else {
                throw ValidationError("--convergence takes no sequence, no --plot and no --json")
            }
            return
        }
        guard !sequences.isEmpty else { throw ValidationError("name at least one sequence") }
        guard stop ?? 1 > 0 else { throw ValidationError("--stop must be at least 1") }
        guard (1...100).contains(tre) else { throw ValidationError("--tre must be from 1 to 100") }
    }

    func run() throws {
        if convergence { return try write(ConvergenceReport().markdown()) }
        let destination = try plot.map { try PlotDestination($0) }
        var rows: [EvaluationRow] = []
        for path in sequences {
            let sequence = try OTBSequence(path: path)
            let evaluation = SequenceEvaluation(
                sequence: sequence, options: TrackerOptions(tracker.spec), stop: stop, starts: tre)
            rows += try evaluation.run()
        }
        let report = EvaluationReport(rows: rows)
        try destination?.write(EvaluationPlots(rows: rows))
        try write(json ? String(decoding: report.json.encoded(), as: UTF8.self) + "\n" : report.table)
    }

    private func write(_ text: String) throws(CommandFailure) {
        guard Console.write(text, to: STDOUT_FILENO) else {
            throw CommandFailure(.cannotCreate, "the report could not be written to standard output")
        }
    }
}

/// Where `--plot` puts its pictures.
private struct PlotDestination {
    private let path: String
    private let isFolder: Bool

    /// Fails before the work where nothing can be written.
    init(_ path: String) throws(CommandFailure) {
        self.path = path
        isFolder = !path.lowercased().hasSuffix(".svg")
        if isFolder {
            do {
                try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            } catch {
                throw CommandFailure(.cannotCreate, "\(path): the folder cannot be made")
            }
            guard FileManager.default.isWritableFile(atPath: path) else {
                throw CommandFailure(.cannotCreate, "\(path): the folder cannot be written to")
            }
        } else {
            try CommandMedia.requireWritable(path)
        }
    }

    func write(_ plots: EvaluationPlots) throws(CommandFailure) {
        if isFolder {
            try write(SVGDocument(charts: [plots.success]), to: path + "/success.svg")
            try write(SVGDocument(charts: [plots.precision]), to: path + "/precision.svg")
        } else {
            try write(SVGDocument(charts: [plots.success, plots.precision]), to: path)
        }
    }

    private func write(_ document: SVGDocument, to path: String) throws(CommandFailure) {
        do {
            try document.text.write(toFile: path, atomically: false, encoding: .utf8)
        } catch {
            throw CommandFailure(.cannotCreate, "\(path): cannot be written")
        }
    }
}
