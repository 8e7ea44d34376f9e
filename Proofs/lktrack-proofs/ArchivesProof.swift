import Foundation
import ServiceHarness

/// Archives write nothing outside, and their links lead nowhere.
struct ArchivesProof: Proof {
    let name = "archives"
    let claim = "hostile archives fail their job, and nothing is written or read elsewhere"

    private static let count = 15

    func run(_ options: ProofOptions) throws -> ProofResult {
        let server = try Server("--workers", "1")
        let scene = try Material.synthetic(frames: 1)
        let image = try TestArchive.Entry(
            name: "img1.png", bytes: Array(Data(contentsOf: URL(fileURLWithPath: try Self.firstImage(scene)))))
        let outside = ["/tmp/2.png", "/2.png", server.data.path("2.png"), server.data.path("../2.png")]
        var result = ProofResult(tried: "")
        let archives = HostileArchives.all(image)
        result.expect(archives.count >= Self.count, "there are \(archives.count) archives, not \(Self.count)")
        var reached = 0
        func submit(_ bytes: [UInt8]) throws -> WireAnswer {
            try server.wire.request(
                "POST", "/v1/jobs?roi=\(scene.box)", fields: ["Content-Type: application/octet-stream"], body: bytes)
        }
        for (name, bytes) in archives {
            let answer = try submit(bytes)
            guard answer.status == 202, let id = answer.json["id"] as? String else {
                result.expect((400..<500).contains(answer.status), "\(name): answered with \(answer.status)")
                continue
            }
            reached += 1
            let job = try server.finish(id)
            let code = (job["error"] as? [String: Any])?["code"] as? String
            result.expect(job["status"] as? String == "failed", "\(name): was tracked")
            result.expect(code == "undecodable", "\(name): \(code ?? "no error")")
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
        result.tried = "\(archives.count) archives: links, devices, absolute names, '..', drives, encrypted, cut"
        result.figure =
            "\(reached) came to a decoder and failed, the others were refused at once; honest ones are tracked"
        return result
    }

    private static func firstImage(_ scene: Material.Sequence) throws -> String {
        let paths = FileManager.default.enumerator(atPath: scene.folder.path)?.allObjects as? [String] ?? []
        guard let name = paths.sorted().first(where: { $0.hasSuffix(".png") || $0.hasSuffix(".jpg") }) else {
            throw ProofError("the synthetic scene has no image")
        }
        return scene.folder.path + "/" + name
    }
}
