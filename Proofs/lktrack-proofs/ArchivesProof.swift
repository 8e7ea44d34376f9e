import Foundation
import ServiceHarness

/// Archives write nothing outside, their links lead nowhere, and what is in them is bounded.
struct ArchivesProof: Proof {
    let name = "archives"
    let claim = "hostile archives fail their job, and nothing is written or read elsewhere"

    /// An archive, and how its job must fail.
    private struct Hostile {
        var name: String
        var bytes: [UInt8]
        var code = "undecodable"
        /// What the message names, where archives fail by the same code for several reasons.
        var reason: String?
    }

    private static let count = 18
    /// `limits.frames`, few enough that more of them are made at once.
    private static let frames = 1000
    /// Entries of any kind that an archive may have; see ArchiveFiles.
    private static let entries = 2 * frames + 10_000

    func run(_ options: ProofOptions) throws -> ProofResult {
        let server = try Server("--workers", "1", environment: ["LKTRACK_LIMITS_FRAMES": "\(Self.frames)"])
        let scene = try Material.synthetic(frames: 1)
        let image = try scene.firstImage()
        let outside = ["/tmp/2.png", "/2.png", server.data.path("2.png"), server.data.path("../2.png")]
        var result = ProofResult(tried: "")
        var archives = HostileArchives.all(image).map { Hostile(name: $0.name, bytes: $0.bytes) }
        archives += try Self.tooLarge(image)
        result.expect(archives.count >= Self.count, "there are \(archives.count) archives, not \(Self.count)")
        var reached = 0
        func submit(_ bytes: [UInt8]) throws -> WireAnswer {
            try server.wire.request(
                "POST", "/v1/jobs?roi=\(scene.box)", fields: ["Content-Type: application/octet-stream"], body: bytes)
        }
        for archive in archives {
            let answer = try submit(archive.bytes)
            guard answer.status == 202, let id = answer.json["id"] as? String else {
                result.expect(
                    (400..<500).contains(answer.status), "\(archive.name): answered with \(answer.status)")
                continue
            }
            reached += 1
            let job = try server.finish(id)
            let error = job["error"] as? [String: Any]
            let (code, message) = (error?["code"] as? String, error?["message"] as? String ?? "")
            result.expect(job["status"] as? String == "failed", "\(archive.name): was tracked")
            result.expect(code == archive.code, "\(archive.name): \(code ?? "no error")")
            if let reason = archive.reason {
                result.expect(message.contains(reason), "\(archive.name): failed because \(message)")
            }
        }
        result.expect(reached >= Self.count / 2, "only \(reached) archives came to a decoder")
        // Some that are not hostile, so that refusing all is no defence.
        for bytes in [TestArchive.tar([image]), TestArchive.zip([image])] {
            let honest = try submit(bytes)
            let status = try (honest.json["id"] as? String).map { try server.finish($0)["status"] } as? String
            result.expect(status == "succeeded", "an honest archive: \(honest.status), \(status ?? "")")
        }
        for path in outside {
            result.expect(!FileManager.default.fileExists(atPath: path), "\(path) was written")
        }
        result.tried =
            "\(archives.count) archives: links, devices, absolute names, '..', drives, encrypted, cut, "
            + "too many files, too many images, over the ratio"
        result.figure =
            "\(reached) came to a decoder and failed, \(archives.count - reached) were refused at once; honest ones are "
            + "tracked"
        return result
    }

    /// Archives of which every entry is harmless, and all together are not.
    private static func tooLarge(_ image: TestArchive.Entry) throws -> [Hostile] {
        let text = TestArchive.Entry(name: "readme.txt")
        let picture = TestArchive.Entry(name: "2.png", bytes: Array(image.bytes.prefix(8)))
        return [
            Hostile(
                name: "too many files", bytes: TestArchive.tar([image] + Array(repeating: text, count: entries)),
                code: "limit_exceeded", reason: "\(entries) entries"),
            Hostile(
                name: "too many images", bytes: TestArchive.tar([image] + Array(repeating: picture, count: frames)),
                code: "limit_exceeded", reason: "\(frames) images"),
            Hostile(
                name: "over the ratio", bytes: try SqueezedArchive.make(image, zeros: 65 << 20), code: "limit_exceeded",
                reason: "compression ratio"),
        ]
    }
}
