import Foundation
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
        _ index: Int, of kind: JobSource.Kind, path: String, as format: FrameFormat,
        isWanted: @escaping @Sendable () -> Bool
    ) throws(MediaServiceError) -> [UInt8] {
        guard index < Self.frameCount else {
            throw MediaServiceError(.frameNotFound, "The source has \(Self.frameCount) frames.")
        }
        return Array("\(format.rawValue) of frame \(index)".utf8)
    }

    /// Every picture has 100×80 pixels; one that is shorter than its head is not whole. The size of a box is the number of
    /// bytes of the file, to tell that it was this one.
    func trackability(
        of boxes: [PixelBox], on picture: StillPicture, isWanted: @escaping @Sendable () -> Bool
    ) throws(MediaServiceError) -> PictureTrackability {
        let path: String
        switch picture {
        case .image(let file): path = file
        case .frame(let index, _, let file):
            guard index < Self.frameCount else { throw MediaServiceError(.frameNotFound, "There are 3 frames.") }
            path = file
        }
        let bytes = FileManager.default.contents(atPath: path)?.count ?? 0
        guard bytes >= 100 else { throw MediaServiceError(.undecodable, "The picture cannot be decoded.") }
        return PictureTrackability(
            width: 100, height: 80,
            boxes: boxes.map { box in
                guard box.x < 100, box.y < 80 else { return nil }
                return BoxTrackability(
                    box: box, verdict: .poor, findings: [.edge], advice: "Draw it anew.", leastEigenvalue: 1,
                    greatestEigenvalue: 60, contrast: 20, texture: 10, noise: 1, leastError: nil, size: Double(bytes),
                    visible: 1, pixelSize: 1, levels: 3)
            })
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
