import LucasKanade
import Tracking

/// A scene's frames, rendered once.
struct Footage {
    let scene: SyntheticScene
    let frames: [Image]

    init(_ options: SyntheticScene.Options) throws {
        scene = try SyntheticScene(options)
        frames = (0..<options.frames).map(scene.gray)
    }

    func box(_ target: Int = 0, frame: Int = 0) -> Box { scene.truth(frame: frame)[target].box }

    func request(_ target: Int = 0) -> TargetRequest { TargetRequest(id: "target-\(target)", box: box(target)) }
}

/// The estimates of every frame, target after target within a frame.
func track(
    _ frames: [Image], _ targets: [TargetRequest], _ options: TrackerOptions = .template
) throws -> [[TargetEstimate?]] {
    var session = try TrackingSession(targets: targets, options: options)
    return try frames.enumerated().map { try session.process(gray: $0.element, frame: $0.offset) }
}

/// The estimates of a single target that starts at once.
func track(
    _ frames: [Image], box: Box, _ options: TrackerOptions = .template
) throws -> [TargetEstimate] {
    try track(frames, [TargetRequest(id: "target", box: box)], options).compactMap { $0[0] }
}

extension TrackingSession {
    /// A frame without colours.
    mutating func process(gray: Image, frame: Int) throws(TrackingError) -> [TargetEstimate?] {
        try process(gray: gray, color: needsColor ? gray.tripled : nil, frame: frame)
    }
}

extension Image {
    /// The same in 3 channels.
    var tripled: Image {
        var pixels: [UInt8] = []
        pixels.reserveCapacity(3 * width * height)
        for y in 0..<height {
            for x in 0..<width { for _ in 0..<3 { pixels.append(self[x, y]) } }
        }
        return Image(width: width, height: height, channels: 3, pixels: pixels)
    }

    static func flat(_ level: UInt8, width: Int = 64, height: Int = 48) -> Image {
        Image(width: width, height: height, pixels: [UInt8](repeating: level, count: width * height))
    }

    /// A larger picture with this one in it and `level` around it.
    func embedded(inWidth outerWidth: Int, height outerHeight: Int, x: Int, y: Int, level: (Int, Int) -> UInt8) -> Image
    {
        var pixels: [UInt8] = []
        pixels.reserveCapacity(outerWidth * outerHeight)
        for row in 0..<outerHeight {
            for column in 0..<outerWidth {
                let isInside = (x..<x + width).contains(column) && (y..<y + height).contains(row)
                pixels.append(isInside ? self[column - x, row - y] : level(column, row))
            }
        }
        return Image(width: outerWidth, height: outerHeight, pixels: pixels)
    }

    /// The part of a picture that a window shows.
    func cropped(x: Int, y: Int, width: Int, height: Int) -> Image {
        var pixels: [UInt8] = []
        pixels.reserveCapacity(width * height)
        for row in y..<y + height {
            for column in x..<x + width { pixels.append(self[column, row]) }
        }
        return Image(width: width, height: height, pixels: pixels)
    }
}

extension TrackerOptions {
    static let template = TrackerOptions(mode: .template)
}

extension TargetEstimate {
    /// Whether every number is finite and every share in its range.
    var isSound: Bool {
        box.isFinite && box.width > 0 && box.height > 0 && quad.coordinates.allSatisfy(\.isFinite)
            && affine.coefficients.allSatisfy(\.isFinite) && (0...1).contains(confidence) && (-1...1).contains(zncc)
            && residual.isFinite && residual >= 0 && iterations >= 0
    }
    /// Whether the box's area is under four times the frame's and its centre within one box of the frame.
    func isBounded(width: Int, height: Int) -> Bool {
        box.width * box.height < Double(4 * width * height)
            && box.center.x >= -box.width && box.center.x <= Double(width) + box.width
            && box.center.y >= -box.height && box.center.y <= Double(height) + box.height
    }
}
