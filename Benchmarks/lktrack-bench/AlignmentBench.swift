import OpenCVTracking
import LucasKanade
import Tracking

/// What an iteration of an affine alignment costs for each pixel of a 64×64 template, beside `cv::findTransformECC`.
///
/// Both make a fixed number of iterations, with gain and bias, without blur, on the same pixels from the same start. The
/// cost of an iteration is the difference of a long and a short run, so that what happens once a call does not count.
struct AlignmentBench {
    private let options: BenchOptions

    init(_ options: BenchOptions) { self.options = options }

    private static let side = 64
    private static let margin = 16
    private static let iterations = (short: 20, long: 120)
    /// Our run takes too little time to be measured once.
    private static let runs = 20

    func run(_ report: inout BenchReport) throws {
        let size = Self.side + 2 * Self.margin
        let scene = try SyntheticScene(.init(width: size, height: size, frames: 2, speed: 0.5, noise: 2))
        let (first, second) = (scene.gray(frame: 0), scene.gray(frame: 1))
        let cut = Self.cut(first)
        let centre = Double(Self.margin) + Double(Self.side - 1) / 2
        let template = Template(
            from: Pyramid(Plane(first), levels: 1), at: .translation(centre, centre), width: Double(Self.side),
            height: Double(Self.side), options: TemplateOptions(gridSide: Self.side))
        let pyramid = Pyramid(Plane(second), levels: 1)
        var peer: [Double] = []
        var ours: [AlignmentMethod: [Double]] = [:]
        for _ in 0..<options.repeats {
            peer.append(try Self.cost { try Self.ecc(cut, second, iterations: $0) })
            for method in AlignmentMethod.allCases {
                let cost = try Self.cost { iterations in
                    for _ in 0..<Self.runs {
                        try Self.align(template, pyramid, at: centre, method: method, iterations: iterations)
                    }
                }
                ours[method, default: []].append(cost / Double(Self.runs))
            }
        }
        report.add("findTransformECC: iteration", peer, unit: "ns/px", target: "")
        for method in AlignmentMethod.allCases {
            let costs = ours[method] ?? []
            let isTarget = method == .inverseCompositional
            report.add("\(method): iteration", costs, unit: "ns/px", target: isTarget ? "wanted 1" : "")
            report.add(
                "findTransformECC / \(method)", zip(peer, costs).map { $0 / $1 }, unit: "ratio",
                target: isTarget ? ">= 20" : "")
        }
    }

    /// Nanoseconds for each pixel and iteration.
    private static func cost(_ run: (_ iterations: Int) throws -> Void) throws -> Double {
        let short = try Stopwatch.seconds { try run(iterations.short) }
        let long = try Stopwatch.seconds { try run(iterations.long) }
        return (long - short) * 1e9 / Double((iterations.long - iterations.short) * side * side)
    }

    private static func ecc(_ template: Image, _ image: Image, iterations: Int) throws {
        var warp: [Float] = [1, 0, Float(margin) + 0.7, 0, 1, Float(margin) - 0.6]
        _ = try Peers.check("findTransformECC") { message -> Void? in
            let result = template.withPeerImage { template in
                image.withPeerImage { peers_ecc(template, $0, Int32(iterations), &warp, message) }
            }
            return result == 0 ? () : nil
        }
    }

    private static func align(
        _ template: Template, _ pyramid: Pyramid, at centre: Double, method: AlignmentMethod, iterations: Int
    ) throws {
        let aligner = Aligner(
            options: AlignmentOptions(method: method, maximumIterations: iterations, epsilon: 0))
        let result = aligner.align(
            template, to: pyramid, from: .translation(centre + 0.7, centre - 0.6), workspace: AlignmentWorkspace())
        guard result.iterations == iterations else {
            throw BenchError("\(method) ended after \(result.iterations) of \(iterations) iterations")
        }
    }

    /// The template as OpenCV takes it.
    private static func cut(_ image: Image) -> Image {
        let pixels = (0..<side).flatMap { y in (0..<side).map { x in image[x + margin, y + margin] } }
        return Image(width: side, height: side, pixels: pixels)
    }
}
