import Jobs
import TrackingAPI

/// Recognises by magic numbers and makes frames of a few bytes: what the executable does with the real decoders, small
/// enough to be predicted.
struct TestMedia: MediaServices {
    /// Every source has so many frames.
    static let frameCount = 3

    func recognise(prefix: [UInt8]) -> RecognisedMedia? {
        if prefix.dropFirst(4).starts(with: "ftyp".utf8) {
            return RecognisedMedia(.video, mediaType: "video/mp4", fileExtension: "mp4")
        }
        if prefix.starts(with: "PK\u{3}\u{4}".utf8) {
            return RecognisedMedia(.archive, mediaType: "application/zip", fileExtension: "zip")
        }
        if prefix.dropFirst(257).starts(with: "ustar".utf8) {
            return RecognisedMedia(.archive, mediaType: "application/x-tar", fileExtension: "tar")
        }
        if prefix.starts(with: [0x89] + Array("PNG".utf8)) {
            return RecognisedMedia(.image, mediaType: "image/png", fileExtension: "png")
        }
        return nil
    }

    func frame(
        _ index: Int, of source: JobSource, path: String, as format: FrameFormat
    ) throws(MediaServiceError) -> [UInt8] {
        guard index < Self.frameCount else {
            throw MediaServiceError(.frameNotFound, "The source has \(Self.frameCount) frames.")
        }
        return Array("\(format.rawValue) of frame \(index)".utf8)
    }
}

/// Files that are recognised as what they are called.
enum Sample {
    static func video(bytes: Int = 10_000, seed: UInt64 = 1) -> [UInt8] {
        [0, 0, 0, 24] + Array("ftypisom".utf8) + noise(bytes, seed: seed)
    }

    static func zip(bytes: Int = 9_000) -> [UInt8] { Array("PK\u{3}\u{4}".utf8) + noise(bytes, seed: 2) }

    static func tar() -> [UInt8] { noise(257, seed: 3) + Array("ustar\u{0}00".utf8) + noise(2_000, seed: 4) }

    static func image(bytes: Int = 700, seed: UInt64 = 5) -> [UInt8] {
        [0x89] + Array("PNG".utf8) + noise(bytes, seed: seed)
    }

    static let text = Array("#EXTM3U\nfile:///etc/passwd\n".utf8)

    static func noise(_ count: Int, seed: UInt64) -> [UInt8] {
        var generator = SplitMix64(state: seed)
        return (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
    }
}

/// Steele, Lea and Flood, "Fast splittable pseudorandom number generators" (OOPSLA 2014).
struct SplitMix64: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
