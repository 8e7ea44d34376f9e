import Foundation
import ServiceHarness

/// A disk that fills up harms nothing that was accepted.
struct DiskFullProof: Proof {
    let name = "full disk"
    let claim = "a 64 MB file system that fills up: 507, recovery within 5 s of space, and a database that is whole"

    func run(_ options: ProofOptions) throws -> ProofResult {
        let disk = try SmallDisk(megabytes: 64)
        defer { disk.unmount() }
        var result = ProofResult(tried: "")
        let accepted = try fillByUploads(disk, &result)
        try fillByOthers(disk, &result)
        let integrity = try Database.integrity(disk.folder.path("lktrack.sqlite"))
        result.expect(integrity == "ok", "integrity_check: \(integrity)")
        result.tried =
            "a tmpfs of 64 MB, filled by \(accepted) uploads, then to the last byte by another while a job runs"
        return result
    }

    /// The reserve is kept: uploads are refused before anything else suffers.
    private func fillByUploads(_ disk: SmallDisk, _ result: inout ProofResult) throws -> Int {
        let server = try Server(
            "--workers", "1", environment: ["LKTRACK_LIMITS_DISK_RESERVE_BYTES": "\(8 << 20)"], data: disk.folder)
        let work = try Work(Clip.make(frames: 60, size: "640x480"), undisturbedOn: server)
        let clip = work.clip
        var ids: [String] = []
        var refusal = 0
        while ids.count < 2000 {
            guard let id = try server.wire.submit(clip) else {
                refusal =
                    try server.wire.request(
                        "POST", "/v1/jobs?roi=\(clip.box)", fields: ["Content-Type: application/octet-stream"],
                        body: clip.bytes
                    ).status
                break
            }
            ids.append(id)
        }
        result.expect(refusal == 507, "uploads on a full disk: \(refusal)")
        result.losses += try Accounts(work: work, accepted: ids, allowedCodes: ["storage_full"]).balance(server).losses
        var share = MachineShare()
        share.measure()
        let took = try recovery(server, clip) {
            for id in ids.prefix(max(1, ids.count / 2)) { _ = try server.wire.request("DELETE", "/v1/jobs/\(id)") }
        }
        result.expect(took <= share.allowed(5), "uploads were taken \(took.text(1)) s after there was space")
        result.figure = "507, recovered in \(took.text(2)) s"
        for id in ids { _ = try server.wire.request("DELETE", "/v1/jobs/\(id)") }
        result.expect(server.stop() == 0, "it does not stop")
        return ids.count
    }

    /// No reserve, and somebody else fills the disk while a job is running.
    private func fillByOthers(_ disk: SmallDisk, _ result: inout ProofResult) throws {
        let server = try Server(
            "--workers", "1", environment: ["LKTRACK_LIMITS_DISK_RESERVE_BYTES": "0"], data: disk.folder)
        let work = try Work(Clip.make(frames: 3000), undisturbedOn: server)
        let clip = work.clip
        guard let id = try server.wire.submit(clip) else { throw ProofError("a job is not accepted") }
        try wait(for: "the first frame") { try server.framesDone(id) > 0 }
        try disk.fill()
        pause(2)
        result.expect(try server.wire.get("/healthz").status == 200, "it is not alive on a full disk")
        let refused = try server.wire.request(
            "POST", "/v1/jobs?roi=\(clip.box)", fields: ["Content-Type: application/octet-stream"], body: clip.bytes)
        result.expect([507, 503].contains(refused.status), "an upload on a full disk: \(refused.status)")
        var share = MachineShare()
        share.measure()
        let took = try recovery(server, clip) { disk.empty() }
        result.expect(took <= share.allowed(5), "uploads were taken \(took.text(1)) s after there was space again")
        let accounts = Accounts(work: work, accepted: [id], allowedCodes: ["storage_full"])
        result.losses += try accounts.balance(server, seconds: 60).losses
        result.figure += ", and in \(took.text(2)) s; the running job ended as \(try server.status(id) ?? "?")"
        result.expect(server.stop() == 0, "it does not stop")
    }

    /// Seconds from `makeRoom` to the next job that is accepted.
    private func recovery(_ server: Server, _ clip: Clip, _ makeRoom: () throws -> Void) throws -> Double {
        try makeRoom()
        let start = ContinuousClock.now
        let deadline = start + .seconds(60)
        while try server.wire.submit(clip) == nil, ContinuousClock.now < deadline { pause(0.02) }
        return (ContinuousClock.now - start) / .seconds(1)
    }
}

/// A file system of few bytes, in memory.
final class SmallDisk {
    let folder: TemporaryFolder

    init(megabytes: Int) throws {
        folder = try TemporaryFolder()
        let mounted = try Executable.run(
            "/usr/bin/env", ["mount", "-t", "tmpfs", "-o", "size=\(megabytes)m", "tmpfs", folder.url.path])
        guard mounted.status == 0 else { throw NotProvable(reason: "a file system can be mounted by root only") }
    }

    func unmount() { _ = try? Executable.run("/usr/bin/env", ["umount", "-l", folder.url.path]) }

    func fill() throws {
        let ballast = open(folder.path("ballast"), O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        guard ballast >= 0 else { throw ProofError("no ballast") }
        defer { close(ballast) }
        for size in [1 << 20, 1 << 12, 1] {
            let block = [UInt8](repeating: 0, count: size)
            while write(ballast, block, size) == size {}
        }
    }

    func empty() { unlink(folder.path("ballast")) }
}
