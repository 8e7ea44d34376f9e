import Foundation
import LucasKanade
import Media
import Tracking

/// How the cost grows with the number of targets: 1 to 32 together, against the sum of the same targets one by one.
/// (Targets differ in cost, so the time of 32 against 32 times that of one would measure which one.)
struct TargetCountBench {
    private let options: BenchOptions

    init(_ options: BenchOptions) { self.options = options }

    private static let counts = [1, 2, 4, 8, 16, 32]
    private static let frames = 60

    func run(_ report: inout BenchReport) throws {
        let (pictures, boxes) = try material()
        for mode in TrackerOptions.Mode.allCases {
            var ratios: [Int: [Double]] = [:]
            var milliseconds: [Int: [Double]] = [:]
            for _ in 0..<options.repeats {
                let alone = try boxes.map { try Self.seconds(mode, pictures, [$0]) }
                for count in Self.counts {
                    let together = try Self.seconds(mode, pictures, Array(boxes.prefix(count)))
                    ratios[count, default: []].append(together / alone.prefix(count).reduce(0, +))
                    milliseconds[count, default: []].append(1000 * together / Double(pictures.count))
                }
            }
            for count in Self.counts {
                report.add(
                    "\(mode.rawValue), targets \(count): a frame", milliseconds[count] ?? [], unit: "ms", target: "")
            }
            for count in Self.counts {
                report.add(
                    "\(mode.rawValue), targets \(count): together / one by one", ratios[count] ?? [], unit: "ratio",
                    target: "<= 1.15, wanted < 1")
            }
        }
    }

    private static func seconds(
        _ mode: TrackerOptions.Mode, _ pictures: [Footage.Picture], _ boxes: [Box]
    ) throws -> Double {
        var session = try TrackingSession(
            targets: boxes.enumerated().map { TargetRequest(id: "\($0.offset)", box: $0.element) },
            options: TrackerOptions(mode: mode))
        return try Stopwatch.seconds {
            for (index, picture) in pictures.enumerated() {
                _ = try session.process(gray: picture.gray, color: picture.color, frame: index)
            }
        }
    }

    /// Boxes spread over the frame.
    private func material() throws -> ([Footage.Picture], [Box]) {
        guard let data = options.data else {
            let scene = try SyntheticScene(.init(width: 960, height: 720, frames: Self.frames, targets: 32))
            return (Footage(scene).pictures, scene.truth(frame: 0).map(\.box))
        }
        let video = MediaInput.video(path: data.appendingPathComponent("videos/vtest.avi").path)
        let pictures = try Footage(decoding: video, frames: Self.frames).pictures
        let (columns, rows) = (8, 4)
        guard let first = pictures.first?.gray else { throw BenchError("vtest.avi has no frame") }
        let cell = (width: Double(first.width) / Double(columns), height: Double(first.height) / Double(rows))
        let boxes = (0..<columns * rows).map { index in
            Box(
                center: Point(
                    x: (Double(index % columns) + 0.5) * cell.width, y: (Double(index / columns) + 0.5) * cell.height),
                width: 40, height: 80)
        }
        return (pictures, boxes)
    }
}

/// How the cost grows with the frame: the same 480p picture in the middle of ever larger frames, so that the target, its
/// neighbourhood and its motion are the same.
struct ResolutionBench {
    private let options: BenchOptions

    init(_ options: BenchOptions) { self.options = options }

    private static let sizes: [(name: String, width: Int, height: Int)] = [
        ("480p", 854, 480), ("720p", 1280, 720), ("1080p", 1920, 1080), ("4K", 3840, 2160),
    ]
    private static let frames = 60

    func run(_ report: inout BenchReport) throws {
        let scene = try SyntheticScene(
            .init(
                width: Self.sizes[0].width, height: Self.sizes[0].height, frames: Self.frames, targetWidth: 60,
                targetHeight: 80, speed: 3, noise: 2))
        let pictures = Footage(scene).pictures
        let box = scene.truth(frame: 0)[0].box
        for mode in TrackerOptions.Mode.allCases {
            var seconds: [String: [Double]] = [:]
            for _ in 0..<options.repeats {
                for size in Self.sizes {
                    let time = try Self.seconds(mode, pictures, box, width: size.width, height: size.height)
                    seconds[size.name, default: []].append(time)
                }
            }
            let base = seconds[Self.sizes[0].name] ?? []
            for size in Self.sizes {
                let times = seconds[size.name] ?? []
                report.add(
                    "\(mode.rawValue), \(size.name): a frame", times.map { 1000 * $0 / Double(Self.frames) },
                    unit: "ms",
                    target: "")
                if size.name == "4K" {
                    report.add(
                        "\(mode.rawValue), 4K / 480p: a frame", zip(times, base).map { $0 / $1 }, unit: "ratio",
                        target: "<= 1.3, wanted 1")
                }
            }
        }
    }

    /// The time of all frames, without that of making them.
    private static func seconds(
        _ mode: TrackerOptions.Mode, _ pictures: [Footage.Picture], _ box: Box, width: Int, height: Int
    ) throws -> Double {
        guard let inner = pictures.first?.gray else { return 0 }
        // Multiples of 64, so that the pixels of every pyramid level are the same.
        let x = (width - inner.width) / 2 / 64 * 64
        let y = (height - inner.height) / 2 / 64 * 64
        let gray = Canvas(width: width, height: height, channels: 1)
        let color = Canvas(width: width, height: height, channels: 3)
        let moved = Box(x: box.x + Double(x), y: box.y + Double(y), width: box.width, height: box.height)
        var session = try TrackingSession(
            targets: [TargetRequest(id: "target", box: moved)], options: TrackerOptions(mode: mode))
        var total = 0.0
        for (index, picture) in pictures.enumerated() {
            let frame = (gray.image(with: picture.gray, x: x, y: y), color.image(with: picture.color, x: x, y: y))
            total += try Stopwatch.seconds {
                _ = try session.process(gray: frame.0, color: frame.1, frame: index)
            }
        }
        return total
    }
}

/// A frame that smaller pictures are put into, one after the other.
private final class Canvas {
    private let width, height, channels: Int
    private let memory: UnsafeMutableRawBufferPointer

    init(width: Int, height: Int, channels: Int) {
        (self.width, self.height, self.channels) = (width, height, channels)
        memory = .allocate(byteCount: width * height * channels, alignment: 64)
        // Grey all around.
        memory.initializeMemory(as: UInt8.self, repeating: 100)
    }

    deinit { memory.deallocate() }

    /// The frame with a picture at (x, y). Valid until the next call: it is the canvas's own memory.
    func image(with picture: Image, x: Int, y: Int) -> Image {
        let bytesPerRow = width * channels
        picture.withBytes { bytes in
            for row in 0..<picture.height {
                let source = bytes[row * picture.bytesPerRow..<row * picture.bytesPerRow + picture.width * channels]
                let start = (y + row) * bytesPerRow + x * channels
                UnsafeMutableRawBufferPointer(rebasing: memory[start..<start + source.count])
                    .copyBytes(from: UnsafeRawBufferPointer(rebasing: source))
            }
        }
        return Image(
            base: UnsafeRawPointer(memory.baseAddress!), width: width, height: height, channels: channels,
            bytesPerRow: bytesPerRow, release: {})
    }
}
