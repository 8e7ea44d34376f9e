import Foundation
import Media
import Synchronization
import Testing
import TrackingAPI

@testable import lktrack

/// Pictures for somebody who waits, from a decoder that never answers.
@Suite("Decoding single frames", .timeLimit(.minutes(10)))
struct FrameDecodingTests {
    /// A file that passes for a video, and one that passes for an image; nobody reads them.
    private final class Files {
        let video = Files.file(Array("\u{0}\u{0}\u{0}\u{18}ftypisom".utf8))
        let image = Files.file([0x89] + Array("PNG\r\n\u{1A}\n".utf8))

        deinit { for path in [video, image] { try? FileManager.default.removeItem(atPath: path) } }

        private static func file(_ start: [UInt8]) -> String {
            let path = FileManager.default.temporaryDirectory.appendingPathComponent("frame-\(UUID().uuidString)").path
            let bytes = Data(start + [UInt8](repeating: 0, count: 999))
            #expect(FileManager.default.createFile(atPath: path, contents: bytes))
            return path
        }
    }

    private let files = Files()

    private func media(mostSeconds: Double) -> DecoderMediaServices {
        DecoderMediaServices(
            limits: DecodeLimits(stallSeconds: 600),
            decoder: DecoderCommand(executable: "/bin/sleep", arguments: ["1000"]),
            mostSeconds: mostSeconds)
    }

    private func code(_ body: () throws(MediaServiceError) -> Void) -> MediaServiceError.Code? {
        do throws(MediaServiceError) {
            try body()
            return nil
        } catch {
            return error.code
        }
    }

    @Test("a decoder ends when nobody wants its frame any more, also where that is so from the beginning")
    func canceled() {
        let media = media(mostSeconds: 600)
        for answers in [0, 2] {
            let asked = Mutex(0)
            let isWanted: @Sendable () -> Bool = {
                asked.withLock { count in
                    count += 1
                    return count <= answers
                }
            }
            let frame = code { () throws(MediaServiceError) in
                _ = try media.frame(0, of: .video, path: files.video, as: .png, isWanted: isWanted)
            }
            #expect(frame == .canceled)
            #expect(asked.withLock { $0 } > answers)
        }
        let judged = code { () throws(MediaServiceError) in
            _ = try media.trackability(of: [], on: .image(path: files.image), isWanted: { false })
        }
        #expect(judged == .canceled)
    }

    @Test("who waits is not kept as long as a job's decoder may take")
    func tooLong() {
        let media = media(mostSeconds: 0.3)
        let frame = code { () throws(MediaServiceError) in
            _ = try media.frame(0, of: .video, path: files.video, as: .png, isWanted: { true })
        }
        #expect(frame == .timedOut)
    }
}
