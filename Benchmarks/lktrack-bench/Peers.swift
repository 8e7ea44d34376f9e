import OpenCVTracking
import LucasKanade
import Tracking

/// What OpenCV offers for the same tasks.
enum Peers {
    static func useOneThread() { peers_use_one_thread() }

    static var version: String { String(cString: peers_version()) }

    /// Turns OpenCV's failure into an error.
    static func check<R>(_ what: String, _ body: (UnsafeMutablePointer<peers_message>) -> R?) throws -> R {
        var message = peers_message()
        if let result = body(&message) { return result }
        let text = withUnsafeBytes(of: message.text) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        throw BenchError("OpenCV's \(what): \(text)")
    }
}

extension Image {
    /// The pixels for OpenCV, inside the closure.
    func withPeerImage<R>(_ body: (UnsafePointer<peers_image>) throws -> R) rethrows -> R {
        try withBytes { bytes in
            var image = peers_image(
                pixels: bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), width: Int32(width),
                height: Int32(height), channels: Int32(channels), bytes_per_row: bytesPerRow)
            return try body(&image)
        }
    }
}

/// One of OpenCV's trackers, with its default parameters.
final class PeerTracker {
    enum Kind: String, CaseIterable {
        case csrt = "OpenCV CSRT"
        case kcf = "OpenCV KCF"
        case medianFlow = "OpenCV MedianFlow"
        case mosse = "OpenCV MOSSE"

        fileprivate var raw: peers_kind {
            switch self {
            case .csrt: PEERS_CSRT
            case .kcf: PEERS_KCF
            case .medianFlow: PEERS_MEDIAN_FLOW
            case .mosse: PEERS_MOSSE
            }
        }
    }

    private let tracker: OpaquePointer
    private let kind: Kind
    private var last: Box

    init(_ kind: Kind, image: Image, box: Box) throws {
        self.kind = kind
        last = box
        tracker = try Peers.check(kind.rawValue) { message in
            image.withPeerImage {
                peers_tracker_create(
                    kind.raw, $0, peers_box(x: box.x, y: box.y, width: box.width, height: box.height), message)
            }
        }
    }

    deinit { peers_tracker_destroy(tracker) }

    /// Where the target is in the next frame; where it was last where the tracker finds nothing.
    func update(_ image: Image) throws -> Box {
        var box = peers_box(x: last.x, y: last.y, width: last.width, height: last.height)
        let found = try Peers.check(kind.rawValue) { message -> Int32? in
            let result = image.withPeerImage { peers_tracker_update(tracker, $0, &box, message) }
            return result < 0 ? nil : result
        }
        if found == 1 { last = Box(x: box.x, y: box.y, width: box.width, height: box.height) }
        return last
    }
}

/// A pyramid for OpenCV's point flow.
final class PeerPyramid {
    fileprivate let pyramid: OpaquePointer

    init(_ gray: Image, window: Int, levels: Int) throws {
        pyramid = try Peers.check("buildOpticalFlowPyramid") { message in
            gray.withPeerImage { peers_pyramid_create($0, Int32(window), Int32(levels), message) }
        }
    }

    deinit { peers_pyramid_destroy(pyramid) }

    /// Where each point went; `nil` where it was not found.
    func flow(
        of points: [peers_point], to next: PeerPyramid, window: Int, levels: Int, iterations: Int,
        epsilon: Double
    ) throws -> [peers_point?] {
        var ends = [peers_point](repeating: peers_point(), count: points.count)
        var status = [UInt8](repeating: 0, count: points.count)
        _ = try Peers.check("calcOpticalFlowPyrLK") { message -> Void? in
            let result = peers_flow(
                pyramid, next.pyramid, points, Int32(points.count), Int32(window), Int32(levels), Int32(iterations),
                epsilon, &ends, &status, message)
            return result == 0 ? () : nil
        }
        return zip(ends, status).map { $1 == 1 ? $0 : nil }
    }
}
