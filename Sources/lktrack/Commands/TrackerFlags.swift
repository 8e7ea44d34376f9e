import ArgumentParser
import Jobs

extension TrackerSpec.Mode: ExpressibleByArgument {}
extension TrackerSpec.Motion: ExpressibleByArgument {}
extension TrackerSpec.Aligner: ExpressibleByArgument {}
extension TrackerSpec.Illumination: ExpressibleByArgument {}
extension TrackerSpec.OnLost: ExpressibleByArgument {}

/// The flags that choose and tune the tracker: the `tracker` object of a job's spec, for the command line.
struct TrackerFlags: ParsableArguments {
    @Option(help: "How targets are followed.")
    var tracker = TrackerSpec.Mode.robust

    @Option(help: "What the warp may do.")
    var motion = TrackerSpec.Motion.affine

    @Option(help: "How the warp is found.")
    var aligner = TrackerSpec.Aligner.inverseCompositional

    @Option(help: "Pyramid levels, 1 to 6.")
    var levels = 3

    @Option(help: "Iterations on each level, 1 to 200.")
    var maxIterations = 10

    @Option(help: "A level ends when no corner moves further than this, in pixels.")
    var epsilon = 0.02

    @Option(help: "What is done about changes of the light.")
    var illumination = TrackerSpec.Illumination.gainBias

    @Option(help: "The exponent for --illumination gamma.")
    var gamma = 1.0

    @Option(help: "What is done when a target is lost.")
    var onLost = TrackerSpec.OnLost.search

    var spec: TrackerSpec {
        TrackerSpec(
            mode: tracker, motion: motion, aligner: aligner, levels: levels, maxIterations: maxIterations,
            epsilon: epsilon, illumination: illumination, gamma: gamma, onLost: onLost)
    }
}

/// The flags that choose frames.
struct FrameRangeFlags: ParsableArguments {
    @Option(help: "The first frame.")
    var start = 0

    @Option(help: "The first frame that is left out. (default: to the end)")
    var stop: Int?

    @Option(help: "Every n-th frame.")
    var step = 1
}

/// `x,y,width,height` on the command line.
struct BoxArgument: ExpressibleByArgument {
    let box: PixelBox

    init?(argument: String) {
        let numbers = argument.split(separator: ",", omittingEmptySubsequences: false).map { Double($0) }
        guard numbers.count == 4, let x = numbers[0], let y = numbers[1], let width = numbers[2],
            let height = numbers[3]
        else { return nil }
        box = PixelBox(x: x, y: y, width: width, height: height)
    }
}

/// `x,y` on the command line.
struct PointArgument: ExpressibleByArgument {
    let point: PixelPoint

    init?(argument: String) {
        let numbers = argument.split(separator: ",", omittingEmptySubsequences: false).map { Double($0) }
        guard numbers.count == 2, let x = numbers[0], let y = numbers[1] else { return nil }
        point = PixelPoint(x: x, y: y)
    }
}

/// `ID:FRAME:x,y,width,height` on the command line.
struct KeyframeArgument: ExpressibleByArgument {
    let target: String
    let keyframe: TargetSpec.Keyframe

    init?(argument: String) {
        let parts = argument.split(separator: ":")
        guard parts.count == 3, let frame = Int(parts[1]), let box = BoxArgument(argument: String(parts[2])) else {
            return nil
        }
        target = String(parts[0])
        keyframe = TargetSpec.Keyframe(frame: frame, box: box.box)
    }
}

/// `WIDTHxHEIGHT` on the command line.
struct SizeArgument: ExpressibleByArgument, CustomStringConvertible {
    var width, height: Int

    init(width: Int, height: Int) {
        self.width = width
        self.height = height
    }

    init?(argument: String) {
        let parts = argument.split(separator: "x").map { Int($0) }
        guard parts.count == 2, let width = parts[0], let height = parts[1] else { return nil }
        self.init(width: width, height: height)
    }

    var description: String { "\(width)x\(height)" }
}

/// `LOW-HIGH` on the command line.
struct RangeArgument: ExpressibleByArgument, CustomStringConvertible {
    var range: ClosedRange<Double>

    init(_ range: ClosedRange<Double>) { self.range = range }

    init?(argument: String) {
        let parts = argument.split(separator: "-", maxSplits: 1).map { Double($0) }
        guard parts.count == 2, let low = parts[0], let high = parts[1], low <= high else { return nil }
        range = low...high
    }

    var description: String { "\(range.lowerBound)-\(range.upperBound)" }
}
