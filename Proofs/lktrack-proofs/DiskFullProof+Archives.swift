import Foundation
import ServiceHarness

extension DiskFullProof {
    static let archives = 2

    /// Archives that unpack to more than is free, each and at the same time, beside a job that writes its result: they end,
    /// and leave it what it needs.
    func fillByArchives(_ result: inout ProofResult) throws {
        let disk = try SmallDisk(megabytes: 72)
        defer { disk.unmount() }
        let reserve: Int64 = 32 << 20
        let server = try Server(
            "--workers", "\(Self.archives + 1)", environment: ["LKTRACK_LIMITS_DISK_RESERVE_BYTES": "\(reserve)"],
            data: disk.folder)
        let work = try Work(Clip.make(frames: 3000), undisturbedOn: server)
        let image = try Material.synthetic(frames: 1).firstImage()
        let archive = try SqueezedArchive.make(image, zeros: 60 << 20)
        guard let running = try server.wire.submit(work.clip) else { throw ProofError("a job is not accepted") }
        try wait(for: "the first frame") { try server.framesDone(running) > 0 }
        let free = LeastFree(disk)
        let ids = try (0..<Self.archives).map { _ in
            let answer = try server.wire.request(
                "POST", "/v1/jobs?roi=1,1,20,20", fields: ["Content-Type: application/octet-stream"], body: archive)
            guard answer.status == 202, let id = answer.json["id"] as? String else {
                throw ProofError("an archive is answered with \(answer.status)")
            }
            return id
        }
        for id in ids {
            let error = try server.finish(id)["error"] as? [String: Any]
            let code = error?["code"] as? String
            result.expect(code == "storage_full", "an archive for which there is no space: \(code ?? "no error")")
        }
        result.losses += try Accounts(work: work, accepted: [running]).balance(server).losses
        let least = free.stop()
        // Archives leave a half of it alone, and running jobs a quarter.
        result.expect(
            least >= reserve / 2 - Self.usedOfReserve,
            "beside archives \(Double(least) / 1048576) MiB of a reserve of 32 MiB were left")
        result.figure += "\((Double(least) / 1048576).text(1)) beside archives; "
        result.losses += try Leftovers.losses(server)
    }
}
