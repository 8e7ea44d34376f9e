import ArgumentParser
import Foundation
import Jobs
import Media
import Tracking
import Workers

struct SynthCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "synth",
        abstract: "Makes a video whose truth is known.",
        discussion: """
            Textured targets move by smooth affine motions over a moving, textured ground. The truth is written beside \
            the video in the form of a result: OUT.truth.csv for a video, truth.csv and groundtruth_rect.txt (OTB) in \
            a folder of images. The same seed makes the same frames.

              lktrack synth scene.mp4 --frames 120 --noise 4 --gain 0.7-1.3
              lktrack synth scene --targets 2 --seed 7
            """
    )

    @Argument(help: "OUT.mp4, OUT.avi, or a folder for images (PNG).")
    var output: String

    @Option(help: "How many frames.")
    var frames = 120

    @Option(help: "Width and height in pixels.")
    var size = SizeArgument(width: 640, height: 360)

    @Option(help: "What the scene is made from.")
    var seed: UInt64 = 1

    @Option(help: "How many targets.")
    var targets = 1

    @Option(help: "Width and height of a target in pixels. (default: a sixth of the frame's height)")
    var targetSize: SizeArgument?

    @Option(help: "How fast targets move; 1 is a few pixels a frame.")
    var speed = 1.0

    @Option(help: "Standard deviation of the noise, in grey levels.")
    var noise = 0.0

    @Option(help: "Between which factors the brightness changes.")
    var gain = RangeArgument(1...1)

    @Option(help: "Motion blur: the share of the frame interval that the shutter is open, 0 to 1.")
    var motionBlur = 0.0

    @Option(help: "Defocus: standard deviation of the blur, in pixels.")
    var defocus = 0.0

    @Flag(help: "Let something pass in front of the targets.")
    var occluder = false

    @Option(help: "Frames a second of the video.")
    var frameRate = 30.0

    func validate() throws {
        guard !output.isEmpty else { throw ValidationError("name a video or a folder to write to") }
        guard frames > 0 else { throw ValidationError("--frames must be at least 1") }
        guard (0.1...1000).contains(frameRate) else { throw ValidationError("--frame-rate must be from 0.1 to 1000") }
        guard (0...10).contains(speed) else { throw ValidationError("--speed must be from 0 to 10") }
    }

    func run() throws {
        let scene = try makeScene()
        let truth = truthRecords(of: scene)
        var progress = ProgressBar()
        defer { progress.end() }
        if let container = CommandMedia.container(ofOutput: output) {
            try CommandMedia.mapping {
                let encoder = try VideoEncoder(
                    path: output, container: container, width: size.width, height: size.height, frameRate: frameRate)
                for frame in 0..<frames {
                    try encoder.append(scene.color(frame: frame))
                    progress.show(done: frame + 1, of: frames)
                }
                try encoder.finish()
            }
            try write(truth, to: URL(fileURLWithPath: output).deletingPathExtension().path + ".truth.csv")
        } else {
            let images = output + "/img"
            try makeFolder(images)
            for frame in 0..<frames {
                let png = try CommandMedia.mapping { try ImageCodec.png(scene.color(frame: frame)) }
                try write(png, to: images + String(format: "/%06d.png", frame + 1))
                progress.show(done: frame + 1, of: frames)
            }
            try write(truth, to: output + "/truth.csv")
            for target in 0..<targets {
                let name = targets == 1 ? "groundtruth_rect.txt" : "groundtruth_rect.\(target + 1).txt"
                let boxes = (0..<frames).map { scene.truth(frame: $0)[target].box }
                let lines = boxes.map { String(format: "%.3f,%.3f,%.3f,%.3f\n", $0.x, $0.y, $0.width, $0.height) }
                try write(Array(lines.joined().utf8), to: output + "/" + name)
            }
        }
        try printFirstBoxes(of: scene)
    }

    private func makeScene() throws -> SyntheticScene {
        var options = SyntheticScene.Options()
        options.width = size.width
        options.height = size.height
        options.frames = frames
        options.seed = seed
        options.targets = targets
        let side = Double(size.height) / 6
        options.targetWidth = Double(targetSize?.width ?? Int(side))
        options.targetHeight = Double(targetSize?.height ?? Int(side))
        options.speed *= speed
        options.noise = noise
        options.gain = gain.range
        options.motionBlur = motionBlur
        options.defocus = defocus
        options.occluder = occluder
        do {
            return try SyntheticScene(options)
        } catch {
            throw CommandFailure(.usage, error.message)
        }
    }

    /// The truth in the form of a result, so that the two can be compared line by line.
    private func truthRecords(of scene: SyntheticScene) -> [UInt8] {
        let names = (0..<targets).map { "target-\($0 + 1)" }
        let first = scene.truth(frame: 0)
        let spec = JobSpec(targets: zip(names, first).map { TargetSpec(id: $0, box: PixelBox($1.box)) })
        var bytes: [UInt8] = []
        guard
            var encoder = try? ResultEncoder(
                format: .csv,
                provenance: ResultProvenance(version: Version.text, job: nil, source: nil, spec: spec),
                slice: ResultSlice())
        else { return bytes }
        encoder.begin(into: &bytes)
        for frame in 0..<frames {
            let targets = zip(names, scene.truth(frame: frame)).map { name, truth in
                TargetRecord(
                    id: name, box: PixelBox(truth.box), quad: truth.quad.coordinates,
                    affine: truth.affine.coefficients, state: .tracked, confidence: 1, zncc: 1, residual: 0,
                    iterations: 0, isKeyframe: frame == 0)
            }
            encoder.append(
                FrameRecord(frame: frame, pts: Int64(frame), time: Double(frame) / frameRate, targets: targets),
                into: &bytes)
        }
        encoder.end(into: &bytes)
        return bytes
    }

    private func printFirstBoxes(of scene: SyntheticScene) throws {
        let rois = scene.truth(frame: 0).map(\.box).map {
            String(format: "--roi %.3f,%.3f,%.3f,%.3f", $0.x, $0.y, $0.width, $0.height)
        }
        Console.note("wrote \(output); follow it with: lktrack track \(output) \(rois.joined(separator: " "))")
    }

    private func makeFolder(_ path: String) throws {
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            throw CommandFailure(.cannotCreate, "\(path): the folder cannot be made")
        }
    }

    private func write(_ bytes: [UInt8], to path: String) throws {
        do {
            try Data(bytes).write(to: URL(fileURLWithPath: path))
        } catch {
            throw CommandFailure(.cannotCreate, "\(path): cannot be written")
        }
    }
}
