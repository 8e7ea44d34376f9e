import ArgumentParser
import Foundation
import Glibc
import Jobs
import Media
import Tracking
import Workers

extension ResultFormat: ExpressibleByArgument {}

struct TrackCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "track",
        abstract: "Follows boxes through a video or a folder of images, without a server.",
        discussion: """
            INPUT is a video, a zip or tar of images, or a folder of images (or an OTB folder with img/). Every frame \
            gets a box; results go to standard output unless --output names a file.

              lktrack track clip.mp4 --roi 70,51,107,87
              lktrack track img/ --roi 10,20,40,80 --roi 200,60,30,90 --format csv --output boxes.csv
              lktrack track clip.mp4 --roi 70,51,107,87 --keyframe target-1:50:64,52,103,81 --annotate boxes.mp4
              lktrack track clip.mp4 --tracker points --points 82.5,60 140,71 151,120
            """
    )

    @Argument(help: "A video, an archive, or a folder of images.")
    var input: String

    @Option(
        parsing: .unconditionalSingleValue,
        help: "A target's box in the first frame: x,y,width,height. May be given again for further targets.")
    var roi: [BoxArgument] = []

    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp(
            "Points of the target in the first frame, for --tracker points; without them a grid over its box is followed.",
            valueName: "x,y"))
    var points: [PointArgument] = []

    @Option(help: "A new box at a later frame: ID:FRAME:x,y,width,height. Targets are target-1, target-2 …")
    var keyframe: [KeyframeArgument] = []

    @OptionGroup(title: "Frames") var frames: FrameRangeFlags
    @OptionGroup(title: "Tracker") var tracker: TrackerFlags

    @Option(help: "The form of the results.")
    var format = ResultFormat.json

    @Option(help: "Where results go. (default: standard output)")
    var output: String?

    @Option(help: "Write a video with the boxes drawn on it: OUT.mp4 or OUT.avi.")
    var annotate: String?

    func validate() throws {
        guard !roi.isEmpty || !points.isEmpty else {
            throw ValidationError("name at least one box: --roi x,y,width,height")
        }
        if !points.isEmpty, roi.count > 1 {
            throw ValidationError("--points are those of one target; there are \(roi.count) boxes")
        }
        if let annotate, CommandMedia.container(ofOutput: annotate) == nil {
            throw ValidationError("--annotate \(annotate): the name must end in .mp4 or .avi")
        }
        if format == .otb, roi.count > 1 {
            throw ValidationError("--format otb holds one target; there are \(roi.count) boxes")
        }
    }

    func run() throws {
        let spec = try makeSpec()
        for path in [output, annotate].compactMap({ $0 }) { try CommandMedia.requireOther(path, than: input) }
        if let annotate { try CommandMedia.requireWritable(annotate) }
        let media = try CommandMedia.mapping { try MediaInput.recognise(path: input) }
        let run = TrackingRun(spec, concurrency: ProcessInfo.processInfo.activeProcessorCount)
        let source = try CommandMedia.open(media, run.decodeRequest())
        var encoder = try resultEncoder(spec, source.info)
        let sink = try ResultOutput(path: output)
        var bytes: [UInt8] = []
        var records: [FrameRecord] = []
        var progress = ProgressBar()
        var done = 0
        defer { progress.end() }
        encoder.begin(into: &bytes)
        func finish() throws {
            encoder.end(into: &bytes)
            try sink.write(&bytes)
            try sink.finish()
        }
        do {
            _ = try run.track(source) { record in
                encoder.append(record, into: &bytes)
                if annotate != nil { records.append(record) }
                if bytes.count >= ResultOutput.pieceBytes { try sink.write(&bytes) }
                done += 1
                progress.show(done: done, of: run.frameCount(in: source.info))
            }
        } catch let failure as CommandFailure {
            throw failure
        } catch {
            // The frames until then are right, and took their time.
            guard done > 0 else { throw failure(of: error) }
            try finish()
            throw failure(of: error, "; the results of the \(done) frames before are written")
        }
        try finish()
        if let annotate { try drawVideo(annotate, records, run, media) }
    }

    private func makeSpec() throws -> JobSpec {
        let boxes: [PixelBox?] = roi.isEmpty ? [nil] : roi.map(\.box)
        var targets = boxes.enumerated().map { index, box in
            TargetSpec(
                id: "target-\(index + 1)", box: box, startFrame: frames.start, points: points.map(\.point))
        }
        for argument in keyframe {
            guard let index = targets.firstIndex(where: { $0.id == argument.target }) else {
                throw CommandFailure(
                    .usage,
                    "--keyframe \(argument.target): no such target; there are target-1 to target-\(targets.count)")
            }
            targets[index].keyframes.append(argument.keyframe)
        }
        for index in targets.indices { targets[index].keyframes.sort { $0.frame < $1.frame } }
        let spec = JobSpec(
            targets: targets, tracker: tracker.spec, startFrame: frames.start, stopFrame: frames.stop,
            frameStep: frames.step)
        // The same checks that a submitted spec has to pass.
        do {
            return try SpecReader.read(SpecWriter.json(spec))
        } catch {
            throw CommandFailure(
                .usage, error.problems.map { "\(Self.flag(for: $0.pointer)) \($0.detail)" }.joined(separator: "; "))
        }
    }

    /// The flag that a part of the spec came from.
    private static func flag(for pointer: String) -> String {
        if pointer.contains("/keyframes") { return "--keyframe:" }
        if pointer.contains("/points") { return "--points:" }
        if pointer.hasPrefix("#/targets") { return "--roi:" }
        let names = ["#/start_frame": "--start", "#/stop_frame": "--stop", "#/frame_step": "--step"]
        if let name = names[pointer] { return "\(name):" }
        let name = pointer.split(separator: "/").last.map { $0.map { $0 == "_" ? "-" : $0 } } ?? []
        return pointer == "#/tracker/mode" ? "--tracker:" : "--\(String(name)):"
    }

    private func resultEncoder(_ spec: JobSpec, _ info: SourceInfo) throws -> ResultEncoder {
        var provenance = ResultProvenance(version: Version.text, job: nil, source: nil, spec: spec)
        (provenance.width, provenance.height, provenance.frameRate) = (info.width, info.height, info.frameRate)
        provenance.frameCount = info.frameCount
        do {
            return try ResultEncoder(format: format, provenance: provenance, slice: ResultSlice())
        } catch {
            throw CommandFailure(.usage, error.message)
        }
    }

    private func drawVideo(
        _ path: String, _ records: [FrameRecord], _ run: TrackingRun, _ media: MediaInput
    ) throws {
        guard let container = CommandMedia.container(ofOutput: path) else { return }
        let source = try CommandMedia.open(media, run.decodeRequest(forDrawing: true))
        try CommandMedia.mapping {
            let encoder = try VideoEncoder(
                path: path, container: container, width: source.info.width, height: source.info.height,
                frameRate: source.info.frameRate / Double(frames.step))
            var annotation = Annotation(spec: run.spec)
            var rest = records[...]
            try AnnotatedVideo.render(source: source, encoder: encoder) { frame in
                guard let record = rest.popFirst(), record.frame == frame.index else { return [] }
                return annotation.overlays(for: record)
            }
        }
    }

    private func failure(of error: any Error, _ more: String = "") -> CommandFailure {
        if let error = error as? MediaError { return CommandMedia.failure(of: error, more) }
        let failure = JobFailure(error)
        return CommandFailure(failure.code == .internalError ? .software : .dataError, failure.message + more)
    }
}
