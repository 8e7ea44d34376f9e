import Foundation
import LucasKanade
import Media
import Testing

/// The decoder that tests start: the `lktrack` that was built beside them.
enum TestDecoder {
    static let command: DecoderCommand = {
        let folder = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        let beside = folder.appendingPathComponent("lktrack").path
        let path = ProcessInfo.processInfo.environment["LKTRACK_BINARY"] ?? beside
        return DecoderCommand(executable: path, arguments: [DecoderMain.subcommand])
    }()

    static func open(
        _ input: MediaInput, _ request: DecodeRequest = DecodeRequest(), cancellation: MediaCancellation = .init()
    ) throws(MediaError) -> DecoderProcess {
        try DecoderProcess.open(input, request: request, command: command, cancellation: cancellation)
    }
}

/// Real input that is not part of the project.
enum TestData {
    static let folder: String? = {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let path =
            ProcessInfo.processInfo.environment["LKTRACK_TEST_DATA"]
            ?? root.deletingLastPathComponent().appendingPathComponent("shared/data").path
        return FileManager.default.fileExists(atPath: path) ? path : nil
    }()

    static var isThere: Bool { folder != nil }

    static func path(_ name: String) throws -> String { try #require(folder, "no test data") + "/" + name }
}

/// A folder that is gone when the test is over.
final class TemporaryFolder {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "/lktrack-media-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func file(_ name: String) -> String { path + "/" + name }

    @discardableResult
    func write(_ bytes: [UInt8], to name: String) throws -> String {
        let url = URL(fileURLWithPath: file(name))
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(bytes).write(to: url)
        return url.path
    }

    var names: [String] { (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? [] }
}

/// Pictures that differ from frame to frame and have no symmetry.
enum TestPicture {
    /// Smooth, so that it survives compression: a bright blob that wanders over a gradient.
    static func color(_ frame: Int, width: Int = 96, height: Int = 64) -> Image {
        var pixels = [UInt8](repeating: 0, count: width * height * 3)
        let (blobX, blobY) = (10 + frame % max(width - 20, 1), height / 3)
        for y in 0..<height {
            for x in 0..<width {
                let distance = (x - blobX) * (x - blobX) + (y - blobY) * (y - blobY)
                let blob = distance < 36 ? 100 : 0
                let position = (y * width + x) * 3
                pixels[position] = UInt8(min(255, 40 + x * 80 / width + blob))
                pixels[position + 1] = UInt8(min(255, 30 + y * 100 / height + blob))
                pixels[position + 2] = UInt8(min(255, 60 + blob))
            }
        }
        return Image(width: width, height: height, channels: 3, pixels: pixels)
    }

    static func gray(_ frame: Int, width: Int = 48, height: Int = 32) -> Image {
        let pixels = (0..<(width * height)).map { UInt8(truncatingIfNeeded: $0 * 3 + $0 / width + frame * 7) }
        return Image(width: width, height: height, pixels: pixels)
    }
}

extension Image {
    /// The pixels without padding.
    var pixels: [UInt8] {
        withBytes { bytes in
            (0..<height).flatMap { bytes[($0 * bytesPerRow)..<($0 * bytesPerRow + width * channels)] }
        }
    }

    /// The mean of the absolute differences.
    func meanDifference(from other: Image) -> Double {
        let differences = zip(pixels, other.pixels).map { abs(Int($0) - Int($1)) }
        return Double(differences.reduce(0, +)) / Double(max(differences.count, 1))
    }
}

enum TestVideo {
    static let frameCount = 60

    /// An MP4 or AVI of ``TestPicture/color(_:width:height:)``.
    static func write(
        to path: String, container: VideoContainer = .mp4, frames: Int = frameCount, width: Int = 96, height: Int = 64,
        times: ((Int) -> Double)? = nil
    ) throws {
        let encoder = try VideoEncoder(path: path, container: container, width: width, height: height, frameRate: 25)
        for frame in 0..<frames {
            try encoder.append(TestPicture.color(frame, width: width, height: height), time: times?(frame))
        }
        try encoder.finish()
    }
}

extension FrameSource {
    /// All frames that are left. They hold their pixels, so this suits small sources only.
    func remaining() throws(MediaError) -> [Frame] {
        var frames: [Frame] = []
        while let frame = try next() { frames.append(frame) }
        return frames
    }
}

/// The error that `body` throws, or `nil`.
func mediaError(_ body: () throws -> Void) -> MediaError? {
    do {
        try body()
        return nil
    } catch {
        return error as? MediaError
    }
}

func readBytes(_ path: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(fileURLWithPath: path))) }

/// SplitMix64 (Steele, Lea & Flood, 2014).
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}
