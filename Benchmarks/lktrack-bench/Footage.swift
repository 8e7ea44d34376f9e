import Foundation
import LucasKanade
import Media
import Tracking

/// Frames in memory, decoded once for all who are measured on them.
struct Footage {
    struct Picture {
        let gray: Image
        /// Blue, green, red.
        let color: Image
    }

    var pictures: [Picture] = []

    /// Every frame of an OTB folder or a video, or its first ones.
    init(decoding input: MediaInput, frames: Int? = nil) throws {
        let source = try DecoderProcess.open(input, request: DecodeRequest(stop: frames, color: true))
        while let frame = try source.next() {
            guard let color = frame.color else { throw BenchError("a frame came without colour") }
            pictures.append(Picture(gray: frame.gray.copied(), color: color.copied()))
        }
    }

    init(_ scene: SyntheticScene) {
        pictures = (0..<scene.options.frames).map {
            Picture(gray: scene.gray(frame: $0), color: scene.color(frame: $0))
        }
    }
}

extension Image {
    /// In memory of its own: a frame of a decoder has only been lent.
    func copied() -> Image {
        let rows = withBytes { bytes in
            (0..<height).flatMap { row in bytes[row * bytesPerRow..<row * bytesPerRow + width * channels] }
        }
        return Image(width: width, height: height, channels: channels, pixels: rows)
    }
}

/// Who is measured: one of our modes, or one of OpenCV's trackers.
enum Competitor: Hashable {
    case ours(TrackerOptions.Mode)
    case peer(PeerTracker.Kind)

    static var ours: [Competitor] { TrackerOptions.Mode.allCases.map(Competitor.ours) }
    static var peers: [Competitor] { PeerTracker.Kind.allCases.map(Competitor.peer) }

    var name: String {
        switch self {
        case .ours(let mode): mode.rawValue
        case .peer(let kind): kind.rawValue
        }
    }

    struct Run {
        var boxes: [Box?]
        /// Of each frame, in seconds; the first is the start.
        var seconds: [Double]
    }

    /// Follows one box from the first frame to the last, on this thread.
    func run(over pictures: [Footage.Picture], box: Box) throws -> Run {
        var run = Run(boxes: [], seconds: [])
        switch self {
        case .ours(let mode):
            var session = try TrackingSession(
                targets: [TargetRequest(id: "target", box: box)], options: TrackerOptions(mode: mode))
            for (index, picture) in pictures.enumerated() {
                run.seconds.append(
                    try Stopwatch.seconds {
                        let estimates = try session.process(gray: picture.gray, color: picture.color, frame: index)
                        run.boxes.append(estimates[0]?.box)
                    })
            }
        case .peer(let kind):
            var tracker: PeerTracker?
            for picture in pictures {
                run.seconds.append(
                    try Stopwatch.seconds {
                        if let tracker {
                            run.boxes.append(try tracker.update(picture.color))
                        } else {
                            tracker = try PeerTracker(kind, image: picture.color, box: box)
                            run.boxes.append(box)
                        }
                    })
            }
        }
        return run
    }
}
