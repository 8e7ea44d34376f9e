import OpenCVTracking
import LucasKanade
import Media
import Tracking

/// Point flow beside `cv::calcOpticalFlowPyrLK`: 100 corners, windows of 21×21, three levels.
struct FlowBench {
    private let options: BenchOptions

    init(_ options: BenchOptions) { self.options = options }

    private static let window = 21
    private static let levels = 3
    private static let points = 100
    private static let pairs = 20

    /// When a level ends.
    private enum Ending: CaseIterable {
        /// After two steps, whatever their size: more could not be equal, since OpenCV always ends where two steps cancel
        /// out to less than 0.01 px.
        case equal
        /// After 30 steps, or one of 0.01 px: the defaults of both.
        case usual

        var name: String {
            switch self {
            case .equal: "2 iterations"
            case .usual: "until 0.01 px"
            }
        }

        var iterations: Int { self == .equal ? 2 : 30 }
        var epsilon: Double { self == .equal ? 0 : 0.01 }
    }

    /// Two frames and what OpenCV's detector finds in the first.
    private struct Pair {
        let first, second: Image
        let corners: [peers_point]
    }

    func run(_ report: inout BenchReport) throws {
        let pairs = try makePairs()
        let count = Double(pairs.reduce(0) { $0 + $1.corners.count })
        for ending in Ending.allCases {
            var (ours, peers): ([Times], [Times]) = ([], [])
            var differences: [Double] = []
            for _ in 0..<options.repeats {
                var (our, peer) = (Times(), Times())
                differences.removeAll()
                for pair in pairs {
                    let ends = zip(
                        try Self.ours(pair, until: ending, &our), try Self.peers(pair, until: ending, &peer))
                    for case (let a?, let b?) in ends {
                        let (dx, dy) = (a.x - Double(b.x), a.y - Double(b.y))
                        differences.append((dx * dx + dy * dy).squareRoot())
                    }
                }
                ours.append(our)
                peers.append(peer)
            }
            let isEqual = ending == .equal
            report.add(
                "PointFlow, \(ending.name): a point", ours.map { 1e6 * $0.points / count }, unit: "us", target: "")
            report.add(
                "PointFlow / calcOpticalFlowPyrLK, \(ending.name): points",
                zip(ours, peers).map { $0.points / $1.points }, unit: "ratio",
                target: isEqual ? "<= 1, wanted 0.5" : "")
            report.add(
                "PointFlow / calcOpticalFlowPyrLK, \(ending.name): pyramids too",
                zip(ours, peers).map { $0.whole / $1.whole }, unit: "ratio", target: "")
            guard !isEqual, !differences.isEmpty else { continue }
            report.add(
                "median difference of where \(differences.count) points went",
                [differences.sorted()[differences.count / 2]], unit: "px", target: "<= 0.05")
        }
    }

    private func makePairs() throws -> [Pair] {
        let pictures: [Footage.Picture]
        if let data = options.data {
            let video = MediaInput.video(path: data.appendingPathComponent("videos/vtest.avi").path)
            pictures = try Footage(decoding: video, frames: Self.pairs + 1).pictures
        } else {
            let scene = try SyntheticScene(.init(width: 768, height: 576, frames: Self.pairs + 1, noise: 2))
            pictures = Footage(scene).pictures
        }
        return try zip(pictures, pictures.dropFirst()).map { first, second in
            var corners = [peers_point](repeating: peers_point(), count: Self.points)
            let found = try Peers.check("goodFeaturesToTrack") { message -> Int32? in
                let count = first.gray.withPeerImage {
                    peers_corners($0, Int32(Self.points), 10, &corners, message)
                }
                return count < 0 ? nil : count
            }
            return Pair(first: first.gray, second: second.gray, corners: Array(corners.prefix(Int(found))))
        }
    }

    private struct Times {
        var pyramids = 0.0
        var points = 0.0
        var whole: Double { pyramids + points }
    }

    private static func ours(
        _ pair: Pair, until ending: Ending, _ times: inout Times
    ) throws -> [AffineWarp.Point?] {
        var pyramids: [Pyramid] = []
        times.pyramids += Stopwatch.seconds {
            pyramids = [pair.first, pair.second].map { Pyramid($0, options: PyramidOptions(levels: levels)) }
        }
        let flow = PointFlow(
            window: window, levels: levels, maximumIterations: ending.iterations, epsilon: ending.epsilon,
            minimumEigenvalue: 0)
        let workspace = AlignmentWorkspace()
        var ends: [AffineWarp.Point?] = []
        times.points += Stopwatch.seconds {
            ends = pair.corners.map { corner in
                let result = flow.track(
                    x: Double(corner.x), y: Double(corner.y), from: pyramids[0], to: pyramids[1], workspace: workspace)
                return result.status == .tracked ? (result.x, result.y) : nil
            }
        }
        return ends
    }

    private static func peers(
        _ pair: Pair, until ending: Ending, _ times: inout Times
    ) throws -> [peers_point?] {
        var pyramids: [PeerPyramid] = []
        times.pyramids += try Stopwatch.seconds {
            pyramids = try [pair.first, pair.second].map { try PeerPyramid($0, window: window, levels: levels) }
        }
        var ends: [peers_point?] = []
        times.points += try Stopwatch.seconds {
            ends = try pyramids[0].flow(
                of: pair.corners, to: pyramids[1], window: window, levels: levels,
                iterations: ending.iterations, epsilon: ending.epsilon)
        }
        return ends
    }
}
